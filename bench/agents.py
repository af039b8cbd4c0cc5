"""How tight reservations are for coding agents: a synthetic trace against a budget.

SYNTHETIC: no traffic was recorded. Sessions of an agent begin with 20 kB of instructions and 40 kB of tools, the same
for all; each step sends the whole conversation anew, with the last answer and 0.5 to 12 kB of a tool's result behind
it, asks for up to 32,000 tokens, and gets 80 to 900. The provider counts a token for each 3.4 to 4.2 bytes, message by
message, and reads what it saw before from its cache. Prices are those of claude-sonnet-4-5 in the installed list.

    python -m bench.agents
"""

import json
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Dimension, Spend, Unit, Window
from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import Reservation, Usage
from gptgate.core.money import format_usd, parse_usd
from gptgate.core.snapshot import ModelSpec, ProviderKind
from gptgate.cost.ceiling import ADDED_TOKENS_TOOLS
from gptgate.cost.conversations import Conversations
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.prices import GenaiPriceBook
from gptgate.pipeline.charges import Ceiling, useful_output

BUDGET = parse_usd("25")
ASKED = 32_000
LEAST = 1024
SHARE = 95
"""So much of the budget, in percent, is to be spent before anybody is refused."""
HEAD = "agents  input bounded by  cut to  requests  cut  first refused  last refused"
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
    `spent` when nothing was in flight any more and the next did not fit."""

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


def run(agents: int, least: int, *, calibrated: bool, seed: int = 7) -> Result:
    """Let so many agents work at a time. One that is refused tries again when another's request is over."""
    rng = random.Random(seed)
    price = GenaiPriceBook({"p": ProviderKind.ANTHROPIC}).find(MODEL, AT_MS)
    if price is None:
        raise ValueError("the installed list has no price for the model of the trace")
    budget = BudgetSpec(
        name="agents",
        scope=(Dimension.APP,),
        unit=Unit.USD,
        window=Window.MONTH,
        amount=BUDGET,
        least_output_tokens=least,
    )
    charges = [BudgetCharge(budget, ("app",))]
    ledger, known, result = MemoryLedger(), Conversations(), Result()
    working = deque(steps(rng) for _ in range(agents))
    flying: deque[tuple[Reservation, Any, Usage]] = deque()

    def land() -> None:
        reservation, conversation, usage = flying.popleft()
        nano = price.cost(usage)
        ledger.settle(reservation, Spend(nano=nano, tokens=0, requests=1))
        known.counted(conversation, usage.input_tokens)
        result.spent += nano
        result.ratios.append(reservation.nano / nano)

    body, usage = next(working[0])
    while True:
        if len(flying) == agents:
            land()
        conversation = known.read("app", "p", MODEL.name, (), body)
        bound = min(len(body) + ADDED_TOKENS_TOOLS, MODEL.context_window)
        if calibrated and conversation is not None and conversation.bound:
            bound = min(bound, conversation.bound)
        wanted = Ceiling(price, bound, ASKED, 1)
        useful = useful_output(ledger, charges, wanted, AT_MS)
        if useful is not None:
            result.lowered += 1
            wanted = Ceiling(price, bound, useful, 1)
        try:
            reservation = ledger.reserve(str(result.requests), "app", charges, wanted.spend, AT_MS)
        except BudgetExceeded:
            result.at_refusal = result.at_refusal or result.spent
            if not flying:
                return result
            land()
            continue
        result.requests += 1
        flying.append((reservation, conversation, usage))
        working.rotate(-1)
        body, usage = next(working[0])


def main() -> None:
    """Print what each way of bounding comes to."""
    print(f"synthetic coding agents, a budget of ${format_usd(BUDGET)}, {ASKED} output tokens asked for each time")
    print(f"{HEAD}  reserved / settled")
    for agents, least, calibrated in ((1, 0, False), (1, 0, True), (4, 0, True), (4, LEAST, False), (4, LEAST, True)):
        found = run(agents, least, calibrated=calibrated)
        how, cut = "what was counted" if calibrated else "bytes", str(least or "never")
        spent = f"{percent(found.at_refusal):11.1f} %  {percent(found.spent):10.1f} %"
        counts = f"{agents:6}  {how:16}  {cut:6}  {found.requests:8}  {found.lowered:3}"
        print(f"{counts}  {spent}  p50 {found.ratio(0.5):.1f}, p99 {found.ratio(0.99):.1f}")


if __name__ == "__main__":
    main()
