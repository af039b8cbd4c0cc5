"""Bad input: a clear error in the caller's dialect, one record where the caller is known, else none, never a 500."""

import asyncio
import contextlib
import gc
import gzip
import json
from collections.abc import AsyncIterator, Callable
from types import FrameType
from typing import Any

import pytest
import pytest_asyncio

from gptgate.core.wire import PATHS, Dialect, Endpoint
from gptgate.http.body import OF_APP, read_body
from gptgate.storage.views import SearchFilters
from harness import APPS, PROVIDERS, RULES, Gateway, running_gateway
from probes import RawAnswer, http_request, last_seq, records_of, send_raw
from raw_client import RawClient
from waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVER = """\
version: 1
server: {data: "127.0.0.1:@DATA@", control: "127.0.0.1:@CONTROL@", drain: 20s,
  max_body_bytes: 20000, body_timeout: @BODY@}
"""
CONFIG = SERVER.replace("@BODY@", "300s") + PROVIDERS + APPS + RULES
HASTY = SERVER.replace("@BODY@", "200ms") + PROVIDERS + APPS + RULES
POSTS = [path for path, (_, method, _) in PATHS.items() if method == "POST"]
MODEL = {Endpoint.CHAT: "sim-gpt", Endpoint.EMBEDDINGS: "sim-embed"}
LIMIT = 20000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), CONFIG) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """It waits for no body."""
    async with running_gateway(tmp_path_factory.mktemp("hasty"), HASTY) as running:
        yield running


def good(path: str) -> dict[str, Any]:
    """A request that is served."""
    endpoint, _, dialect = PATHS[path]
    document: dict[str, Any] = {"model": MODEL.get(endpoint, "sim-claude")}
    if endpoint is Endpoint.EMBEDDINGS:
        return {**document, "input": "hi"}
    if dialect is Dialect.ANTHROPIC and endpoint is Endpoint.MESSAGES:
        document["max_tokens"] = 10
    return {**document, "messages": [{"role": "user", "content": "hi"}]}


def body_of(path: str, **changes: Any) -> bytes:
    return json.dumps({**good(path), **changes}).encode()


def spliced(path: str, member: str) -> bytes:
    """The good body with one more member, as text that `json` would not write."""
    return body_of(path)[:-1] + b", " + member.encode("utf-8", "surrogatepass") + b"}"


def headers_of(gateway: Gateway, path: str) -> list[tuple[str, str]]:
    headers = [("authorization", f"Bearer {gateway.key}"), ("content-type", "application/json")]
    if PATHS.get(path, (None, "", Dialect.OPENAI))[2] is Dialect.ANTHROPIC:
        headers.append(("anthropic-version", "2023-06-01"))
    return headers


def check_error(answer: RawAnswer, path: str, status: int, code: str) -> None:
    """The shape is the dialect's, and says what is wrong."""
    assert (answer.status, answer.headers.get("x-gptgate-error")) == (status, code), answer.body
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.headers["x-request-id"]) == 36
    assert float(answer.headers["x-gptgate-overhead-ms"]) >= 0
    assert answer.headers["x-should-retry"] == "false"
    if PATHS[path][2] is Dialect.ANTHROPIC:
        assert set(answer.document) == {"type", "error", "request_id"}
        assert answer.document["type"] == "error"
        assert set(answer.document["error"]) == {"type", "message"}
        assert answer.document["request_id"] == answer.headers["request-id"] == answer.headers["x-request-id"]
    else:
        assert set(answer.document) == {"error"}
        assert set(answer.document["error"]) == {"message", "type", "param", "code"}
        assert answer.document["error"]["code"] == code
    assert answer.document["error"]["message"]


async def check_record(gateway: Gateway, since: int, answer: RawAnswer, path: str) -> None:
    """Exactly one record, of this very answer."""
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert record.intent.id == answer.headers["x-request-id"]
    assert record.intent.endpoint == PATHS[path][0].value
    assert (record.intent.app, record.intent.client) == ("demo", "127.0.0.1")
    assert (record.end.state, record.end.status) == ("refused", answer.status)
    assert record.end.code == answer.headers["x-gptgate-error"]
    assert (record.end.cost_nano, record.intent.reserved_nano) == (0, 0)


