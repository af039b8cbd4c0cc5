"""What attackers and researchers found in other gateways, by symptom. Each comment names the advisories."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from gptgate.admin.app import ApplyResult, build_admin
from gptgate.auth import keys as key_form
from gptgate.auth.keys import generate, parse
from gptgate.cli.main import execute
from gptgate.core.wire import PATHS
from gptgate.storage.folder import admin_token
from harness import APPS, PROVIDERS, SERVER, Gateway, running_gateway, write_config
from probes import RawAnswer, RecordingSimulator, http_request, last_seq, records_of, send_raw
from raw_client import CHAT, MESSAGES, post, prompt
from scripted_provider import scripted, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET_OF_THE_GUARD = "a-credential-of-no-kind-for-the-guard"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def provider() -> RecordingSimulator:
    return RecordingSimulator()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, provider: RecordingSimulator) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    async with running_gateway(folder, SERVER + PROVIDERS + APPS, simulator=provider) as running:
        yield running


async def ask(gateway: Gateway, key: str, text: str = "echo: hi", path: str = CHAT, *headers: str) -> RawAnswer:
    return await send_raw(gateway.base_url, post(path, key, prompt(text, path=path, stream=False), *headers))


def signed(body: str) -> str:
    """A key's text with the right checksum, whatever stands before it."""
    return f"{body}-{key_form._checksum(body)}"


def refused(answer: RawAnswer) -> bool:
    return (answer.status, answer.headers["x-gptgate-error"]) == (401, "invalid_api_key")


SQL = ["' OR '1'='1", "'; DROP TABLE keys; --", '" OR ""="', "%", "_" * 12, "x' UNION SELECT * FROM keys --"]


# GHSA-r75f-5x8p-qvmc (CVE-2026-42208): SQL in a key is run before anybody knows whose the key is.
@pytest.mark.parametrize("text", SQL)
async def test_sql_in_a_key_is_run_before_anybody_is_known(gateway: Gateway, text: str) -> None:
    known = parse(gateway.key)
    assert known is not None
    statements: list[str] = []
    connection: sqlite3.Connection = gateway.app._key_store._connection
    connection.set_trace_callback(statements.append)
    try:
        for key in (
            text,
            f"sk-gate-{text}",
            signed(f"sk-gate-{text}-{known.secret}"),
            signed(f"sk-gate-{known.id}{text}-{known.secret}"),
            signed(f"sk-gate-{known.id}-{text}"),
            generate(b"of-the-right-form" * 3).text,
        ):
            assert refused(await ask(gateway, key)), key
    finally:
        connection.set_trace_callback(None)
    assert not [one for one in statements if "data_version" not in one]
    assert (await ask(gateway, gateway.key)).status == 200


# GHSA-jjhc-v7c2-5hh6 (CVE-2026-35030): who was let in is remembered by the first letters of what he showed.
async def test_a_key_that_begins_like_another_opens_what_that_one_opens(gateway: Gateway) -> None:
    known = parse(gateway.key)
    assert known is not None
    for _ in range(2):
        assert (await ask(gateway, gateway.key)).status == 200
        for length in range(len(known.secret)):
            other = known.secret[:length] + "".join("b" if char == "a" else "a" for char in known.secret[length:])
            assert refused(await ask(gateway, signed(f"sk-gate-{known.id}-{other}"))), length


# GHSA-69x8-hrgq-fjj8: what is stored of a secret opens what the secret opens.
async def test_the_hash_of_a_key_opens_what_the_key_opens(gateway: Gateway) -> None:
    known = parse(gateway.key)
    assert known is not None
    stored = key_form.hash_secret(known.secret)
    shortened = stored.hex()[: len(known.secret)]
    for key in (stored.hex(), f"sk-gate-{known.id}-{stored.hex()}", signed(f"sk-gate-{known.id}-{shortened}")):
        assert refused(await ask(gateway, key))
    assert known.secret.encode() not in b"".join(file.read_bytes() for file in gateway.folder.glob("gptgate.*"))


