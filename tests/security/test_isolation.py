"""The caller names no upstream, and no credential crosses the gateway, in either direction."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gptgate.core.wire import PATHS, Dialect, Endpoint
from gptgate.simulator.exchange import REDIRECTED
from harness import SERVER, Gateway, make_key, running_gateway
from probes import RecordingSimulator, Scripted, Seen, http_request, last_seq, records_of, send_raw

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREDENTIAL = "sk-proj-the-providers-own-credential-1234567890"
POSTS = [path for path, (_, method, _) in PATHS.items() if method == "POST"]
CONFIG = (
    SERVER
    + """\
providers:
  - {name: openai, kind: openai, base_url: "@SIMULATOR@/v1", credential: "env:ISOLATION_CREDENTIAL", retries: 0}
  - {name: anthropic, kind: anthropic, base_url: "@SIMULATOR@", credential: "env:ISOLATION_CREDENTIAL", retries: 0}
models:
  - {name: for-openai, provider: openai, price: free, upstream_name: real-name}
  - {name: for-anthropic, provider: anthropic, price: free, upstream_name: real-name}
teams: [{name: demo}]
apps: [{name: demo, team: demo}]
"""
)


class Decoy:
    """A server that nobody may ever reach."""

    def __init__(self) -> None:
        self.connections = 0
        self.address = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoy() -> AsyncIterator[Decoy]:
    made = Decoy()
    server = await asyncio.start_server(made, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    made.address = f"{host}:{port}"
    async with server:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> RecordingSimulator:
    return RecordingSimulator(keys=[CREDENTIAL])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    tmp_path_factory: pytest.TempPathFactory, provider: RecordingSimulator, decoy: Decoy
) -> AsyncIterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISOLATION_CREDENTIAL", CREDENTIAL)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, f"http://{decoy.address}")
        async with running_gateway(tmp_path_factory.mktemp("gateway"), CONFIG, simulator=provider) as running:
            yield running


def body_of(path: str, **changes: Any) -> bytes:
    endpoint, _, dialect = PATHS[path]
    document: dict[str, Any] = {"model": f"for-{dialect.value}"}
    if endpoint is Endpoint.EMBEDDINGS:
        document["input"] = "hi"
    else:
        document["messages"] = [{"role": "user", "content": "echo: hi"}]
    if endpoint in (Endpoint.CHAT, Endpoint.MESSAGES):
        document["max_tokens"] = 10
    return json.dumps({**document, **changes}).encode()


def upstream_host(gateway: Gateway) -> str:
    provider = gateway.app.snapshot.providers["anthropic"]
    return provider.base_url.removeprefix("http://")


def check_seen(gateway: Gateway, seen: Seen, path: str) -> None:
    """The provider got what it must get, at its own address, with its own credential, and nothing of the caller's."""
    assert (seen.method, seen.path, seen.raw_path, seen.query) == ("POST", path, path.encode(), b"")
    assert seen.header("host") == [upstream_host(gateway)]
    everything = seen.everything()
    key = gateway.key.encode()
    assert key not in everything
    assert key[21:60] not in everything
    shown = (seen.header("authorization"), seen.header("x-api-key"))
    if PATHS[path][2] is Dialect.ANTHROPIC:
        assert shown == ([], [CREDENTIAL])
    else:
        assert shown == ([f"Bearer {CREDENTIAL}"], [])
    assert everything.count(CREDENTIAL.encode()) == 1
    allowed = {"host", "accept", "accept-encoding", "content-type", "content-length", "user-agent"}
    allowed |= {"authorization", "x-api-key", "traceparent", "tracestate", "openai-beta"}
    allowed |= {"anthropic-version", "anthropic-beta"}
    names = [name.decode() for name, _ in seen.headers]
    assert set(names) <= allowed
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("credential", ["x-api-key", "authorization", "both"])
async def test_each_side_sees_its_own_credential_only(
    gateway: Gateway, provider: RecordingSimulator, path: str, credential: str
) -> None:
    headers = []
    if credential != "authorization":
        headers.append(("x-api-key", gateway.key))
    if credential != "x-api-key":
        headers.append(("authorization", f"Bearer {gateway.key}"))
    answer = await send_raw(gateway.base_url, http_request("POST", path, headers, body_of(path)))
    assert answer.status == 200
    check_seen(gateway, provider.seen[-1], path)
    told = json.dumps(answer.headers).encode() + answer.body
    assert CREDENTIAL.encode() not in told
    assert gateway.key.encode() not in told


