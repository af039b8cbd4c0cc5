"""Admission by the shared counters: one round trip for a request, one more when it is over."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gptgate.core.budgets import NOTHING, BudgetCharge, Spend
from gptgate.core.errors import ClientError, CountersUnavailable, GateError
from gptgate.core.limit import Charge
from gptgate.core.ports import Clock
from gptgate.core.shared import Wish
from gptgate.cost.amounts import refusal, too_many
from gptgate.cost.ledger import refused
from gptgate.cost.windows import Slots
from gptgate.limits.refusals import exceeds, no_place, used_up
from gptgate.shared.hold import Level, Line, SharedHold, State, standing_of
from gptgate.shared.ledger import OwnLedger
from gptgate.shared.link import CHARGE, unavailable
from gptgate.shared.membership import Membership
from gptgate.shared.names import Account, Entry, Keys, budget_entry, correction_entries, hard_limit, limit_entry
from gptgate.shared.settler import Notice, Settler

PATIENCE_S = 0.05
NO_WISH = Wish((), (), NOTHING)


class SharedCounters:
    """Implements `core.shared.Counters`. Belongs to one event loop.

    Every step is one script of the server, which nothing can come in between. An answer that is lost, or that comes
    from before the counters were built anew, counts for nothing here: what it may have charged is given back.
    """

    def __init__(
        self,
        membership: Membership,
        ledger: OwnLedger,
        settler: Settler,
        clock: Clock,
        now_us: Callable[[], int | None],
    ) -> None:
        """`now_us` is the time that rates go by; None: the server's own."""
        self._membership, self._ledger, self._settler = membership, ledger, settler
        self._clock, self._now_us = clock, now_us
        self._slots: dict[tuple[object, ...], Slots] = {}
        ledger.settled = self._settled

    async def admit(self, request_id: str, app: str, limits: Sequence[Charge], wish: Wish, at_ms: int) -> SharedHold:
        """Charge a request; see the port."""
        hold = SharedHold(request_id, app, at_ms, self._change, self._grow, self._finish, _limit_of)
        await self._change(hold, limits, wish)
        return hold

    def adopt(self, request_id: str, charges: Sequence[BudgetCharge]) -> None:
        """Let what a request holds count in these accounts too; the counters are told when this gateway joins again."""
        hold = self._membership.holds.get(request_id)
        if hold is not None and hold.reservation is not None:
            # One of a budget that was forgotten meanwhile and comes back is there still.
            there = {(line.charge.budget.counts, line.charge.key) for line in hold.lines}
            hold.lines += [
                Line(charge, Account(*charge, self._slots_of(charge), hold.at_ms))
                for charge in charges
                if (charge.budget.counts, charge.key) not in there
            ]
            self._ledger.adopt(request_id, charges)

    async def _change(self, hold: SharedHold, limits: Sequence[Charge] | None, wish: Wish) -> None:
        """Hold the wish in the place of the wish that is held; with `limits`, these too in the place of the others.

        Without them the wish is a must. Raises why it is refused; the wish that was held is then held no more.
        """
        if min(wish.spend.nano, wish.spend.tokens, wish.spend.requests) < 0:
            raise ValueError("a reservation is not negative")
        full = self._ledger.expect(wish.budgets, hold.at_ms)
        if full is not None:
            wish = NO_WISH
        lines = [Line(charge, Account(*charge, self._slots_of(charge), hold.at_ms)) for charge in wish.budgets]
        code, rest = await self._charge(hold, limits, wish, lines)
        if code == "gone":
            raise unavailable("this request was given up")
        self._take(hold, limits, wish, lines, code == "passed", rest)
        if full is not None and limits is None:
            self._let_go(hold)
            raise refused(full, too_many(full.budget))

    async def _grow(self, hold: SharedHold, more: Wish) -> None:
        """Hold this besides the wish that is held. Raises why it is refused; nothing is changed then."""
        hold.extensions += 1
        lines = [Line(line.charge, line.account) for line in hold.lines]
        code, (states, _, _) = await self._charge(hold, None, more, lines, besides=True)
        for line, state in zip(lines, states[len(more.tokens) :], strict=True):
            line.state = State.of(state)
        if code != "passed":
            raise _refused_by_wish(more, _levels(states, len(more.tokens)), lines, hold.reserved)
        reserved, spend = hold.reserved, more.spend
        nano, tokens = reserved.nano + spend.nano, reserved.tokens + spend.tokens
        hold.reserved = Spend(nano=nano, tokens=tokens, requests=reserved.requests)
        if hold.reservation is not None:
            hold.reservation = self._ledger.extend(hold.reservation, hold.reserved)

    async def _charge(
        self,
        hold: SharedHold,
        limits: Sequence[Charge] | None,
        wish: Wish,
        lines: list[Line],
        *,
        besides: bool = False,
    ) -> tuple[str, list[Any]]:
        """Until there is an answer that counts, or the time is over: a server that took over is joined quickly."""
        membership = self._membership
        deadline = asyncio.get_running_loop().time() + membership.timeout_s
        while True:
            epoch = await membership.epoch()
            generation = membership.generation
            keys, ask = self._ask(hold, limits, wish, lines, besides)
            known = False
            try:
                code, *rest = await membership.call(CHARGE, keys, {**ask, "epoch": epoch})
                known = True
            except CountersUnavailable as error:
                # Joining again undoes what it may have charged.
                known = error.broken and asyncio.get_running_loop().time() < deadline
                if not known:
                    raise
                continue
            finally:
                if not known:
                    self._abandon(hold, limits or (), wish, lines)
            # What was charged before this gateway told its sums anew is not in them.
            if code not in ("lost", "wait") and generation == membership.generation:
                return str(code), rest
            if asyncio.get_running_loop().time() >= deadline:
                raise unavailable("the counters are not complete: gateways are waited for, or they are built anew")
            if code == "wait":
                await asyncio.sleep(PATIENCE_S)
            elif generation == membership.generation:
                membership.doubt()

    def _take(
        self,
        hold: SharedHold,
        limits: Sequence[Charge] | None,
        wish: Wish,
        lines: list[Line],
        passed: bool,
        rest: list[Any],
    ) -> None:
        """What the script said, as what is held and what is raised."""
        now_ns = self._clock.monotonic_ns()
        self._let_go(hold)
        hold.lines = lines
        must, fits, may = rest
        must_charges, states = (limits, may) if limits is not None else ([], must)
        wished = [*states]
        for line, state in zip(lines, wished[len(wish.tokens) :], strict=True):
            line.state = State.of(state)
        levels = _levels(must if limits is not None else [], len(must_charges))
        token_levels = _levels(wished, len(wish.tokens))
        if limits is not None:
            if not passed:
                hold.requests.hold((), (), now_ns)
                self._membership.holds.pop(hold.id, None)
                raise _refused_by_limits(limits, levels)
            hold.requests.hold(limits, levels, now_ns)
            hold.first = False
            self._membership.holds[hold.id] = hold
        elif not passed:
            raise _refused_by_wish(wish, token_levels, lines)
        if limits is None or fits:
            hold.tokens.hold(wish.tokens, token_levels, now_ns)
            hold.reserved = wish.spend
            hold.reservation = self._ledger.count(hold.id, hold.app, wish.budgets, wish.spend, hold.at_ms)

    def _let_go(self, hold: SharedHold) -> None:
        """The counters hold the wish no more."""
        if hold.reservation is not None:
            self._ledger.forget(hold.reservation)
            hold.reservation, hold.reserved = None, Spend()
        hold.tokens.hold((), (), 0)
        hold.lines = []

    def _abandon(self, hold: SharedHold, limits: Sequence[Charge], wish: Wish, lines: list[Line]) -> None:
        """Nobody knows what a call has charged: it is given back; should the call yet come, it is barred."""
        if not hold.first:
            self._membership.doubt()
            return
        keys = self._membership.keys(f"gone:{hold.id}")
        entries = correction_entries(limits, [-one.amount for one in limits], keys)
        entries += _places(limits, self._membership.process, keys)
        wished = correction_entries(wish.tokens, [-one.amount for one in wish.tokens], keys)
        wished += _budgets(lines, wish.spend, Spend(), keys)
        entries += [{**entry, "wished": True} for entry in wished]
        self._settler.put(Notice(hold.id, keys.names, entries, None, bar=True, now_us=self._now_us()))

    def _ask(
        self, hold: SharedHold, limits: Sequence[Charge] | None, wish: Wish, lines: list[Line], besides: bool
    ) -> tuple[list[str], dict[str, object]]:
        membership = self._membership
        keys = membership.keys(f"gone:{hold.id}", *([f"grown:{hold.id}"] if besides else []))
        process = membership.process
        wished = [limit_entry(one, process, keys) for one in wish.tokens]
        wished += [budget_entry(line.account, *line.charge, wish.spend, keys) for line in lines]
        ask: dict[str, object] = {"gateway": membership.gateway, "process": process, "id": hold.id}
        if besides:
            ask.update(must=wished, may=[], more=str(hold.extensions))
        elif limits is None:
            ask.update(must=wished, may=[], holds=True)
        else:
            ask.update(must=[limit_entry(one, process, keys) for one in limits], may=wished)
        if hold.first:
            ask["first"] = True
        elif not besides:
            ask["give"] = self._gives(hold, keys, everything=limits is not None)
        now_us = self._now_us()
        if now_us is not None:
            ask["now"] = now_us
        return keys.names, ask

    def _gives(self, hold: SharedHold, keys: Keys, *, everything: bool) -> list[Entry]:
        """What takes a held wish back; with `everything`, the request's own limits too."""
        gives = correction_entries(hold.tokens.charges, [-one.amount for one in hold.tokens.charges], keys)
        if everything:
            charges = hold.requests.charges
            gives += correction_entries(charges, [-one.amount for one in charges], keys)
            gives += _places(charges, self._membership.process, keys)
        if hold.reservation is not None:
            gives += _budgets(hold.lines, hold.reserved, Spend(), keys)
        return gives

    def _settled(self, request_id: str, spend: Spend) -> None:
        hold = self._membership.holds.get(request_id)
        if hold is not None:
            hold.spent = spend

    def _finish(self, hold: SharedHold) -> None:
        """The request is over: what it holds is told as it turned out to be."""
        reserved = hold.reservation is not None
        if hold.reservation is not None:
            # Does nothing where it was settled already.
            self._ledger.settle(hold.reservation, Spend())
        self._membership.holds.pop(hold.id, None)
        if hold.first:
            return
        keys = self._membership.keys(f"gone:{hold.id}")
        entries = correction_entries(hold.requests.charges, hold.requests.more, keys)
        entries += _places(hold.requests.charges, self._membership.process, keys)
        entries += correction_entries(hold.tokens.charges, hold.tokens.more, keys)
        lines = hold.lines if reserved else []
        entries += _budgets(lines, hold.reserved, hold.spent, keys)
        self._settler.put(Notice(hold.id, keys.names, entries, hold if reserved else None, now_us=self._now_us()))

    def _slots_of(self, charge: BudgetCharge) -> Slots:
        counts = charge.budget.counts
        found = self._slots.get(counts)
        if found is None:
            found = self._slots[counts] = Slots(charge.budget)
        return found


