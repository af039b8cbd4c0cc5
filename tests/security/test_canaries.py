"""Canary secrets, each in a place of its own, sent through every endpoint and back by a provider: afterwards no log
line, metric, error or record holds one, except the contents that the configuration says to keep in full; and those are
sealed, so that no file, export or sink holds one in clear.
"""

import asyncio
import base64
import io
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pyarrow import parquet

from gptgate.cli.main import execute
from gptgate.core.wire import PATHS, Dialect, Endpoint
from gptgate.telemetry.log import get_logger
from harness import SERVER, Gateway, make_key, running_gateway
from probes import RawAnswer, RecordingSimulator, Scripted, http_request, last_seq, records_of, send_raw
from sink_servers import Received, collector, syslog, webhook
from waiting import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEEPING = ("none", "redacted", "full")
POSTS = [path for path, (_, method, _) in PATHS.items() if method == "POST"]
CONFIG = (
    SERVER
    + """\
providers:
  - {name: openai, kind: openai, base_url: "@SIMULATOR@/v1", credential: "env:CANARY_CREDENTIAL", retries: 0}
  - {name: anthropic, kind: anthropic, base_url: "@SIMULATOR@", credential: "env:CANARY_CREDENTIAL", retries: 0}
models:
  - {name: for-openai, provider: openai, price: free}
  - {name: for-anthropic, provider: anthropic, price: free}
teams: [{name: demo}]
apps:
  - {name: demo, team: demo}
"""
    + "".join(f"  - {{name: keeps-{keeping}, team: demo, content: {keeping}}}\n" for keeping in KEEPING)
    + """\
policy:
  rules:
    - {id: see-everything, stage: request, effect: flag, findings: ["*"]}
    - {id: cut-answers, stage: response, effect: redact, findings: ["secret.*"]}
"""
)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


MESSAGES = io.StringIO()
"""What the gateway tells its operator; it would go to a standard error that no fixture of a test catches."""
CANARIES: list[str] = []
"""All that were sent."""


def canary() -> str:
    """A new secret in the form of an OpenAI key."""
    CANARIES.append("sk-proj-" + "".join(secrets.choice(_ALPHABET) for _ in range(48)))
    return CANARIES[-1]


CREDENTIAL = canary()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> RecordingSimulator:
    return RecordingSimulator(keys=[CREDENTIAL])


@pytest.fixture(scope="module")
def receivers() -> Iterator[dict[str, Received]]:
    with webhook() as hook, syslog() as server, collector() as otel:
        yield {"hook": hook, "syslog": server, "otel": otel}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    tmp_path_factory: pytest.TempPathFactory, provider: RecordingSimulator, receivers: dict[str, Received]
) -> AsyncIterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gptgate.compose.get_logger", lambda: get_logger(MESSAGES))
        patch.setenv("CANARY_CREDENTIAL", CREDENTIAL)
        folder = tmp_path_factory.mktemp("gateway")
        config = f"""{CONFIG}sinks:
  - {{name: archive, to: "file:{folder}/archive.jsonl"}}
  - {{name: hook, to: "{receivers["hook"].url}"}}
  - {{name: syslog, to: "{receivers["syslog"].url}"}}
  - {{name: otel, to: "otlp+{receivers["otel"].url}"}}
"""
        async with running_gateway(folder, config, simulator=provider) as running:
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def keys(gateway: Gateway) -> dict[str, str]:
    made = {keeping: make_key(gateway.folder, app=f"keeps-{keeping}") for keeping in KEEPING}
    gateway.app.load_keys()
    return made


