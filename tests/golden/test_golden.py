"""Wire fixtures of both dialects go through the gateway byte for byte; where a rule cuts, only the cut value differs.

A fixture is a request (``NAME.request.json``) with the provider's answer to it (``NAME.answer.json``, with its status
where that is not 200, or ``NAME.answer.sse``). A new pair of files is a new test.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gptgate.core.document import read_object
from gptgate.core.facts import ChatRequest, Permit, RawRequest
from gptgate.core.finding import Path as Place
from gptgate.core.finding import Segment
from gptgate.core.snapshot import ModelSpec, ProviderKind, ProviderSpec
from gptgate.core.wire import PATHS, Dialect, Endpoint
from gptgate.providers.registry import ADAPTERS
from harness import SERVER, Gateway, make_key, running_gateway
from probes import RawAnswer, RecordingSimulator, Scripted, http_request, send_raw

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIXTURES = Path(__file__).parent / "fixtures"
EMAIL = "jane.doe@example.com"
CUT = "[redacted:pii.email]"
GROWING = ("", "content_block_delta")
"""Names of the events whose number may change."""
CONFIG = (
    SERVER
    + """\
providers:
  - {name: openai, kind: openai, base_url: "@SIMULATOR@/v1", credential: "env:GOLDEN_CREDENTIAL"}
  - {name: anthropic, kind: anthropic, base_url: "@SIMULATOR@", credential: "env:GOLDEN_CREDENTIAL"}
models:
  - {name: gpt-golden, provider: openai, price: free}
  - {name: embed-golden, provider: openai, price: free}
  - {name: claude-golden, provider: anthropic, price: free}
teams: [{name: demo}]
apps:
  - {name: demo, team: demo}
  - {name: strict, team: demo}
policy:
  rules:
    - {id: cut-asked, stage: request, effect: redact, findings: [pii.email]}
    - {id: cut-answered, stage: response, effect: redact, findings: [pii.email], apps: [strict]}
"""
)


@dataclass(frozen=True)
class Fixture:
    """A request and its answer."""

    name: str
    path: str
    request: bytes
    answer: bytes
    status: int
    stream: bool

    @property
    def endpoint(self) -> Endpoint:
        return PATHS[self.path][0]

    @property
    def dialect(self) -> Dialect:
        return PATHS[self.path][2]

    def scripted(self, answer: bytes | None = None) -> Scripted:
        """The provider's answer; a stream comes in pieces that are cut anywhere."""
        data = self.answer if answer is None else answer
        kind = b"text/event-stream" if self.stream else b"application/json"
        chunks = [data[start : start + 61] for start in range(0, len(data), 61)] if self.stream else [data]
        return Scripted(self.status, [(b"content-type", kind)], chunks)


def _fixtures() -> list[Fixture]:
    found = []
    paths = {"embeddings": "/v1/embeddings", "count-tokens": "/v1/messages/count_tokens"}
    whole = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
    for request in sorted(FIXTURES.glob("*/*.request.json")):
        name = request.name.removesuffix(".request.json")
        [answer] = request.parent.glob(f"{name}.answer.*")
        parts = answer.name.split(".")
        status = int(parts[2]) if parts[2].isdigit() else 200
        path = paths.get(name) or whole[request.parent.name]
        found.append(Fixture(name, path, request.read_bytes(), answer.read_bytes(), status, stream=parts[-1] == "sse"))
    return found


ALL = _fixtures()
WHOLE = [fixture for fixture in ALL if not fixture.stream]
STREAMS = [fixture for fixture in ALL if fixture.stream]


def by_name(fixture: Fixture) -> str:
    return fixture.name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> RecordingSimulator:
    return RecordingSimulator()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, provider: RecordingSimulator) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOLDEN_CREDENTIAL", "sk-credential")
        async with running_gateway(folder, CONFIG, simulator=provider) as running:
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict_key(gateway: Gateway) -> str:
    key = make_key(gateway.folder, app="strict")
    gateway.app.load_keys()
    return key


async def ask(gateway: Gateway, fixture: Fixture, body: bytes, key: str = "") -> RawAnswer:
    headers = [("x-api-key", key or gateway.key), ("content-type", "application/json")]
    return await send_raw(gateway.base_url, http_request("POST", fixture.path, headers, body))


