"""The same secret in every place of an answer at which a provider can put a string: found, on record, and kept from the
caller. Both dialects, whole, as an error, and as a stream, where the texts that grow are also cut in the middle."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

import answer_places as answers
from gptgate.core.finding import Finding
from harness import APPS, SERVER, Gateway
from places import Place, filled, places, strings_under, value_at, written
from probes import RawAnswer, http_request, send_raw
from raw_client import CHAT, MESSAGES
from scripted_gateway import MODELS, PROVIDERS, gateway_of
from scripted_provider import ScriptedProvider, scripted, streamed, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "ghp_" + "a1B2c3" * 6
KIND = "secret.github"
MARK = f"[redacted:{KIND}]"
CONFIG = (
    SERVER
    + PROVIDERS
    + APPS
    + """\
policy:
  rules:
    - {id: redact-secrets, stage: response, effect: redact, findings: ["secret.*"]}
"""
)
WHOLE = {CHAT: (answers.CHAT, answers.CHAT_TOKENS), MESSAGES: (answers.MESSAGES,)}
ERRORS = {CHAT: answers.CHAT_ERROR, MESSAGES: answers.MESSAGES_ERROR}
EVENTS = {CHAT: answers.CHAT_EVENTS, MESSAGES: answers.MESSAGES_EVENTS}
IN_WHOLE = [(path, place) for path, templates in WHOLE.items() for place in places(*templates)]
IN_ERRORS = [(path, place) for path, template in ERRORS.items() for place in places(template)]
IN_STREAMS = [(path, place) for path, events in EVENTS.items() for place in places(*events)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with scripted([]) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> AsyncIterator[Gateway]:
    async with gateway_of(provider, tmp_path_factory.mktemp("gateway"), CONFIG) as running:
        yield running


async def hear(
    gateway: Gateway, provider: ScriptedProvider, path: str, script: list[bytes], stream: bool = False
) -> tuple[RawAnswer, tuple[Finding, ...]]:
    """What the caller gets of this answer, and the findings on record."""
    provider.scripts, provider.requests = [script], []
    document = {
        "model": MODELS[path],
        "max_tokens": 50,
        "stream": stream,
        **({"stream_options": {"include_usage": True}} if stream and path == CHAT else {}),
        "n": 3,
        "messages": [{"role": "user", "content": "hi"}],
    }
    request = http_request("POST", path, [("x-api-key", gateway.key)], json.dumps(document).encode())
    answer = await send_raw(gateway.base_url, request)
    await gateway.settled()
    assert len(provider.requests) == 1
    with gateway.reader() as reader:
        record = reader.show(answer.headers["x-request-id"])
    assert record is not None
    assert record.end is not None
    for kept in (record.answer_content or b"", record.request_content or b""):
        assert SECRET.encode() not in kept
    return answer, record.end.findings


def named(name: Any) -> str:
    return str(name).replace("/v1/", "")


def check_whole(answer: RawAnswer, findings: tuple[Finding, ...], place: Place, status: int) -> None:
    assert {(one.kind, one.place, one.origin) for one in findings} == {
        (KIND, place.pointer("[redacted]"), place.origin),
    }
    assert SECRET.encode() not in answer.body
    assert written(SECRET, place.form).encode() not in answer.body
    if place.is_key or place.path == ("model",):
        assert answer.status == 403
        return
    assert answer.status == status
    text = value_at(answer.document, place.path)
    assert json.loads(text) == {"note": MARK} if place.form == "json" else MARK in text


@pytest.mark.parametrize(("path", "place"), IN_WHOLE, ids=named)
async def test_a_whole_answer(gateway: Gateway, provider: ScriptedProvider, path: str, place: Place) -> None:
    body = json.dumps(filled(WHOLE[path][place.document], place, SECRET)).encode()
    check_whole(*await hear(gateway, provider, path, whole(body)), place, 200)


@pytest.mark.parametrize(("path", "place"), IN_ERRORS, ids=named)
async def test_an_error(gateway: Gateway, provider: ScriptedProvider, path: str, place: Place) -> None:
    body = json.dumps(filled(ERRORS[path], place, SECRET)).encode()
    check_whole(*await hear(gateway, provider, path, whole(body, b"400 Bad Request")), place, 400)


@pytest.mark.parametrize("path", EVENTS, ids=named)
async def test_what_holds_no_secret_passes(gateway: Gateway, provider: ScriptedProvider, path: str) -> None:
    for template in WHOLE[path]:
        body = json.dumps(filled(template, None, "")).encode()
        answer, findings = await hear(gateway, provider, path, whole(body))
        assert (answer.status, answer.body, findings) == (200, body, ())
    answer, findings = await hear(gateway, provider, path, script(path, None, ()), stream=True)
    assert findings == ()
    sent = b"".join(script(path, None, ()))
    # The tokens of a text that is still held back do not go out before it.
    assert answer.body.count(b"fine") == sent.count(b"fine") - sent.count(b'"logprobs"')


@pytest.mark.parametrize(("path", "place"), IN_STREAMS, ids=named)
async def test_a_stream(gateway: Gateway, provider: ScriptedProvider, path: str, place: Place) -> None:
    await check_stream(gateway, provider, path, place, (SECRET,))


GROWING = [
    (path, place) for path, place in IN_STREAMS if place.form.startswith("grows") and place.path[0] != "content_block"
]
"""A block of Anthropic's starts once: what follows is a delta."""