def request_with(path: str, place: str, secret: str) -> tuple[bytes, list[tuple[str, str]]]:
    """A request that holds the secret in one place; its body and more headers."""
    endpoint, _, dialect = PATHS[path]
    document: dict[str, Any] = {"model": f"for-{dialect.value}"}
    text = f"here it is: {secret} and more"
    messages: list[dict[str, Any]] = [{"role": "user", "content": text if place == "text" else "hi"}]
    if endpoint is Endpoint.EMBEDDINGS:
        document["input"] = [text if place == "text" else "hi"]
    else:
        document["messages"] = messages
    if endpoint in (Endpoint.CHAT, Endpoint.MESSAGES):
        document["max_tokens"] = 10
    headers: list[tuple[str, str]] = []
    match place:
        case "unknown field":
            document["x_note"] = {"deep": [text]}
        case "key":
            document["x_note"] = {"deep": {secret: {"below": [text]}}}
        case "end user":
            document |= {"user": secret} if dialect is Dialect.OPENAI else {"metadata": {"user_id": secret}}
        case "end user, refused early":
            document |= {"user": secret} if dialect is Dialect.OPENAI else {"metadata": {"user_id": secret}}
            document["model"] = "no-such-model"
        case "end user by header":
            headers.append(("x-gptgate-end-user", secret))
        case "end user by header, malformed body":
            return b"{", [("x-gptgate-end-user", secret)]
        case "trace":
            headers += [("traceparent", secret), ("tracestate", f"a={secret}")]
        case "model":
            document["model"] = secret
        case "wrong type":
            document["model"] = {secret: secret}
        case "malformed body":
            return json.dumps(document).encode()[:-1] + f', "x": "{secret}'.encode(), []
        case "not UTF-8":
            return json.dumps(document).encode()[:-1] + f', "x": "{secret}'.encode() + b'\xff"}', []
        case "tool":
            document["tools"] = [{"name": "f", "description": text, "input_schema": {secret: 1}}]
        case "tool call":
            call = {"id": secret, "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": secret})}}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
    return json.dumps(document).encode(), headers


PLACES = [
    "text",
    "unknown field",
    "key",
    "end user",
    "end user, refused early",
    "end user by header",
    "end user by header, malformed body",
    "trace",
    "model",
    "wrong type",
    "malformed body",
    "not UTF-8",
    "tool",
    "tool call",
]


def sinks(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> bytes:
    """Everything the gateway has written but its database: log lines, metrics, standard output and error."""
    gateway.app.telemetry.flush()
    out, err = capfd.readouterr()
    messages = MESSAGES.getvalue().encode()
    return gateway.lines.getvalue() + gateway.app.telemetry.scrape() + messages + out.encode() + err.encode()


def database(folder: Path) -> bytes:
    """The bytes of the store's files, the write-ahead log among them."""
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file() and "gptgate" in file.name)


async def ask(gateway: Gateway, path: str, key: str, body: bytes, headers: list[tuple[str, str]]) -> RawAnswer:
    credential = [("authorization", f"Bearer {key}")]
    return await send_raw(gateway.base_url, http_request("POST", path, [*credential, *headers], body))


@pytest.mark.parametrize("keeping", KEEPING)
@pytest.mark.parametrize("place", PLACES)
async def test_a_secret_in_a_request_is_kept_nowhere_but_in_full_contents(
    gateway: Gateway, keys: dict[str, str], capfd: pytest.CaptureFixture[str], place: str, keeping: str
) -> None:
    since = await last_seq(gateway)
    secret = canary()
    for path in POSTS:
        body, headers = request_with(path, place, secret)
        await ask(gateway, path, keys[keeping], body, headers)
    records = await records_of(gateway, since)
    assert len(records) == len(POSTS)
    assert secret.encode() not in sinks(gateway, capfd)
    for record in records:
        facts = repr(record.intent) + repr(record.end)
        assert secret not in facts
        kept = record.request_content or b""
        if keeping == "full":
            in_body = secret.encode() in request_with(_path_of(record.intent.endpoint), place, secret)[0]
            assert (secret.encode() in kept) == in_body
        else:
            assert secret.encode() not in kept
    assert secret.encode() not in database(gateway.folder)


def _path_of(endpoint: str) -> str:
    return next(path for path, (known, _, _) in PATHS.items() if known.value == endpoint)


def answer_with(path: str, place: str, secret: str) -> Scripted:
    """A provider's answer that holds the secret in one place."""
    text = f"here it is: {secret} and more"
    anthropic = PATHS[path][2] is Dialect.ANTHROPIC
    if place.startswith("status"):
        error: dict[str, Any] = {"message": text, "type": "invalid_request_error", "param": None, "code": None}
        document: dict[str, Any] = {"error": error, "debug": {"key": secret}}
        if anthropic:
            document["type"] = "error"
        return Scripted(int(place.split()[1]), chunks=[json.dumps(document).encode()])
    if place == "plain text":
        return Scripted(500, [(b"content-type", b"text/plain")], [text.encode()])
    if place == "malformed":
        return Scripted(200, chunks=[f'{{"x": "{text}'.encode()])
    if anthropic:
        usage: dict[str, Any] = {"input_tokens": 1, "output_tokens": 1}
        document = {"type": "message", "model": "m", "content": [{"type": "text", "text": "hi"}], "usage": usage}
        if place == "text":
            document["content"][0]["text"] = text
    else:
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        document = {"model": "m", "choices": [{"index": 0, "message": {"content": "hi"}}], "usage": usage}
        if place == "text":
            document["choices"][0]["message"]["content"] = text
    document |= {"model": secret} if place == "model" else {}
    document |= {"id": secret} if place == "id" else {}
    document |= {"x": {secret: [text]}} if place == "key" else {}
    return Scripted(chunks=[json.dumps(document).encode()])