def _limit_of(charge: BudgetCharge) -> int | None:
    return hard_limit(*charge)


def _levels(states: Sequence[Sequence[str]], count: int) -> list[Level]:
    return [(int(state[0]), int(state[1]) if len(state) > 1 else 0) for state in states[:count]]


def _places(charges: Sequence[Charge], process: str, keys: Keys) -> list[Entry]:
    """Places given back."""
    return [
        {"kind": "place", "key": keys.place("place:" + one.key), "process": process}
        for one in charges
        if not one.spec.window_ms
    ]


def _budgets(lines: Sequence[Line], reserved: Spend, spent: Spend, keys: Keys) -> list[Entry]:
    """Reservations replaced by what was really spent."""
    entries = []
    for line in lines:
        unit = line.charge.budget.unit
        held, real = reserved.of(unit), spent.of(unit)
        entries.append(line.account.entry(keys, more=str(real - held), unheld=str(-held)))
    return entries


def _refused_by_limits(charges: Sequence[Charge], levels: Sequence[Level]) -> GateError:
    """What cannot ever be, else the longest wait, else the first place that is missing."""
    error: ClientError | None = None
    slowest = 0
    for one, level in zip(charges, levels, strict=True):
        spec = one.spec
        if not spec.window_ms:
            continue
        if one.amount > spec.amount:
            error = exceeds(spec, one.amount)
            error.limit = spec.name
            break
        early = (level[0] + one.amount - spec.amount) * spec.window_ms * 1000 + level[1]
        wait_ns = -(-early * 1000 // spec.amount)
        if wait_ns > slowest:
            slowest, error = wait_ns, used_up(spec, wait_ns)
            error.limit = spec.name
    if error is None:
        full = [one.spec for one, level in zip(charges, levels, strict=True) if _is_full(one, level)]
        if not full:
            raise ValueError("nothing refuses this request")
        error = no_place(full[0])
        error.limit = full[0].name
    found = zip(charges, levels, strict=True)
    error.standing = tuple(standing_of(one, level, 0) for one, level in found if one.spec.window_ms)
    return error


def _is_full(charge: Charge, level: Level) -> bool:
    return not charge.spec.window_ms and level[0] >= charge.spec.amount


def _would_fit(line: Line, spend: Spend) -> bool:
    """Whether it would fit if nothing were held."""
    budget, key = line.charge
    limit = hard_limit(budget, key)
    return limit is None or spend.of(budget.unit) <= line.left(limit, freed=True)


def _refused_by_wish(wish: Wish, levels: Sequence[Level], lines: Sequence[Line], held: Spend = NOTHING) -> GateError:
    """A budget that does not pay comes first: it may pay for less. `held` is what the wish is besides."""
    for line in lines:
        budget, key = line.charge
        limit, needed = hard_limit(budget, key), wish.spend.of(budget.unit)
        if limit is not None and needed and needed > (left := line.state.limit(limit) - line.state.spent):
            error = refused(
                line.charge, refusal(line.charge, line.state.limit(limit), left, needed, held.of(budget.unit))
            )
            if all(_would_fit(each, wish.spend) for each in lines):
                error.is_crowded()
            return error
    return _refused_by_limits(wish.tokens, levels)
