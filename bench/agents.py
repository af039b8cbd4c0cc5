"""How tight reservations are for coding agents: a synthetic trace against a budget.

SYNTHETIC: no traffic was recorded. Sessions of an agent begin with 20 kB of instructions and 40 kB of tools, the same
for all; each step sends the whole conversation anew, with the last answer and 0.5 to 12 kB of a tool's result behind
it, asks for up to 32,000 tokens, and gets 80 to 900. The provider counts a token for each 3.4 to 4.2 bytes, message by
message, and reads what it saw before from its cache. Prices are those of claude-sonnet-4-5 in the installed list.

    python -m bench.agents
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from gptgate.core.budgets import LEAST_OUTPUT_TOKENS, BudgetCharge, BudgetSpec, Dimension, Spend, Unit, Window
from gptgate.core.errors import OverBudget
from gptgate.core.facts import Reservation, Usage
from gptgate.core.money import format_usd, parse_usd
from gptgate.core.snapshot import ModelSpec, ProviderKind
from gptgate.cost.ceiling import ADDED_TOKENS_TOOLS
from gptgate.cost.conversations import Conversations
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.prices import GenaiPriceBook
from gptgate.pipeline.charges import Ceiling, shorter
from gptgate.pipeline.crowd import MOST_OVERTAKINGS

BUDGET = parse_usd("25")
ASKED = 32_000
LEAST = LEAST_OUTPUT_TOKENS
SHARE = 95
"""So much of the budget, in percent, is to be spent before anybody is refused."""
HEAD = "agents  input bounded by  cut to  waits  requests  cut  first refused  last refused"
WAIT_S = 120
"""What `budget_wait` is where nobody says otherwise."""
FIRST_S, TOKENS_PER_S = 2.0, 60
"""How long the provider takes until an answer begins, and how fast it speaks."""
AT_MS = 1_795_392_000_000
MODEL = ModelSpec(
    name="agent",
    provider="p",
    upstream_name="claude-sonnet-4-5",
    context_window=200_000,
    max_output_tokens=ASKED,
    price=None,
    location="cloud",
)


@dataclass
class Result:
    """What a run came to. `ratios` are reserved / settled. `at_refusal` is what was settled when the first was refused,
    `spent` when all had been refused for good."""

    requests: int = 0
    lowered: int = 0
    at_refusal: int = 0
    spent: int = 0
    ratios: list[float] = field(default_factory=list)

    def ratio(self, share: float) -> float:
        """A quantile of the ratios."""
        return sorted(self.ratios)[int(share * (len(self.ratios) - 1))]


def percent(nano: int) -> float:
    """How much of the budget this is."""
    return 100 * nano / BUDGET


def steps(rng: random.Random) -> Iterator[tuple[bytes, Usage]]:
    """One agent's requests as they are sent, and what the provider reports for each. Endless: sessions follow."""
    tools = [{"name": f"tool{number}", "description": "x" * 2000} for number in range(20)]
    shared = 60_000 // 4
    while True:
        messages: list[dict[str, Any]] = [{"role": "user", "content": _words(rng, 2000)}]
        counted = [shared + _counted(rng, messages[0])]
        cached = 0
        for _ in range(rng.randrange(10, 60)):
            body = {"model": "m", "system": "s" * 20_000, "tools": tools, "messages": messages, "max_tokens": ASKED}
            output = rng.randrange(80, 900)
            total = sum(counted)
            yield (
                json.dumps(body, separators=(",", ":")).encode(),
                Usage(input_tokens=total, output_tokens=output, cache_read=cached, cache_write=total - cached),
            )
            cached = total
            messages = [
                *messages,
                {"role": "assistant", "content": _words(rng, output * 4)},
                {"role": "user", "content": _words(rng, rng.randrange(500, 12_000))},
            ]
            counted += [_counted(rng, message) for message in messages[-2:]]