Body = Callable[[str], bytes]
DEEP = 100
BODIES: dict[str, tuple[Body, str]] = {
    "empty": (lambda path: b"", "invalid_json"),
    "white space": (lambda path: b" \n\t ", "invalid_json"),
    "cut off": (lambda path: body_of(path)[:-1], "invalid_json"),
    "something after the end": (lambda path: body_of(path) + b"{}", "invalid_json"),
    "two documents": (lambda path: body_of(path) + b"\n" + body_of(path), "invalid_json"),
    "a trailing comma": (lambda path: body_of(path)[:-1] + b",}", "invalid_json"),
    "a comment": (lambda path: body_of(path) + b"// hi", "invalid_json"),
    "single quotes": (lambda path: b"{'model': 'sim-gpt'}", "invalid_json"),
    "a byte order mark": (lambda path: b"\xef\xbb\xbf" + body_of(path), "invalid_json"),
    "UTF-16": (lambda path: body_of(path).decode().encode("utf-16"), "invalid_json"),
    "not UTF-8": (lambda path: spliced(path, '"x": "@"').replace(b"@", b"\xff\xfe"), "invalid_json"),
    "an overlong form": (lambda path: spliced(path, '"x": "@"').replace(b"@", b"\xc0\xaf"), "invalid_json"),
    "a surrogate in UTF-8": (lambda path: spliced(path, '"x": "\ud800"'), "invalid_json"),
    "a lone surrogate": (lambda path: spliced(path, '"x": "\\ud83d"'), "invalid_json"),
    "surrogates in the wrong order": (lambda path: spliced(path, '"x": "\\uDE00\\uD83D"'), "invalid_json"),
    "a lone surrogate in a key": (lambda path: spliced(path, '"\\udc00": 1'), "invalid_json"),
    "a raw control character": (lambda path: spliced(path, '"x": "a\x01b"'), "invalid_json"),
    "a null byte": (lambda path: body_of(path).replace(b"{", b"{\x00", 1), "invalid_json"),
    "an array": (lambda path: b"[" + body_of(path) + b"]", "invalid_json"),
    "a string": (lambda path: b'"hello"', "invalid_json"),
    "a number": (lambda path: b"17", "invalid_json"),
    "null": (lambda path: b"null", "invalid_json"),
    "NaN": (lambda path: spliced(path, '"x": NaN'), "invalid_json"),
    "Infinity": (lambda path: spliced(path, '"x": -Infinity'), "invalid_json"),
    "a float beyond all floats": (lambda path: spliced(path, '"x": 1e999'), "invalid_json"),
    "a leading zero": (lambda path: spliced(path, '"x": 012'), "invalid_json"),
    "a hexadecimal number": (lambda path: spliced(path, '"x": 0x1f'), "invalid_json"),
    "more digits than can be read": (lambda path: spliced(path, '"x": ' + "9" * 5000), "invalid_json"),
    "a key twice": (lambda path: spliced(path, '"model": "other"'), "invalid_json"),
    "a key twice in other spellings": (lambda path: spliced(path, '"mod\\u0065l": "other"'), "invalid_json"),
    "a key twice, deep": (lambda path: spliced(path, '"x": [{"a": {"b": 1, "b": 2}}]'), "invalid_json"),
    "arrays nested 100 deep": (lambda path: spliced(path, '"x": ' + "[" * DEEP + "]" * DEEP), "invalid_json"),
    "objects nested 100 deep": (
        lambda path: spliced(path, '"x": ' + '{"a":' * DEEP + "1" + "}" * DEEP),
        "invalid_json",
    ),
    "nested 9000 deep": (lambda path: spliced(path, '"x": ' + "[" * 9000 + "]" * 9000), "invalid_json"),
    "nested and never closed": (lambda path: b"[" * 15000, "invalid_json"),
    "a form": (lambda path: b"model=sim-gpt&messages=hi", "invalid_json"),
}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_is_not_strict_json(gateway: Gateway, path: str, name: str) -> None:
    make, code = BODIES[name]
    since = await last_seq(gateway)
    answer = await send_raw(gateway.base_url, http_request("POST", path, headers_of(gateway, path), make(path)))
    check_error(answer, path, 400, code)
    await check_record(gateway, since, answer, path)