ANSWERS = ["text", "model", "id", "key", "malformed", "plain text"]
ANSWERS += [f"status {status}" for status in (400, 401, 403, 404, 413, 422, 429, 500, 503, 529)]


@pytest.mark.parametrize("keeping", KEEPING)
@pytest.mark.parametrize("place", ANSWERS)
async def test_a_secret_in_an_answer_gets_no_further(
    gateway: Gateway,
    keys: dict[str, str],
    provider: RecordingSimulator,
    capfd: pytest.CaptureFixture[str],
    place: str,
    keeping: str,
) -> None:
    """The same secret is the provider's credential's, as providers quote it in their errors."""
    since = await last_seq(gateway)
    secret = canary()
    told = b""
    for path in POSTS:
        for asked in (secret, CREDENTIAL):
            provider.scripted.append(answer_with(path, place, asked))
            body, _ = request_with(path, "nowhere", "")
            answer = await ask(gateway, path, keys[keeping], body, [])
            told += answer.body + repr(answer.headers).encode()
    records = await records_of(gateway, since)
    assert len(records) == 2 * len(POSTS)
    written = sinks(gateway, capfd)
    for forbidden in (secret.encode(), CREDENTIAL.encode()):
        assert forbidden not in told
        assert forbidden not in written
        for record in records:
            assert forbidden.decode() not in repr(record.intent) + repr(record.end)
            if keeping != "full":
                assert forbidden not in (record.answer_content or b"")
    assert secret.encode() not in database(gateway.folder)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("keeping", KEEPING)
@pytest.mark.parametrize("place", ["text", "model", "id", "fingerprint", "error"])
async def test_a_secret_in_a_stream_gets_no_further(
    gateway: Gateway,
    keys: dict[str, str],
    provider: RecordingSimulator,
    capfd: pytest.CaptureFixture[str],
    path: str,
    place: str,
    keeping: str,
) -> None:
    since = await last_seq(gateway)
    secret = canary()
    events = stream_with(path, place, secret)
    provider.scripted.append(Scripted(headers=[(b"content-type", b"text/event-stream")], chunks=events))
    body = json.loads(request_with(path, "nowhere", "")[0])
    answer = await ask(gateway, path, keys[keeping], json.dumps({**body, "stream": True}).encode(), [])
    [record] = await records_of(gateway, since)
    assert secret.encode() not in answer.body + repr(answer.headers).encode()
    assert secret.encode() not in sinks(gateway, capfd)
    assert secret not in repr(record.intent) + repr(record.end)
    if keeping != "full":
        assert secret.encode() not in (record.answer_content or b"")
        assert secret.encode() not in database(gateway.folder)
    elif place == "text":
        assert secret.encode() in (record.answer_content or b"")