@pytest.mark.parametrize("fixture", ALL, ids=by_name)
async def test_request_and_answer_pass_byte_for_byte(
    gateway: Gateway, provider: RecordingSimulator, fixture: Fixture
) -> None:
    provider.scripted.append(fixture.scripted())
    answer = await ask(gateway, fixture, fixture.request)
    assert answer.status == fixture.status
    assert provider.seen[-1].path == fixture.path
    assert provider.seen[-1].body == fixture.request
    assert answer.body == fixture.answer


def spans_of(text: str) -> dict[Place, tuple[int, int]]:
    """Where each value of a JSON text stands, by its place, in the order of the text. No code of the gateway's."""
    found: dict[Place, tuple[int, int]] = {}
    decoder = json.JSONDecoder()

    def skip(at: int) -> int:
        while text[at : at + 1] in (" ", "\t", "\r", "\n"):
            at += 1
        return at

    def walk(at: int, place: Place) -> int:
        end = decoder.raw_decode(text, at)[1]
        found[place] = (at, end)
        closing = {"{": "}", "[": "]"}.get(text[at])
        if closing is None:
            return end
        inner, index = skip(at + 1), 0
        while text[inner] != closing:
            step: str | int = index
            if closing == "}":
                step, inner = scanstring(text, inner + 1)
                inner = skip(skip(inner) + 1)
            inner = skip(walk(inner, (*place, step)))
            inner = skip(inner + 1) if text[inner] == "," else inner
            index += 1
        return end

    walk(skip(0), ())
    return found


def values_of(body: bytes) -> dict[Place, str]:
    """Each value as it is written."""
    text = body.decode()
    return {place: text[start:end] for place, (start, end) in spans_of(text).items()}


def replaced(body: bytes, place: Place, value: Any) -> bytes:
    """The text with the value at a place written anew and nothing else touched."""
    text = body.decode()
    start, end = spans_of(text)[place]
    return (text[:start] + json.dumps(value) + text[end:]).encode()


def check_only(before: bytes, after: bytes, places: set[Place], cut: Place, value: Any) -> None:
    """Nothing differs but the values at these places and the white space around what holds them."""
    old, new = values_of(before), values_of(after)
    inside = {place for place in old if any(place[: len(edited)] == edited for edited in places)}
    assert [place for place in new if place not in inside or place in places] == [
        place for place in old if place not in inside or place in places
    ], "places or their order"
    for place, raw in new.items():
        holds = any(edited[: len(place)] == place for edited in places)
        if place not in inside and not holds:
            assert raw == old[place], place
    assert json.loads(new[cut]) == value


def marked(segment: Segment) -> tuple[str, str]:
    """A text with an email address for a segment, and the same with the address cut out."""
    if segment.is_json:
        return json.dumps({"to": f"mail {EMAIL}", "n": 1}), json.dumps({"to": f"mail {CUT}", "n": 1})
    return f"{segment.text} {EMAIL} é", f"{segment.text} {CUT} é"


def read(fixture: Fixture) -> ChatRequest:
    raw = RawRequest(
        id="",
        endpoint=fixture.endpoint,
        dialect=fixture.dialect,
        headers={},
        body=fixture.request,
        peer="",
        at_ms=0,
        started_ns=0,
    )
    return ADAPTERS[fixture.endpoint].read(raw, read_object(fixture.request))


def request_segments(fixture: Fixture) -> list[Segment]:
    request = read(fixture)
    return [segment for segment in request.segments if is_text(segment, request.document)]


def answer_segments(fixture: Fixture) -> list[Segment]:
    document = read_object(fixture.answer)
    return [segment for segment in ADAPTERS[fixture.endpoint].decode(document).segments if is_text(segment, document)]


def is_text(segment: Segment, document: Any) -> bool:
    """Whether a segment is a string value that can be cut, and not a key, a number or the model's name."""
    if segment.is_key or segment.path in (("model",), ("service_tier",)):
        return False
    for step in segment.path:
        document = document[step]
    return isinstance(document, str)


