"""Providers that take no notice of the bound on the output: more is reserved for their streams, or these are ended."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from gptgate.core.budgets import BudgetCharge
from gptgate.core.events import End
from gptgate.storage.events import RESERVATION_EXTENDED
from harness import SERVER, Gateway, make_key, running_gateway
from probes import last_seq, records_of
from raw_client import CHAT, RawClient, post, prompt
from shared_parts import Server, ready, running_server
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

NANO = 1000
"""What a token of output costs. Input is free: what is reserved is the output, and what is over is too."""
FAULTS = PLAIN, REPORTING = "no-bound", "no-bound running-usage"
CONFIG = (
    SERVER.replace("server: {", "server: {outgrown: @OUTGROWN@, ")
    + """\
providers:
  - {name: simulator, kind: simulator, base_url: "@SIMULATOR@", retries: 0}
models:
  - {name: sim-gpt, provider: simulator, max_output_tokens: 600,
     price: {input_per_million: "0", output_per_million: "1.00"}}
  - {name: free, provider: simulator, max_output_tokens: 600, price: free}
teams: [{name: demo}]
apps:
  - {name: rich, team: demo}
@APPS@
budgets:
  - {name: tight, scope: [app], unit: usd, amount: "0.001", window: month, match: {apps: [@TIGHT@]}}
limits:
  - {name: tpm, scope: [app], unit: output_tokens, amount: 600, window: 24h, match: {apps: [@LIMITED@]}}
"""
)
TIGHT = [f"tight-{client}-{len(faults)}" for client in ("by_openai", "by_anthropic") for faults in FAULTS]
TIGHT.append("tight-metrics")
LIMITED = ["limited-by_openai", "limited-by_anthropic"]
CONFIG = (
    CONFIG.replace("@APPS@", "\n".join(f"  - {{name: {name}, team: demo}}" for name in TIGHT + LIMITED))
    .replace("@TIGHT@", ", ".join(TIGHT))
    .replace("@LIMITED@", ", ".join(LIMITED))
)
BUDGET, TOKENS = 1_000_000, 600
ASKED = 100
LONG, VERY_LONG = 1500, 8000
"""Words, of which each is a token."""
Stream = Callable[[Gateway, str, str, str], AsyncIterator[str]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def extending(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("extending"), CONFIG.replace("@OUTGROWN@", "extend")) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ending(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("ending"), CONFIG.replace("@OUTGROWN@", "end")) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sharing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    with running_server() as server:
        config = CONFIG.replace("@OUTGROWN@", "extend") + counters_of(server)
        async with running_gateway(tmp_path_factory.mktemp("sharing"), config) as gateway:
            await ready(gateway)
            yield gateway


def counters_of(server: Server) -> str:
    return f"counters: {{url: '{server.url}', timeout: 20s}}\n"


@pytest.fixture(params=["extending", "sharing"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    found: Gateway = request.getfixturevalue(request.param)
    return found


async def by_openai(gateway: Gateway, key: str, text: str, model: str) -> AsyncIterator[str]:
    """What the official client gets of a stream. Raises openai.APIError."""
    async with openai.AsyncOpenAI(base_url=f"{gateway.base_url}/v1", api_key=key, max_retries=0) as client:
        messages: Any = [{"role": "user", "content": text}]
        stream = await client.chat.completions.create(model=model, messages=messages, max_tokens=ASKED, stream=True)
        async for chunk in stream:
            yield "".join(choice.delta.content or "" for choice in chunk.choices)


async def by_anthropic(gateway: Gateway, key: str, text: str, model: str) -> AsyncIterator[str]:
    """As `by_openai`. Raises anthropic.APIError."""
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=key, max_retries=0) as client:
        messages: Any = [{"role": "user", "content": text}]
        stream = await client.messages.create(model=model, messages=messages, max_tokens=ASKED, stream=True)
        async for event in stream:
            if event.type == "content_block_delta":
                yield getattr(event.delta, "text", "")


@pytest.fixture(params=[by_openai, by_anthropic])
def stream(request: pytest.FixtureRequest) -> Stream:
    found: Stream = request.param
    return found


class Caller:
    """An app that nobody else uses now, with a new key."""

    def __init__(self, gateway: Gateway, app: str) -> None:
        self.gateway, self.app = gateway, app
        self.key = make_key(gateway.folder, app=app)
        gateway.app.load_keys()

    async def ask(
        self, stream: Stream, faults: str, words: int, model: str = "sim-gpt"
    ) -> tuple[str, openai.APIError | anthropic.APIError | None, End]:
        """The text that was got, the error that ended it, and its end on record."""
        since, got = await last_seq(self.gateway), ""
        error: openai.APIError | anthropic.APIError | None = None
        try:
            async for piece in stream(self.gateway, self.key, f"fault: {faults} chunk=64\nwords: {words}", model):
                got += piece
        except (openai.APIError, anthropic.APIError) as raised:
            error = raised
        return got, error, await self.end(since)

    async def end(self, since: int) -> End:
        (record,) = await records_of(self.gateway, since)
        assert record.end is not None
        return record.end

    def spent(self) -> int:
        """Settled and reserved of the app's month."""
        app = self.gateway.app
        charge = BudgetCharge(app.snapshot.budgets[0], (self.app,))
        return app._treasury.ledger.spent(charge, app.clock.wall_ms())


