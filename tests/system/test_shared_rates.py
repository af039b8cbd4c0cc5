"""Four processes that share counters admit what one would, and what a model in fractions says, to the request.

`GPTGATE_STORMS=1 python -m pytest tests/system/test_shared_rates.py` sends 10,000 requests at random times.
"""

import asyncio
import json
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from gptgate.core.limit import Charge, LimitSpec, Unit
from gptgate.simulator.app import Simulator
from gptgate.simulator.exchange import Receive, Scope, Send
from gptgate.simulator.server import SimulatorServer
from harness import SERVER, GatewayProcess, make_key
from limit_model import Model
from limit_parts import places, spec
from raw_client import CHAT, RawClient, post, prompt
from server_listener import Listener, asked, listening
from shared_parts import Server, ended, running_server, sharing, started
from storm_parts import STORMS
from waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

GATEWAYS = 4
DAY_MS = 86_400_000
OUTPUT_TOKENS = 200
"""The ceiling of each request, whatever its text."""
PROVIDERS = f"""\
providers:
  - {{name: simulator, kind: simulator, base_url: "@SIMULATOR@", timeouts: {{connect: 1m, first_byte: 10m, idle: 10m}}}}
models:
  - {{name: sim-gpt, provider: simulator, max_output_tokens: {OUTPUT_TOKENS},
     price: {{input_per_million: "1.00", output_per_million: "4.00"}}}}
teams: [{{name: demo}}]
"""
EACH = 70
"""Requests of each app in a wave."""
AT_RANDOM = 10_000 if STORMS else 1000
CALLERS = 24

FULL = {
    "calls": spec("calls", 25, window_ms=DAY_MS),
    "answers": spec("answers", 20 * OUTPUT_TOKENS + 100, unit=Unit.OUTPUT_TOKENS, window_ms=DAY_MS),
    "seats": places("seats", 15),
}
"""By app: what comes back in hours, or not at all, so that it matters to no test how long it takes."""
FLOWING = (
    spec("flow", 22, window_ms=1000),
    spec("tokens", 2600, unit=Unit.OUTPUT_TOKENS, window_ms=1000),
    places("together", 4),
    spec("shares", 60, window_ms=DAY_MS),
)
"""Of one app; `shares` for each end user."""
USERS = 5
MIXED = "mixed"
APPS = (*FULL, MIXED)