def stream_with(path: str, place: str, secret: str) -> list[bytes]:
    """The events of a stream; the text comes in pieces of five characters."""
    text = f"here it is: {secret} and more" if place == "text" else "hello there, all of you"
    pieces = [text[start : start + 5] for start in range(0, len(text), 5)]
    name = secret if place == "model" else "m"
    number = secret if place == "id" else "id"
    if path == "/v1/messages":
        start = {"id": number, "type": "message", "role": "assistant", "model": name, "content": []}
        documents: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**start, "x_fingerprint": secret if place == "fingerprint" else ""}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        ]
        for piece in pieces:
            delta = {"type": "text_delta", "text": piece}
            documents.append({"type": "content_block_delta", "index": 0, "delta": delta})
        if place == "error":
            documents.append({"type": "error", "error": {"type": "api_error", "message": secret}})
        documents += [{"type": "content_block_stop", "index": 0}, {"type": "message_stop"}]
        return [b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in documents]
    head = {"id": number, "model": name, "system_fingerprint": secret if place == "fingerprint" else "fp"}
    documents = [{**head, "choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    if place == "error":
        documents.append({"error": {"message": secret}})
    return [b"data: " + json.dumps(one).encode() + b"\n\n" for one in documents] + [b"data: [DONE]\n\n"]


async def test_the_gateways_own_keys_are_written_nowhere(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """Not even where a caller puts a key into the prompt by mistake, or presents one that is not valid."""
    key = make_key(gateway.folder, app="keeps-redacted")
    gateway.app.load_keys()
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    told = b""
    for path in POSTS:
        body, headers = request_with(path, "text", key)
        for credential in (key, wrong, "Bearer " + key):
            answer = await ask(gateway, path, credential, body, headers)
            told += answer.body + repr(answer.headers).encode()
    await gateway.settled()
    secret = key.split("-")[3].encode()
    assert len(secret) == 43
    assert secret not in told
    assert secret not in sinks(gateway, capfd)
    assert secret not in database(gateway.folder)


async def test_the_credential_is_written_nowhere(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """After everything above: in no file of the data folder, and in no representation of what holds it."""
    assert CREDENTIAL.encode() not in sinks(gateway, capfd)
    for record in await records_of(gateway):
        if record.intent.app != "keeps-full":
            assert CREDENTIAL not in repr(record)
    assert CREDENTIAL.encode() not in gateway.app.config.read_bytes()
    assert CREDENTIAL not in repr(gateway.app.snapshot)
    assert CREDENTIAL not in repr(vars(gateway.app._upstream))


@pytest.mark.parametrize("where", ["inspect_request", "enforce"])
async def test_a_defect_that_quotes_a_request_is_told_of_by_its_place(
    gateway: Gateway,
    keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    where: str,
) -> None:
    secret = canary()

    def fail(*_: object) -> None:
        raise UnicodeEncodeError("utf-8", f"key {secret}", 0, 1, f"in {secret}")

    monkeypatch.setattr(f"gptgate.pipeline.gate.{where}", fail)
    told = b""
    for path in POSTS:
        answer = await ask(gateway, path, keys["none"], *request_with(path, "text", secret))
        assert answer.status == 500
        told += answer.body + repr(answer.headers).encode()
    written = sinks(gateway, capfd)
    assert b"UnicodeEncodeError in " in written, "it is told of"
    assert b"test_canaries.py:" in written
    assert secret.encode() not in told + written + database(gateway.folder)


async def test_no_file_no_export_and_no_sink_holds_any_of_them(
    gateway: Gateway,
    receivers: dict[str, Received],
    keys: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After everything above: also not those that the configuration says to keep in full, which are sealed."""
    monkeypatch.setattr("gptgate.storage.queries.INDEX_FROM", 0)
    for path in POSTS:
        await ask(gateway, path, keys["full"], *request_with(path, "text", canary()))
    records = await records_of(gateway)
    assert [one for one in records if one.intent.app == "keeps-full" and one.request_content], "some were kept"
    last = gateway.app.store.stats().log_size
    async with asyncio.timeout(PATIENCE_S):
        while any(sink["position"] < max(last, 2 * len(records)) for sink in gateway.app.status()["sinks"].values()):  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
    data = ["--data", str(gateway.folder)]
    for output in ("jsonl", "csv"):
        assert execute(["audit", "export", "--format", output, "--out", str(tmp_path / output), *data]) == 0
    assert execute(["audit", "search", "--app", "keeps-full", "--limit", "1000", *data]) == 0
    for record in records[:: max(1, len(records) // 20)]:
        assert execute(["audit", "trace", record.intent.id, *data]) == 0
        assert execute(["audit", "show", record.intent.id, *data]) == 0
        assert execute(["audit", "prove", record.intent.id, "--out", str(tmp_path / record.intent.id), *data]) == 0
    assert execute(["audit", "export", "--format", "parquet", "--out", str(tmp_path / "parts"), *data]) == 0
    assert execute(["usage", "--by", "end_user,session", *data]) == 0
    files = [path for folder in (gateway.folder, tmp_path) for path in folder.rglob("*") if path.is_file()]
    assert {"archive.jsonl", "search.db", "jsonl", "csv", "checkpoint", "gptgate.db"} <= {path.name for path in files}
    everything = b"".join(path.read_bytes() for path in files) + sinks(gateway, capfd)
    assert b'"type":"intent"' in everything
    # What is compressed or encoded in its file is read as its readers do.
    tables = [parquet.read_table(path).to_pylist() for path in files if path.suffix == ".parquet"]
    assert sum(map(len, tables)) >= last
    everything += repr(tables).encode()
    proofs = re.findall(rb"extra ([A-Za-z0-9+/=]+)", everything)
    everything += b"".join(map(base64.b64decode, proofs))
    assert len(proofs) > 20
    for name, received in receivers.items():
        brought = b"".join(received.wait_for(max(last, 2 * len(records)))) + repr(received.headers).encode()
        assert brought.count(b'"type":"intent"') >= len(records), name
        everything += brought
    assert [secret for secret in CANARIES if secret.encode() in everything] == []