def code_of(error: openai.APIError | anthropic.APIError | None) -> str:
    """What the client was told, in its dialect's own words."""
    assert error is not None
    if isinstance(error, openai.APIError):
        return str(error.code)
    body: Any = error.body
    assert body["error"]["type"] == "rate_limit_error"
    return "stream_outgrown" if "longer than what was reserved for it" in body["error"]["message"] else ""


async def events_of(gateway: Gateway) -> int:
    """How many extensions are on record."""
    with gateway.reader() as reader:
        query = "SELECT count(*) FROM events WHERE type = ?"
        (count,) = reader._connection.execute(query, (RESERVATION_EXTENDED,)).fetchone()
    return int(count)


@pytest.mark.parametrize("faults", [PLAIN, REPORTING])
async def test_a_stream_that_outgrows_its_reservation_extends_it(gateway: Gateway, stream: Stream, faults: str) -> None:
    caller, events = Caller(gateway, "rich"), await events_of(gateway)
    before = caller.spent()
    got, error, end = await caller.ask(stream, faults, LONG)
    assert error is None
    assert len(got.split()) == LONG
    assert (end.code, end.usage_source, end.usage.output_tokens) == ("", "provider", LONG)
    assert end.extensions > 0
    assert end.extended_nano >= (LONG * NANO if faults == REPORTING else ASKED * NANO)
    assert await events_of(gateway) - events == end.extensions
    assert caller.spent() - before == end.cost_nano == LONG * NANO


@pytest.mark.parametrize("faults", [PLAIN, REPORTING])
async def test_where_the_budget_does_not_pay_for_more_the_stream_is_ended_and_what_was_given_out_is_billed(
    gateway: Gateway, stream: Stream, faults: str
) -> None:
    app = f"tight-{stream.__name__}-{len(faults)}"
    caller, aborted = Caller(gateway, app), gateway.simulator.stats.aborted
    # The provider falls silent and waits, so that it can be seen that it was let go.
    got, error, end = await caller.ask(stream, f"{faults} hang=500", VERY_LONG)
    assert code_of(error) == end.code == "stream_outgrown"
    assert f"the budget 'tight' of {app} is $0.001" in str(error)
    assert end.limit == "tight"
    delivered = len(got.split())
    assert delivered < VERY_LONG
    assert (end.usage_source, end.status) == ("estimated", 200)
    assert caller.spent() == end.cost_nano
    if faults == PLAIN:
        # A text is never let out beyond what is held: the budget holds to the nano-dollar.
        assert end.extended_nano == end.cost_nano <= BUDGET
    else:
        # What the provider has reported is spent, whatever was held.
        assert delivered * NANO <= end.cost_nano == end.usage.output_tokens * NANO > BUDGET
    await eventually(lambda: gateway.simulator.stats.aborted > aborted)