HUGE = 10**4000
FIELDS: dict[str, list[Any]] = {
    "model": [None, "", 1, ["sim-gpt"], {"name": "sim-gpt"}, True],
    "messages": [None, [], "hi", {"role": "user"}, 1, [None], ["hi"], [["hi"]], [1.5]],
    "input": [None, "", [], 1, {"text": "hi"}, False],
    "stream": ["true", 1, [], {}],
    "max_tokens": [0, -1, -(2**63), 1.5, "10", True, [], HUGE, 10**9],
    "max_completion_tokens": [0, -1, 1.5, "10", False, {}, HUGE],
    "n": [0, -1, 1_000_000, 1.0, "2", True, HUGE],
    "best_of": [0, 1_000_000, "2", HUGE],
    "stream_options": ["include_usage", 1, [], {"include_usage": "yes"}],
    "user": [1, [], {}, True],
    "metadata": ["x", 1, [], {"user_id": 1}, {"user_id": ["a"]}],
    "service_tier": ["gold", 1, [], {}],
}
READ: dict[Endpoint, list[str]] = {
    Endpoint.CHAT: (
        "model messages stream max_tokens max_completion_tokens n best_of stream_options user service_tier".split()
    ),
    Endpoint.EMBEDDINGS: ("model input user".split()),
    Endpoint.MESSAGES: ("model messages stream max_tokens metadata service_tier".split()),
    Endpoint.COUNT_TOKENS: ("model messages metadata".split()),
}
WRONG = [(path, name, value) for path in POSTS for name in READ[PATHS[path][0]] for value in FIELDS[name]]


@pytest.mark.parametrize(("path", "name", "value"), WRONG, ids=[f"{p}-{n}-{str(v)[:20]}" for p, n, v in WRONG])
async def test_a_wrong_value_of_a_field_that_is_read(gateway: Gateway, path: str, name: str, value: Any) -> None:
    body = body_of(path, **{name: value})
    since = await last_seq(gateway)
    answer = await send_raw(gateway.base_url, http_request("POST", path, headers_of(gateway, path), body))
    check_error(answer, path, 400, "invalid_request")
    inner = next(iter(value)) if isinstance(value, dict) and name in ("metadata", "stream_options") else name
    assert inner in answer.document["error"]["message"]
    await check_record(gateway, since, answer, path)


ODD: dict[str, dict[str, Any]] = {
    "types of parts": {
        "messages": [{"role": "user", "content": [{"type": ["text"]}, {"type": {}}, {"type": 1}, 7, None]}]
    },
    "roles": {"messages": [{"role": ["user"], "content": "hi"}, {"role": None, "content": None}, {}]},
    "contents": {"messages": [{"role": "user", "content": {"a": 1}}, {"role": "user", "content": 1.5}]},
    "tool calls": {"messages": [{"role": "assistant", "tool_calls": {"a": 1}, "function_call": 7}]},
    "functions of calls": {"messages": [{"role": "assistant", "tool_calls": ["x", {"function": {"arguments": 5}}]}]},
    "tools": {"tools": "all", "tool_choice": [], "functions": 1},
    "images": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": 7},
                    {"type": "image", "source": [1]},
                ],
            }
        ]
    },
    "huge numbers": {"seed": 10**300, "temperature": -(10**300), "x": [1e308, -0.0, 10**19]},
    "keys": {"": "", "a/b~c": {"\u0000": "\u0000"}, "😀" * 50: None, "k" * 5000: {}},
    "system": {"system": 7},
}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("name", ODD)
async def test_odd_values_of_fields_that_are_not_read_are_left_to_the_provider(
    gateway: Gateway, path: str, name: str
) -> None:
    """They are inspected and passed on; what comes back is the provider's answer or refusal, on record."""
    since = await last_seq(gateway)
    data = http_request("POST", path, headers_of(gateway, path), body_of(path, **ODD[name]))
    answer = await send_raw(gateway.base_url, data)
    assert answer.status in (200, 400), answer.body
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert (record.end.state, record.end.status) == ("completed", answer.status)