# GHSA-53mr-6c8q-9789 (CVE-2026-35029): who may call a model may change the configuration too.
async def test_a_caller_s_key_gives_orders_to_the_control_plane(gateway: Gateway) -> None:
    applied: list[str] = []

    async def apply() -> ApplyResult:
        applied.append("")
        return ApplyResult(digest="", changed=True)

    admin = build_admin(
        token=admin_token(gateway.folder),
        readiness=gateway.app.readiness,
        metrics=gateway.app.telemetry.scrape,
        apply_config=apply,
        refresh_keys=gateway.app.refresh_keys,
        status=gateway.app.status,
    )
    transport = httpx2.ASGITransport(admin)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for headers in ({"authorization": f"Bearer {gateway.key}"}, {"x-api-key": gateway.key}):
            for method, path in (
                ("POST", "/admin/v1/config/apply"),
                ("POST", "/admin/v1/keys/refresh"),
                ("GET", "/admin/v1/status"),
            ):
                assert (await client.request(method, path, headers=headers)).status_code == 401
    for path in ("/admin/v1/config/apply", "/config/update", "/admin/v1/keys/refresh"):
        answer = await send_raw(gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], b"{}"))
        assert answer.status == 404
    assert applied == []


# GHSA-4xpc-pv4p-pm3w (CVE-2026-49468): a name in a header takes the place of a key.
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "gateway.internal", "", "localhost/health?"])
async def test_a_host_header_opens_what_a_key_opens(gateway: Gateway, name: str) -> None:
    for path, (_, method, _) in PATHS.items():
        for header in ("host", "x-forwarded-host", "x-forwarded-for", "x-original-url", "x-forwarded-prefix"):
            given = [("host", "gateway"), (header, name)] if header != "host" else [("host", name)]
            body = prompt("hi", path=path) if method == "POST" else b""
            answer = await send_raw(gateway.base_url, http_request(method, path, given, body))
            assert (answer.status, answer.headers["x-gptgate-error"]) == (401, "missing_api_key")


TEMPLATES = ["{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{0.__class__.__mro__}", "%(x)s %n", "$(id)", "`id`"]


# GHSA-xqmj-j6mv-4862, GHSA-46cm-pfwv-cgf8 (CVE-2024-2952): a text of a caller is run as a template.
@pytest.mark.parametrize("text", TEMPLATES)
async def test_a_text_of_a_caller_is_run_as_a_template(
    gateway: Gateway, provider: RecordingSimulator, text: str
) -> None:
    since = await last_seq(gateway)
    for path in (CHAT, MESSAGES):
        body = json.loads(prompt(f"echo: {text}", path=path, stream=False, max_tokens=1000, user=text))
        answer = await send_raw(
            gateway.base_url, post(path, gateway.key, json.dumps(body).encode(), f"x-gptgate-session: {text}")
        )
        assert answer.status == 200
        assert json.loads(provider.seen[-1].body) == body
        said = answer.document["choices"][0]["message"] if path == CHAT else answer.document["content"][0]
        assert said["content" if path == CHAT else "text"] == text
        unknown = await send_raw(
            gateway.base_url, post(path, gateway.key, json.dumps({**body, "model": text}).encode())
        )
        assert unknown.status == 404
        assert text in unknown.document["error"]["message"]
    assert [record.intent.session for record in await records_of(gateway, since) if record.intent.provider] == [
        text
    ] * 2