def _words(rng: random.Random, size: int) -> str:
    return (f"{rng.getrandbits(64):x} " * (size // 16 + 1))[:size]


def _counted(rng: random.Random, message: dict[str, Any]) -> int:
    return int(len(message["content"]) / rng.uniform(3.4, 4.2)) + 4


@dataclass(order=True)
class _Flight:
    """A request that the provider works on, until `end_s`."""

    end_s: float
    number: int
    reservation: Reservation = field(compare=False)
    conversation: Any = field(compare=False)
    usage: Usage = field(compare=False)


@dataclass(eq=False)
class _Asker:
    """An agent whose next request waits since then, or came then."""

    agent: Iterator[tuple[bytes, Usage]]
    request: tuple[bytes, Usage]
    since_s: float = 0.0
    overtaken: int = 0


class _Run:
    """So many agents at a time, of one app, by a clock of its own. As in `pipeline.crowd`, who does not fit waits for
    what the others hold; who fits passes, but the first is overtaken by so many only. Who is refused for what others
    hold tries again, behind the others; who is refused for what was spent gives up."""

    def __init__(self, agents: int, least: int, wait_s: float, *, calibrated: bool, seed: int) -> None:
        rng = random.Random(seed)
        price = GenaiPriceBook({"p": ProviderKind.ANTHROPIC}).find(MODEL, AT_MS)
        if price is None:
            raise ValueError("the installed list has no price for the model of the trace")
        self._price, self._wait_s, self._calibrated = price, wait_s, calibrated
        budget = BudgetSpec(
            name="agents",
            scope=(Dimension.APP,),
            unit=Unit.USD,
            window=Window.MONTH,
            amount=BUDGET,
            least_output_tokens=least,
        )
        self._charges = [BudgetCharge(budget, ("app",))]
        self._ledger, self._known, self.result = MemoryLedger(), Conversations(), Result()
        self._now_s = 0.0
        self._flying: list[_Flight] = []
        # In the order in which they came.
        self._asking = [_Asker(agent, next(agent)) for agent in [steps(rng) for _ in range(agents)]]
        self._agent_of: dict[int, Iterator[tuple[bytes, Usage]]] = {}

    def __call__(self) -> Result:
        while True:
            self._let_pass()
            if not self._flying:
                return self.result
            self._refuse(self._flying[0].end_s)
            self._land()

    def _let_pass(self) -> None:
        """All who fit, as far as they may overtake."""
        for asker in list(self._asking):
            first = self._asking[0]
            if asker is not first and first.overtaken >= MOST_OVERTAKINGS:
                return
            try:
                self._ask(asker, may_wait=True)
            except OverBudget as refusal:
                if refusal.crowd is None:
                    self._is_refused(asker)
            else:
                self._asking.remove(asker)
                first.overtaken += asker is not first

    def _refuse(self, until_s: float) -> None:
        """Those whose time is over before the next request ends, unless a shorter answer can be paid."""
        for asker in list(self._asking):
            if asker.since_s + self._wait_s <= until_s:
                try:
                    self._ask(asker, may_wait=False)
                except OverBudget as refusal:
                    self._is_refused(asker)
                    if refusal.crowd is not None:
                        self._asking.append(_Asker(asker.agent, asker.request, until_s))
                else:
                    self._asking.remove(asker)

    def _is_refused(self, asker: _Asker) -> None:
        self.result.at_refusal = self.result.at_refusal or self.result.spent
        self._asking.remove(asker)

    def _ask(self, asker: _Asker, *, may_wait: bool) -> None:
        """Send it. Raises OverBudget."""
        body, usage = asker.request
        conversation = self._known.read("app", "p", MODEL.name, (), body)
        bound = min(len(body) + ADDED_TOKENS_TOOLS, MODEL.context_window)
        if self._calibrated and conversation is not None and conversation.bound:
            bound = min(bound, conversation.bound)
        wanted = Ceiling(self._price, bound, ASKED, 1)
        number = self.result.requests
        try:
            reservation = self._ledger.reserve(str(number), "app", self._charges, wanted.spend, AT_MS)
        except OverBudget as refusal:
            useful = shorter(self._ledger, self._charges, wanted, AT_MS, refusal, may_wait=may_wait)
            spend = wanted.with_output(useful)
            reservation = self._ledger.reserve(str(number), "app", self._charges, spend, AT_MS)
            self.result.lowered += 1
        self.result.requests += 1
        self._agent_of[number] = asker.agent
        end_s = self._now_s + FIRST_S + usage.output_tokens / TOKENS_PER_S
        heappush(self._flying, _Flight(end_s, number, reservation, conversation, usage))

    def _land(self) -> None:
        """The next request ends, and its agent asks again."""
        flight = heappop(self._flying)
        self._now_s = flight.end_s
        nano = self._price.cost(flight.usage)
        self._ledger.settle(flight.reservation, Spend(nano=nano, tokens=0, requests=1))
        self._known.counted(flight.conversation, flight.usage.input_tokens)
        self.result.spent += nano
        self.result.ratios.append(flight.reservation.nano / nano)
        agent = self._agent_of.pop(flight.number)
        self._asking.append(_Asker(agent, next(agent), self._now_s))


def run(agents: int, least: int, wait_s: float, *, calibrated: bool, seed: int = 7) -> Result:
    """Let so many agents work at a time."""
    return _Run(agents, least, wait_s, calibrated=calibrated, seed=seed)()


DEFAULT = (LEAST, WAIT_S, True)
RUNS = (
    (1, *DEFAULT),
    (4, *DEFAULT),
    (8, *DEFAULT),
    (12, *DEFAULT),
    (1, 0, 0, False),
    (1, LEAST, 0, False),
    (8, LEAST, WAIT_S, False),
    (8, 0, WAIT_S, True),
    (8, LEAST, 30, True),
    (8, 0, 0, True),
)
"""Agents, the least output that they are cut to, how long they wait, and whether inputs are bounded by counts: first as
it is where nobody says otherwise, then without one thing or another."""


def main() -> None:
    """Print what each way of bounding comes to."""
    print(f"synthetic coding agents, a budget of ${format_usd(BUDGET)}, {ASKED} output tokens asked for each time")
    print(f"{HEAD}  reserved / settled")
    for agents, least, wait_s, calibrated in RUNS:
        found = run(agents, least, wait_s, calibrated=calibrated)
        how, cut = "what was counted" if calibrated else "bytes", str(least or "never")
        spent = f"{percent(found.at_refusal):11.1f} %  {percent(found.spent):10.1f} %"
        counts = f"{agents:6}  {how:16}  {cut:6}  {wait_s:3} s  {found.requests:8}  {found.lowered:3}"
        print(f"{counts}  {spent}  p50 {found.ratio(0.5):.1f}, p99 {found.ratio(0.99):.1f}")


if __name__ == "__main__":
    main()