async def test_a_part_with_a_strange_type_beside_an_image(gateway: Gateway) -> None:
    path = "/v1/chat/completions"
    parts = [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}, {"type": ["image"]}]
    body = body_of(path, messages=[{"role": "user", "content": parts}])
    answer = await send_raw(gateway.base_url, http_request("POST", path, headers_of(gateway, path), body))
    assert answer.status in (200, 400), answer.body


@pytest.mark.parametrize("path", POSTS)
async def test_an_unknown_model(gateway: Gateway, path: str) -> None:
    for model in ("gpt-99", "\u0000", "x" * 10_000, "sim-gpt ", "SIM-GPT", "../sim-gpt"):
        since = await last_seq(gateway)
        data = http_request("POST", path, headers_of(gateway, path), body_of(path, model=model))
        answer = await send_raw(gateway.base_url, data)
        check_error(answer, path, 404, "model_not_found")
        assert len(answer.body) < 2000
        await check_record(gateway, since, answer, path)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("how", ["content-length", "chunked", "chunk by chunk", "only announced"])
async def test_a_body_that_is_too_large(gateway: Gateway, path: str, how: str) -> None:
    since = await last_seq(gateway)
    body = body_of(path, x="a" * LIMIT)
    headers = headers_of(gateway, path)
    if how == "content-length":
        pieces = [http_request("POST", path, headers, body)]
    elif how == "only announced":
        pieces = [http_request("POST", path, [*headers, ("content-length", "9999999999")])]
    else:
        head = http_request("POST", path, [*headers, ("transfer-encoding", "chunked")])
        size = len(body) if how == "chunked" else 4096
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        pieces = [head, *(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)]
    answer = await send_raw(gateway.base_url, *pieces)
    check_error(answer, path, 413, "body_too_large")
    assert answer.headers["connection"] == "close"
    await check_record(gateway, since, answer, path)


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_of_exactly_the_limit_is_read(gateway: Gateway, path: str) -> None:
    body = body_of(path)
    body += b" " * (LIMIT - len(body))
    for size, status in ((LIMIT, 200), (LIMIT + 1, 413)):
        sent = body + b" " * (size - LIMIT)
        answer = await send_raw(gateway.base_url, http_request("POST", path, headers_of(gateway, path), sent))
        assert answer.status == status, answer.body


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "identity, gzip"])
async def test_a_compressed_body_is_not_read(gateway: Gateway, path: str, coding: str) -> None:
    since = await last_seq(gateway)
    headers = [*headers_of(gateway, path), ("content-encoding", coding)]
    data = http_request("POST", path, headers, gzip.compress(body_of(path)))
    answer = await send_raw(gateway.base_url, data)
    check_error(answer, path, 400, "invalid_request")
    assert "content-encoding" in answer.document["error"]["message"]
    await check_record(gateway, since, answer, path)


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
WRONG_METHODS = [(path, right, wrong) for path, (_, right, _) in PATHS.items() for wrong in METHODS if wrong != right]