class Held(Simulator):
    """Answers nothing before `may_answer` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.arrived = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived += 1
        await self.may_answer.wait()
        await super().__call__(scope, receive, send)


@dataclass(frozen=True)
class Answered:
    """What a caller was told."""

    id: str
    status: int
    code: str
    output_tokens: int


@dataclass
class Fleet:
    """Processes that share counters, each with a key for each app."""

    server: Server
    prefix: str
    simulator: Held
    gateways: list[GatewayProcess]
    keys: list[dict[str, str]]

    async def ask(self, which: int, app: str, text: str = "echo: hello", **fields: str) -> Answered:
        body = prompt(text, stream=False, max_tokens=OUTPUT_TOKENS, **fields)
        client = await RawClient.connect(self.gateways[which].base_url)
        await client.send(post(CHAT, self.keys[which][app], body))
        status, headers, answer = await client.answer()
        await client.close()
        used = json.loads(answer)["usage"]["completion_tokens"] if status == 200 else 0
        return Answered(headers["x-request-id"], status, headers.get("x-gptgate-error", ""), used)

    async def at_rest(self) -> None:
        """Wait until the counters hold nothing for any request."""
        with self.server.client() as client:
            await eventually(lambda: not client.keys(f"{{{self.prefix}}}:open:*"))


def limit(one: LimitSpec, app: str, scope: str = "app") -> str:
    window = f", window: {one.window_ms}ms" if one.window_ms else ""
    counted = f"scope: [{scope}], unit: {one.unit.value}, amount: {one.amount}{window}"
    return f"  - {{name: {one.name}, {counted}, match: {{apps: [{app}]}}}}\n"


class Fleets(NamedTuple):
    """Of the same configuration, each with a server of its own."""

    one: Fleet
    four: Fleet


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleets(tmp_path_factory: pytest.TempPathFactory, counters_server: Server) -> AsyncIterator[Fleets]:
    """Started once, for most of the time goes there."""
    apps = "".join(f"  - {{name: {app}, team: demo}}\n" for app in APPS)
    limits = [limit(one, app) for app, one in FULL.items()]
    limits += [limit(one, MIXED, "end_user" if one.name == "shares" else "app") for one in FLOWING]
    config = f"{SERVER}{PROVIDERS}apps:\n{apps}limits:\n{''.join(limits)}"
    provider = SimulatorServer(simulator := Held())
    await provider.start()

    def fleet(count: int, server: Server) -> Fleet:
        prefix = f"rates{secrets.token_hex(6)}"
        text = sharing(server, config, timeout="60s", prefix=prefix)
        made = [GatewayProcess(tmp_path_factory.mktemp("gateway"), provider.base_url, text) for _ in range(count)]
        return Fleet(
            server, prefix, simulator, made, [{app: make_key(one.folder, app=app) for app in APPS} for one in made]
        )

    with running_server() as other:
        found = Fleets(fleet(1, other), fleet(GATEWAYS, counters_server))
        gateways = [*found.one.gateways, *found.four.gateways]
        try:
            await started(gateways)
            yield found
        finally:
            simulator.may_answer.set()
            codes = await ended(gateways)
            await provider.stop()
        assert codes == [0] * len(gateways)


async def wave(fleet: Fleet, chance: random.Random) -> dict[str, list[Answered]]:
    """All at once and anywhere; nobody is answered before everybody is admitted or refused."""
    simulator, total = fleet.simulator, len(FULL) * EACH
    simulator.may_answer.clear()
    simulator.arrived = 0
    apps = [*FULL] * EACH
    chance.shuffle(apps)
    asking = [asyncio.create_task(fleet.ask(chance.randrange(len(fleet.gateways)), app)) for app in apps]
    try:
        await eventually(lambda: simulator.arrived + sum(task.done() for task in asking) >= total)
    finally:
        simulator.may_answer.set()
        answers = await asyncio.gather(*asking)
    await fleet.at_rest()
    found: dict[str, list[Answered]] = {app: [] for app in FULL}
    for app, answer in zip(apps, answers, strict=True):
        assert (answer.status, answer.code) in [
            (200, ""),
            (429, "concurrency_limited" if app == "seats" else "rate_limited"),
        ]
        if answer.status == 200:
            found[app].append(answer)
    return found


async def test_four_processes_admit_exactly_what_one_would(fleets: Fleets) -> None:
    counts = []
    for fleet in fleets:
        first, second = [await wave(fleet, random.Random(each)) for each in range(2)]
        counts.append([{app: len(admitted) for app, admitted in found.items()} for found in (first, second)])
    # Of the tokens, what was not used is back, so the second wave has what is left.
    left = FULL["answers"].amount - sum(answer.output_tokens for answer in first["answers"])
    assert counts[0] == [
        {"calls": 25, "answers": 20, "seats": 15},
        {"calls": 0, "answers": left // OUTPUT_TOKENS, "seats": 15},
    ]
    assert counts[1] == counts[0]


class RateListener(Listener):
    """Judges each call by the model, at the very time by which the server went.

    That stands in what a call that charges or gives back leaves behind. Of one that leaves nothing behind only an
    earliest time is known, which is enough: what does not fit now did not fit before either.
    """

    def __init__(self, server: Server, prefix: str) -> None:
        self._prefix = f"{{{prefix}}}:"
        self._specs = {one.name: one for one in FLOWING}
        self._model = Model()
        self._call: tuple[dict[str, Any], list[str], int] | None = None
        self._lines: list[list[str]] = []
        self.outcomes: dict[str, str] = {}
        """By request, what was held of it last: all (`wish`), what step 4 takes (`limits`), or nothing."""
        self.wrong: list[str] = []
        super().__init__(server)

    def changed(self, words: list[str], at_us: int) -> None:
        self._lines.append(words)

    def called(self, line: str, at_us: int) -> None:
        if self._call is not None:
            self._judge(*self._call)
        call, self._call, self._lines = asked(line), None, []
        if call is not None and "id" in call[1] and call[0][0].startswith(self._prefix):
            self._call = (call[1], call[0], at_us)

    def _judge(self, ask: dict[str, Any], keys: list[str], earliest_us: int) -> None:
        if not any(words[0] in ("HMGET", "HGETALL") and words[1] in keys[4:] for words in self._lines) and ask.get(
            "must"
        ):
            return  # it was not looked at: this gateway was told to join again
        stamped = [int(words[words.index("t") + 1]) for words in self._lines if words[0] == "HSET" and "t" in words]
        now_ns = (stamped[0] if stamped else earliest_us) * 1000
        if any(words[0] == "HDEL" and words[1] == keys[1] for words in self._lines):
            for one in ask["give"]:
                if one["kind"] != "budget":
                    self._give(one, keys, now_ns)
        if not ask.get("must"):
            return
        must, may = self._charges(ask["must"], keys), self._charges(ask["may"], keys)
        held = next((words[3] for words in self._lines if words[0] == "HSET" and words[1] == keys[1]), "")
        passes = self._model.fits(must, now_ns)
        expected = ("wish" if self._model.fits(may, now_ns) else "limits") if passes else "limits" * ("holds" in ask)
        if held != expected:
            self.wrong.append(f"{ask['id']} at {now_ns}: {held or 'nothing'} instead of {expected or 'nothing'}")
        if held and ("holds" not in ask or held == "wish"):
            self._model.charge(must)
        if held == "wish":
            self._model.charge(may)
        self.outcomes[ask["id"]] = held

    def _give(self, one: dict[str, Any], keys: list[str], now_ns: int) -> None:
        (charge,) = self._charges([{**one, "cost": 0}], keys)
        bucket = self._model.bucket(charge)
        bucket.refill(now_ns)
        bucket.correct(one.get("more", -1))

    def _charges(self, entries: list[dict[str, Any]], keys: list[str]) -> list[Charge]:
        found = []
        for one in entries:
            if one["kind"] != "budget":
                key = keys[one["key"] - 1].removeprefix(self._prefix)
                name = key.split(":", 1)[1].split("|")[0]
                found.append(Charge(self._specs[name], key, one.get("cost", 1)))
        return found


async def test_of_requests_at_random_times_four_processes_admit_exactly_those_of_the_model(fleets: Fleets) -> None:
    chance, fleet = random.Random(9), fleets.four
    fleet.simulator.may_answer.set()
    with listening(RateListener(fleet.server, fleet.prefix)) as listener:
        waiting = [f"user {number % USERS}" for number in range(AT_RANDOM)]
        answers: list[Answered] = []

        async def caller() -> None:
            while waiting:
                user = waiting.pop()
                await asyncio.sleep(chance.expovariate(10))
                text = f"fault: latency={chance.randrange(50)}ms\nwords: {chance.randrange(OUTPUT_TOKENS)}"
                answers.append(await fleet.ask(chance.randrange(GATEWAYS), MIXED, text, user=user))

        async with asyncio.timeout(PATIENCE_S + AT_RANDOM / 10):
            await asyncio.gather(*(caller() for _ in range(CALLERS)))
        await fleet.at_rest()
        listener.hear()
        assert listener.wrong == []
        outcomes = dict(listener.outcomes)
    admitted = {answer.id for answer in answers if answer.status == 200}
    assert admitted == {name for name, held in outcomes.items() if held == "wish"}
    assert len(outcomes) == len(answers) == AT_RANDOM
    codes = Counter(answer.code for answer in answers if answer.status != 200)
    assert {*codes} <= {"rate_limited", "concurrency_limited"}
    # As many at once at the least as there are places, and of each user no more than a share.
    assert 4 <= len(admitted) <= 60 * USERS < AT_RANDOM