# litellm issue 31620: a key that is made or exchanged is in the audit log as it is.
async def test_a_new_key_is_in_the_audit_log_as_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_config(tmp_path, SERVER + PROVIDERS + APPS, simulator="http://127.0.0.1:1")
    data = ["--data", str(tmp_path)]
    assert execute(["keys", "create", "--app", "demo", "--quiet", *data]) == 0
    first = parse(capfd.readouterr().out.strip())
    assert first is not None
    assert execute(["keys", "rotate", first.id, "--quiet", *data]) == 0
    second = parse(capfd.readouterr().out.strip())
    assert second is not None
    assert execute(["audit", "events", "--format", "json", *data]) == 0
    told = capfd.readouterr()
    assert first.id in told.out
    assert second.id in told.out
    for secret in (first.secret, second.secret):
        assert not [
            text for text in (told.out.encode(), told.err.encode(), *contents(tmp_path)) if secret.encode() in text
        ]


def contents(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


# litellm issue 20240, and an incident of 2026 with its guards: what a guard is told or writes down holds credentials.
@pytest.mark.parametrize("works", [True, False])
async def test_a_guard_writes_credentials_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], works: bool
) -> None:
    monkeypatch.setenv("GUARDS_SECRET", SECRET_OF_THE_GUARD)
    rules = "policy: {rules: [{id: hate, stage: request, effect: deny, findings: [external.mod.hate]}]}\n"
    said = json.dumps({"labels": []} if works else {"error": SECRET_OF_THE_GUARD}).encode()
    async with scripted(whole(said)) as guard:
        spec = f'name: mod, kind: webhook, base_url: "{guard.base_url}", labels: [hate], credential: env:GUARDS_SECRET'
        config = (
            f"{SERVER}{PROVIDERS}apps: [{{name: demo, team: demo, content: full}}]\nclassifiers: [{{{spec}}}]\n{rules}"
        )
        async with running_gateway(tmp_path, config) as gateway:
            answer = await ask(gateway, gateway.key, "echo: hi", CHAT, f"authorization: Bearer {gateway.key}")
            assert answer.status == (200 if works else 503)
            await gateway.settled()
            gateway.app.telemetry.flush()
            written = [gateway.lines.getvalue(), gateway.app.telemetry.scrape(), answer.body, *guard.requests]
            written.append(repr(await records_of(gateway)).encode())
    known = parse(gateway.key)
    assert known is not None
    written += [text.encode() for text in capfd.readouterr()] + contents(tmp_path)
    assert guard.requests
    for secret in (known.secret, SECRET_OF_THE_GUARD):
        assert not [text for text in written if secret.encode() in text]


FRAMINGS = [
    "content-length: {size}\r\ntransfer-encoding: chunked",
    "content-length: 3\r\ntransfer-encoding: chunked",
    "transfer-encoding: xchunked\r\ncontent-length: {size}",
    "transfer-encoding: chunked, identity",
    "transfer-encoding : chunked\r\ncontent-length: {size}",
    "content-length: +{size}",
    "content-length: {size}, {size}",
    "content-length: -1",
    "content-length: 18446744073709551617",
    "content-length: 0x10",
    "openai-beta: a\r\n content-length: 0\r\ncontent-length: {size}",
    "openai-beta: a\nx-api-key: b\r\ncontent-length: {size}",
    "openai-beta: a\rx-api-key: b\r\ncontent-length: {size}",
]


# What a proxy before the gateway and the gateway could read as different requests; GHSA-4xpc-pv4p-pm3w is of its kind.
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_a_request_hides_in_another(gateway: Gateway, provider: RecordingSimulator, framing: str) -> None:
    since, seen = await last_seq(gateway), len(provider.seen)
    body = prompt("echo: outer", stream=False)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    hidden = post(CHAT, gateway.key, prompt("echo: hidden", stream=False))
    head = f"POST {CHAT} HTTP/1.1\r\nhost: g\r\nx-api-key: {gateway.key}\r\n{framing.format(size=len(body))}\r\n\r\n"
    answer = await send_raw(gateway.base_url, head.encode() + (chunked if "chunked" in framing else body) + hidden)
    assert (answer.status, answer.headers["x-gptgate-error"]) == (400, "invalid_request")
    assert await records_of(gateway, since) == []
    assert len(provider.seen) == seen