@pytest.mark.parametrize(("path", "allowed", "method"), WRONG_METHODS)
async def test_a_wrong_method(gateway: Gateway, path: str, allowed: str, method: str) -> None:
    since = await last_seq(gateway)
    answer = await send_raw(gateway.base_url, http_request(method, path, headers_of(gateway, path)))
    check_error(answer, path, 405, "method_not_allowed")
    assert allowed in answer.document["error"]["message"]
    assert answer.headers["allow"] == allowed
    await check_record(gateway, since, answer, path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        ([], "missing_api_key"),
        ([("authorization", "")], "missing_api_key"),
        ([("authorization", "Bearer")], "invalid_api_key"),
        ([("authorization", "Bearer nonsense")], "invalid_api_key"),
        ([("authorization", "Basic QTpC")], "invalid_api_key"),
        ([("x-api-key", "sk-gate-abcdefghijkl-" + "A" * 43 + "-AAAAAA")], "invalid_api_key"),
        ([("x-api-key", "\xff\xfe")], "invalid_api_key"),
        ([("authorization", "Bearer @KEY@"), ("authorization", "Bearer @KEY@")], "invalid_api_key"),
        ([("x-api-key", "@KEY@"), ("x-api-key", "@KEY@")], "invalid_api_key"),
        ([("x-api-key", "@KEY@"), ("authorization", "Bearer other")], "invalid_api_key"),
        ([("x-api-key", "@KEY@x")], "invalid_api_key"),
        ([("x-api-key", "x" * 20_000)], "invalid_api_key"),
    ],
)
async def test_a_stranger_leaves_no_record(
    gateway: Gateway, path: str, credentials: list[tuple[str, str]], code: str
) -> None:
    since = await last_seq(gateway)
    method = PATHS[path][1]
    given = [(name, value.replace("@KEY@", gateway.key)) for name, value in credentials]
    body = body_of(path) if method == "POST" else b""
    answer = await send_raw(gateway.base_url, http_request(method, path, given, body))
    check_error(answer, path, 401, code)
    assert gateway.key[21:] not in answer.body.decode()
    assert await records_of(gateway, since) == []


async def test_a_strangers_body_is_never_read(gateway: Gateway) -> None:
    for path in POSTS:
        head = http_request("POST", path, [("content-length", "19000")])
        answer = await send_raw(gateway.base_url, head)
        check_error(answer, path, 401, "missing_api_key")
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_does_not_come(hasty: Gateway, path: str) -> None:
    since = await last_seq(hasty)
    body = body_of(path)
    data = http_request("POST", path, [*headers_of(hasty, path), ("content-length", str(len(body)))], body[:-5])
    answer = await send_raw(hasty.base_url, data)
    check_error(answer, path, 408, "body_timeout")
    await check_record(hasty, since, answer, path)


async def test_many_bodies_that_do_not_end_are_bounded_together(gateway: Gateway) -> None:
    """No limit sees them: a request counts when it is there."""
    since, path = await last_seq(gateway), POSTS[0]
    head = http_request("POST", path, [*headers_of(gateway, path), ("content-length", str(LIMIT))])
    async with contextlib.AsyncExitStack() as stack:
        answers = []
        for _ in range(OF_APP + 1):
            client = await RawClient.connect(gateway.base_url)
            stack.push_async_callback(client.close)
            await client.send(head + b"x" * (LIMIT - 1))
            answers.append((client, asyncio.create_task(client.answer())))
        async with asyncio.timeout(PATIENCE_S):
            refused, _ = await asyncio.wait([task for _, task in answers], return_when=asyncio.FIRST_COMPLETED)
            for client, task in answers:
                if task not in refused:
                    await client.send(b"x")
            codes = [(await task)[1]["x-gptgate-error"] for _, task in answers]
    assert sorted(codes) == ["bodies_limited"] + ["invalid_json"] * OF_APP
    records = await records_of(gateway, since)
    assert sorted(record.end.code for record in records if record.end) == sorted(codes)