HOSTILE_HEADERS = [
    ("host", "@DECOY@"),
    ("x-forwarded-host", "@DECOY@"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-port", "1"),
    ("x-forwarded-server", "@DECOY@"),
    ("forwarded", "for=10.0.0.1;host=@DECOY@;proto=https"),
    ("x-real-ip", "10.0.0.1"),
    ("x-original-url", "http://@DECOY@/"),
    ("x-rewrite-url", "http://@DECOY@/"),
    ("x-host", "@DECOY@"),
    ("x-base-url", "http://@DECOY@"),
    ("x-portkey-custom-host", "http://@DECOY@"),
    ("proxy", "http://@DECOY@"),
    ("proxy-authorization", "Basic QTpC"),
    ("origin", "http://@DECOY@"),
    ("referer", "http://@DECOY@/"),
    ("cookie", "session=1"),
    ("via", "1.1 @DECOY@"),
    ("te", "trailers"),
    ("connection", "x-api-key, authorization"),
    ("openai-organization", "org-evil"),
    ("openai-project", "proj-evil"),
    ("anthropic-dangerous-direct-browser-access", "true"),
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("name", [name for name, _ in HOSTILE_HEADERS] + ["all of them"])
async def test_no_header_leads_elsewhere(
    gateway: Gateway, provider: RecordingSimulator, decoy: Decoy, path: str, name: str
) -> None:
    hostile = [(key, value.replace("@DECOY@", decoy.address)) for key, value in HOSTILE_HEADERS]
    headers = [("x-api-key", gateway.key), *((key, value) for key, value in hostile if name in (key, "all of them"))]
    since = await last_seq(gateway)
    answer = await send_raw(gateway.base_url, http_request("POST", path, headers, body_of(path)))
    assert answer.status == 200
    check_seen(gateway, provider.seen[-1], path)
    assert decoy.connections == 0
    [record] = await records_of(gateway, since)
    assert record.intent.client == "127.0.0.1"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "target",
    [
        "http://@DECOY@@PATH@",
        "https://@DECOY@@PATH@",
        "http://user:secret@@DECOY@@PATH@",
        "@PATH@?base_url=http://@DECOY@",
        "@PATH@?beta=true&host=@DECOY@#x",
        "@PATH@;@@DECOY@",
        "@PATH@/../../@DECOY@",
        "@PATH@%2f..%2f..%2fadmin",
        "//@DECOY@@PATH@",
        "/@DECOY@@PATH@",
        "@PATH@%00",
        "@PATH@%0d%0aHost:%20@DECOY@",
        "@PATH@%3fx=1",
    ],
)
async def test_no_target_leads_elsewhere(
    gateway: Gateway, provider: RecordingSimulator, decoy: Decoy, path: str, target: str
) -> None:
    """It is served at the one configured place, or not at all."""
    count = len(provider.seen)
    filled = target.replace("@DECOY@", decoy.address).replace("@PATH@", path)
    answer = await send_raw(gateway.base_url, http_request("POST", filled, [("x-api-key", gateway.key)], body_of(path)))
    assert answer.status in (200, 400, 404)
    assert decoy.connections == 0
    assert len(provider.seen) == count + (answer.status == 200)
    if answer.status == 200:
        check_seen(gateway, provider.seen[-1], path)


@pytest.mark.parametrize("path", POSTS)
async def test_no_field_leads_elsewhere(
    gateway: Gateway, provider: RecordingSimulator, decoy: Decoy, path: str
) -> None:
    url = f"http://{decoy.address}"
    fields = ("base_url", "api_base", "api_key", "url", "endpoint", "host", "custom_llm_provider", "extra_headers")
    answer = await send_raw(
        gateway.base_url,
        http_request("POST", path, [("x-api-key", gateway.key)], body_of(path, **dict.fromkeys(fields, url))),
    )
    assert answer.status == 200
    check_seen(gateway, provider.seen[-1], path)
    for model in (url, f"openai/{url}", "for-openai/../x", f"for-openai@{decoy.address}"):
        refused = await send_raw(
            gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], body_of(path, model=model))
        )
        assert refused.status == 404
    assert decoy.connections == 0