@pytest.mark.parametrize("faults", [PLAIN, REPORTING])
async def test_a_stream_is_ended_where_the_configuration_says_so(ending: Gateway, stream: Stream, faults: str) -> None:
    caller = Caller(ending, "rich")
    got, error, end = await caller.ask(stream, faults, LONG)
    assert code_of(error) == end.code == "stream_outgrown"
    assert (end.limit, end.extensions, await events_of(ending)) == ("", 0, 0)
    assert len(got.split()) < LONG
    if faults == PLAIN:
        assert (end.usage_source, end.cost_nano) == ("unknown", ASKED * NANO)
    else:
        assert end.usage_source == "estimated"
        assert ASKED * NANO < end.cost_nano == end.usage.output_tokens * NANO


@pytest.mark.parametrize("faults", ["", "running-usage"])
async def test_a_stream_within_its_reservation_is_left_alone(ending: Gateway, stream: Stream, faults: str) -> None:
    got, error, end = await Caller(ending, "rich").ask(stream, faults, LONG)
    assert error is None
    assert (len(got.split()), end.extensions, end.usage_source) == (ASKED, 0, "provider")


async def test_what_is_reserved_for_a_stream_counts_in_limits_of_tokens(gateway: Gateway, stream: Stream) -> None:
    app = f"limited-{stream.__name__}"
    caller = Caller(gateway, app)
    _, error, end = await caller.ask(stream, REPORTING, LONG)
    assert code_of(error) == "stream_outgrown"
    assert end.limit == "tpm"
    assert end.usage.output_tokens > TOKENS


async def test_what_costs_nothing_is_extended_too(extending: Gateway, stream: Stream) -> None:
    got, error, end = await Caller(extending, "rich").ask(stream, REPORTING, LONG, "free")
    assert (len(got.split()), error, end.cost_nano) == (LONG, None, 0)
    assert end.extensions > 0


async def test_after_a_hang_up_all_that_was_reserved_stays_spent(gateway: Gateway) -> None:
    caller, since = Caller(gateway, "rich"), await last_seq(gateway)
    before = caller.spent()
    client = await RawClient.connect(gateway.base_url)
    order = f"fault: {REPORTING} chunk=64 hang=90\nwords: {LONG}"
    await client.send(post(CHAT, caller.key, prompt(order, stream=True, max_tokens=ASKED)))
    await eventually(lambda: caller.spent() - before > 2 * ASKED * NANO)
    client.reset()
    end = await caller.end(since)
    assert (end.code, end.usage_source) == ("client_disconnected", "estimated")
    assert caller.spent() - before == end.cost_nano == end.extended_nano > 2 * ASKED * NANO


async def test_a_whole_answer_that_exceeds_its_ceiling_is_an_overrun_and_is_recorded(extending: Gateway) -> None:
    caller, since = Caller(extending, "rich"), await last_seq(extending)
    before = caller.spent()
    client = await RawClient.connect(extending.base_url)
    body = prompt(f"fault: {PLAIN}\nwords: {LONG}", stream=False, max_tokens=ASKED)
    await client.send(post(CHAT, caller.key, body))
    status, _, _ = await client.answer()
    await client.close()
    end = await caller.end(since)
    assert (status, end.extensions, end.usage_source) == (200, 0, "provider")
    assert caller.spent() - before == end.cost_nano == LONG * NANO
    metrics = extending.app.telemetry.scrape().decode()
    assert 'gptgate_ceiling_overruns_total{model="sim-gpt"}' in metrics


async def test_metrics_count_what_became_of_them(extending: Gateway) -> None:
    before = outgrown(extending)
    await Caller(extending, "rich").ask(by_openai, REPORTING, LONG)
    await Caller(extending, "tight-metrics").ask(by_openai, REPORTING, VERY_LONG)
    after = outgrown(extending)
    assert [now - then for now, then in zip(after, before, strict=True)] == [1.0, 1.0]


def outgrown(gateway: Gateway) -> list[float]:
    """Streams that were extended, and that were ended."""
    counts = dict.fromkeys(("extended", "ended"), 0.0)
    for line in gateway.app.telemetry.scrape().decode().splitlines():
        for outcome in counts:
            if line.startswith(f'gptgate_streams_outgrown_total{{model="sim-gpt",outcome="{outcome}"}}'):
                counts[outcome] = float(line.split()[-1])
    return [counts["extended"], counts["ended"]]