async def test_a_refused_body_is_let_go_at_once(gateway: Gateway) -> None:
    """Not when the collector comes round: an error and the frames that raised it hold each other, and the body."""
    path = POSTS[0]
    head = http_request("POST", path, [*headers_of(gateway, path), ("transfer-encoding", "chunked")])
    chunk = b"%x\r\n" % LIMIT + b"x" * LIMIT + b"\r\n"

    def readings() -> list[Any]:
        frames = [each for each in gc.get_objects() if type(each) is FrameType]
        return [frame for frame in frames if frame.f_code is read_body.__code__]

    gc.collect()
    gc.disable()
    try:
        check_error(await send_raw(gateway.base_url, head + chunk * 2), path, 413, "body_too_large")
        await eventually(lambda: not readings())
    finally:
        gc.enable()


@pytest.mark.parametrize("path", POSTS)
async def test_a_caller_who_hangs_up_within_the_body_is_on_record(gateway: Gateway, path: str) -> None:
    since = await last_seq(gateway)
    client = await RawClient.connect(gateway.base_url)
    await client.send(http_request("POST", path, [*headers_of(gateway, path), ("content-length", "500")], b"{"))
    await eventually(lambda: gateway.app.data_plane.in_flight)
    client.reset()
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert (record.end.state, record.end.status, record.end.code) == ("refused", 499, "client_disconnected")


@pytest.mark.parametrize(
    "target", ["/", "/v1", "/v1/", "/v1/chat/completions/", "/v2/messages", "/metrics", "/livez", "//"]
)
@pytest.mark.parametrize("anthropic", [False, True])
async def test_an_unknown_path(gateway: Gateway, target: str, anthropic: bool) -> None:
    """Nothing of the control plane is here; the shape is Anthropic's for who speaks Anthropic's."""
    since = await last_seq(gateway)
    path = "/v1/messages" if anthropic else "/v1/chat/completions"
    for method in ("GET", "POST"):
        answer = await send_raw(gateway.base_url, http_request(method, target, headers_of(gateway, path)))
        check_error(answer, path, 404, "route_not_found")
    assert await records_of(gateway, since) == []


async def test_headers_given_twice(gateway: Gateway) -> None:
    """One meaning or a refusal, never the gateway's reading against the provider's."""
    path = "/v1/messages"
    twice = [*headers_of(gateway, path), ("anthropic-version", "2023-06-01"), ("content-type", "text/plain")]
    answer = await send_raw(gateway.base_url, http_request("POST", path, twice, body_of(path)))
    assert answer.status == 200
    lengths = [*headers_of(gateway, path), ("content-length", "5"), ("content-length", "6")]
    answer = await send_raw(gateway.base_url, http_request("POST", path, lengths, b"{}    "))
    assert (answer.status, answer.headers["x-gptgate-error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "data",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"NONSENSE\r\n\r\n", b"POST /v1/messages HTTP/3.7\r\n\r\n", b"\r\n\r\nx\r\n\r\n"],
)
async def test_what_is_not_http(gateway: Gateway, data: bytes) -> None:
    since = await last_seq(gateway)
    answer = await send_raw(gateway.base_url, data)
    assert (answer.status, answer.headers["x-gptgate-error"]) == (400, "invalid_request")
    assert answer.document["error"]["code"] == "invalid_request"
    assert await records_of(gateway, since) == []


async def test_an_offer_to_upgrade_is_ignored(gateway: Gateway) -> None:
    path = "/v1/chat/completions"
    for upgrade in ("websocket", "h2c"):
        since = await last_seq(gateway)
        headers = [*headers_of(gateway, path), ("connection", "upgrade"), ("upgrade", upgrade)]
        answer = await send_raw(gateway.base_url, http_request("POST", path, headers, body_of(path)))
        assert answer.status == 200
        assert len(await records_of(gateway, since)) == 1


async def test_the_gateway_still_serves_after_all_of_it(gateway: Gateway) -> None:
    for path in POSTS:
        answer = await send_raw(gateway.base_url, http_request("POST", path, headers_of(gateway, path), body_of(path)))
        assert answer.status == 200
    await gateway.settled()
    with gateway.reader() as reader:
        assert not reader.search(SearchFilters(code="internal_error"), 2)
        assert reader.search(SearchFilters(state="open"), 1) == []