@pytest.mark.parametrize("fixture", ALL, ids=by_name)
async def test_in_a_request_only_the_cut_value_differs(
    gateway: Gateway, provider: RecordingSimulator, fixture: Fixture
) -> None:
    """For every string of the request in turn."""
    segments = request_segments(fixture)
    assert segments
    for segment in segments:
        dirty, clean = marked(segment)
        body = replaced(fixture.request, segment.path, dirty)
        provider.scripted.append(fixture.scripted())
        answer = await ask(gateway, fixture, body)
        assert answer.status == fixture.status, answer.body
        check_only(body, provider.seen[-1].body, {segment.path}, segment.path, clean)


@pytest.mark.parametrize("fixture", WHOLE, ids=by_name)
async def test_in_an_answer_only_the_cut_value_differs(
    gateway: Gateway, provider: RecordingSimulator, strict_key: str, fixture: Fixture
) -> None:
    """For every string of the answer in turn; log-probabilities, which would tell the text again, go with it."""
    for segment in answer_segments(fixture):
        dirty, clean = marked(segment)
        body = replaced(fixture.answer, segment.path, dirty)
        provider.scripted.append(fixture.scripted(body))
        answer = await ask(gateway, fixture, fixture.request, strict_key)
        assert answer.status == fixture.status, answer.body
        places: set[Place] = {segment.path}
        if segment.path[0] == "choices":
            logprobs = (*segment.path[:2], "logprobs")
            if logprobs == segment.path[:3]:
                assert EMAIL.encode() not in answer.body
                continue
            if values_of(body).get(logprobs, "null") != "null":
                places.add(logprobs)
                assert values_of(answer.body)[logprobs] == "null"
        check_only(body, answer.body, places, segment.path, clean)


@pytest.mark.parametrize("fixture", STREAMS, ids=by_name)
async def test_a_stream_under_rules_says_the_same(
    gateway: Gateway, provider: RecordingSimulator, strict_key: str, fixture: Fixture
) -> None:
    """Text may move between events while it is held back; put together, nothing is lost, added or out of order."""
    provider.scripted.append(fixture.scripted())
    answer = await ask(gateway, fixture, fixture.request, strict_key)
    adapter = ADAPTERS[fixture.endpoint]
    before = adapter.stream(read(fixture), 1 << 20).feed(fixture.answer)
    after = adapter.stream(read(fixture), 1 << 20).feed(answer.body)

    def grown(events: list[Any]) -> dict[Any, str]:
        texts: dict[Any, str] = {}
        for event in events:
            for piece in event.pieces:
                texts[piece.channel] = texts.get(piece.channel, "") + piece.text
        return texts

    assert grown(after) == grown(before)
    frame = [event.name for event in before if event.name not in GROWING]
    assert [event.name for event in after if event.name not in GROWING] == frame
    assert answer.body[-40:] == fixture.answer[-40:]


async def test_without_being_asked_the_usage_chunk_and_nothing_else_is_taken_out(
    gateway: Gateway, provider: RecordingSimulator
) -> None:
    [fixture] = [fixture for fixture in STREAMS if fixture.dialect is Dialect.OPENAI]
    body = replaced(fixture.request, ("stream_options", "include_usage"), False)
    provider.scripted.append(fixture.scripted())
    answer = await ask(gateway, fixture, body)
    check_only(
        body, provider.seen[-1].body, {("stream_options", "include_usage")}, ("stream_options", "include_usage"), True
    )
    events = fixture.answer.split(b"\n\n")
    assert answer.body == b"\n\n".join(event for event in events if b'"usage":{' not in event)


async def test_another_name_upstream_changes_the_name_alone() -> None:
    for fixture in ALL:
        request = read(fixture)
        provider = ProviderSpec(
            name="p",
            kind=ProviderKind.OPENAI,
            base_url="",
            credential=None,
            connect_timeout_ms=1,
            first_byte_timeout_ms=1,
            idle_timeout_ms=1,
            retries=0,
            finish_on_disconnect=False,
        )
        model = ModelSpec(
            name=request.model,
            provider="p",
            upstream_name="deployment/7",
            context_window=0,
            max_output_tokens=1,
            price=None,
            location="cloud",
        )
        sent = ADAPTERS[fixture.endpoint].encode(Permit(request=request, edits={}), model, provider)
        check_only(fixture.request, sent, {("model",)}, ("model",), "deployment/7")