async def test_an_address_in_a_header_opens_no_key(gateway: Gateway) -> None:
    key = make_key(gateway.folder, networks=("10.0.0.0/8",))
    gateway.app.load_keys()
    path = "/v1/messages"
    for name in ("x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "cf-connecting-ip"):
        value = "for=10.0.0.1" if name == "forwarded" else "10.0.0.1"
        headers = [("x-api-key", key), (name, value)]
        answer = await send_raw(gateway.base_url, http_request("POST", path, headers, body_of(path)))
        assert (answer.status, answer.headers["x-gptgate-error"]) == (403, "address_not_allowed")


LEAKY = [
    (b"x-ratelimit-limit-requests", b"60"),
    (b"x-ratelimit-remaining-tokens", b"149984"),
    (b"anthropic-ratelimit-requests-remaining", b"7"),
    (b"anthropic-organization-id", b"org-ours"),
    (b"openai-organization", b"org-ours"),
    (b"set-cookie", b"__cf_bm=abc; path=/"),
    (b"location", b"http://evil.example/"),
    (b"server", b"cloudflare"),
    (b"via", b"1.1 google"),
    (b"cf-ray", b"92f1"),
    (b"x-should-retry", b"true"),
    (b"x-request-id", b"req_provider"),
    (b"request-id", b"req_provider"),
    (b"authorization", CREDENTIAL.encode()),
    (b"access-control-allow-origin", b"*"),
    (b"strict-transport-security", b"max-age=1"),
    (b"openai-version", b"2020-10-01"),
]
OURS = {
    "date",
    "content-type",
    "content-length",
    "transfer-encoding",
    "cache-control",
    "x-accel-buffering",
    "x-request-id",
    "request-id",
    "x-gptgate-effect",
    "x-gptgate-overhead-ms",
    "x-gptgate-error",
    "x-should-retry",
    "retry-after",
    "retry-after-ms",
    "openai-version",
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_providers_headers_stay_here(
    gateway: Gateway, provider: RecordingSimulator, path: str, status: int, stream: bool
) -> None:
    since = await last_seq(gateway)
    kind = b"text/event-stream" if stream and status == 200 else b"application/json"
    provider.scripted.append(Scripted(status, [(b"content-type", kind), *LEAKY], [b"{}"]))
    answer = await send_raw(
        gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], body_of(path, stream=stream))
    )
    assert set(answer.headers) <= OURS
    assert answer.headers["x-request-id"] != "req_provider"
    assert "ratelimit" not in str(answer.headers)
    assert CREDENTIAL not in str(answer.headers) + answer.body.decode()
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert record.end.provider_request_id == "req_provider"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304, 399])
async def test_no_redirect_is_followed(
    gateway: Gateway, provider: RecordingSimulator, decoy: Decoy, path: str, status: int
) -> None:
    count = len(provider.seen)
    location = f"http://{decoy.address}/v1/stolen".encode()
    provider.scripted.append(Scripted(status, [(b"location", location)]))
    answer = await send_raw(gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], body_of(path)))
    assert (answer.status, answer.headers["x-gptgate-error"]) == (502, "upstream_broken")
    assert decoy.address not in answer.body.decode() + str(answer.headers)
    assert (len(provider.seen), decoy.connections) == (count + 1, 0)
    assert provider.stats.by_path[REDIRECTED] == 0


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("status", [401, 403])
async def test_a_rejected_credential_is_the_operators_business(
    gateway: Gateway, provider: RecordingSimulator, path: str, status: int
) -> None:
    """The provider's words on it may quote the credential, so none of them reach the caller."""
    words = f"Incorrect API key provided: {CREDENTIAL}."
    provider.scripted.append(Scripted(status, chunks=[json.dumps({"error": {"message": words}}).encode()]))
    answer = await send_raw(gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], body_of(path)))
    assert (answer.status, answer.headers["x-gptgate-error"]) == (502, "upstream_credential")
    assert b"Incorrect" not in answer.body
    assert CREDENTIAL.encode() not in answer.body


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("traceparent", "passes"),
    [
        (TRACE, True),
        (TRACE.upper(), False),
        (TRACE + "-more", False),
        ("sk-proj-a-secret-in-the-wrong-place", False),
        ("", False),
        (TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), False),
    ],
)
async def test_trace_context_travels_when_it_is_one(
    gateway: Gateway, provider: RecordingSimulator, traceparent: str, passes: bool
) -> None:
    """What is no trace context (W3C Trace Context, section 3.2) is neither sent on nor kept."""
    path = "/v1/chat/completions"
    since = await last_seq(gateway)
    headers = [("x-api-key", gateway.key), ("traceparent", traceparent), ("tracestate", "a=1")]
    answer = await send_raw(gateway.base_url, http_request("POST", path, headers, body_of(path)))
    assert answer.status == 200
    assert provider.seen[-1].header("traceparent") == ([traceparent] if passes else [])
    assert provider.seen[-1].header("tracestate") == (["a=1"] if passes else [])
    [record] = await records_of(gateway, since)
    assert record.intent.traceparent == (traceparent if passes else "")


async def test_nothing_is_sent_for_who_may_not_call(gateway: Gateway, provider: RecordingSimulator) -> None:
    count = len(provider.seen)
    for path in POSTS:
        for headers in ([], [("x-api-key", CREDENTIAL)], [("authorization", f"Bearer {CREDENTIAL}")]):
            with contextlib.suppress(ConnectionError):
                answer = await send_raw(gateway.base_url, http_request("POST", path, headers, body_of(path)))
                assert answer.status == 401
                assert CREDENTIAL.encode() not in answer.body
    assert len(provider.seen) == count