@pytest.mark.parametrize("at", [1, 4, 20, 39])
@pytest.mark.parametrize(("path", "place"), GROWING, ids=named)
async def test_a_stream_that_cuts_the_secret(
    gateway: Gateway, provider: ScriptedProvider, path: str, place: Place, at: int
) -> None:
    await check_stream(gateway, provider, path, place, (SECRET[:at], SECRET[at:]))


async def check_stream(
    gateway: Gateway, provider: ScriptedProvider, path: str, place: Place, pieces: tuple[str, ...]
) -> None:
    answer, findings = await hear(gateway, provider, path, script(path, place, pieces), stream=True)
    assert {one.kind for one in findings} == {KIND}
    assert {one.origin for one in findings} == {place.origin}
    name = "[redacted]" if place.is_key else place.path[-1]
    assert {one.place.rpartition("/")[2] for one in findings} == {str(name)}
    events = [
        json.loads(line[5:]) for line in answer.body.split(b"\n") if line[:5] == b"data:" and b"[DONE]" not in line
    ]
    assert SECRET not in strings_under(events, place.path[-1])
    assert SECRET.encode() not in answer.body
    assert written(SECRET, place.form).encode() not in answer.body
    if place.is_key or place.path == ("model",):
        assert b"redaction_impossible" in answer.body or b"permission_error" in answer.body
    elif "logprobs" in place.path:
        assert b'"logprobs": null' in answer.body or b'"logprobs":null' in answer.body
    else:
        assert MARK.encode() in answer.body


def script(path: str, place: Place | None, pieces: tuple[str, ...]) -> list[bytes]:
    """The stream with a text at one place, in one event or in as many as the text has pieces."""
    out: list[bytes] = []
    for number, template in enumerate(EVENTS[path]):
        if place is None or place.document != number:
            out.append(rendered(filled(template, None, "")))
        elif len(pieces) == 1:
            out.append(rendered(filled(template, place, pieces[0])))
        else:
            out += [rendered(event) for event in divided(template, place, pieces)]
    return streamed([*out, b"data: [DONE]\n\n"] if path == CHAT else out)


def divided(template: Any, place: Place, pieces: tuple[str, ...]) -> list[Any]:
    """One event for each piece. Of arguments the first begins the JSON text, and the last ends it."""
    is_json = place.form == "grows_json"
    made = []
    for number, piece in enumerate(pieces):
        event = filled(template, place, "")
        head = '{"note": "' if is_json and number == 0 else ""
        tail = '"}' if is_json and number == len(pieces) - 1 else ""
        value_at(event, place.path[:-1])[place.path[-1]] = head + piece + tail
        made.append(event)
    return made


def rendered(event: dict[str, Any]) -> bytes:
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()
