"""The ASGI application by itself, without a socket."""

import asyncio
import re
from collections.abc import Callable, MutableMapping
from typing import Any

import msgspec
import pytest

from gptgate.simulator.app import Simulator
from gptgate.simulator.exchange import MAX_BODY_BYTES
from gptgate.simulator.faults import Faults
from gptgate.simulator.openai_wire import OpenAIWire

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"


class Answered:
    def __init__(self, status: int, headers: dict[str, str], pieces: list[bytes]) -> None:
        self.status = status
        self.headers = headers
        self.pieces = pieces

    @property
    def json(self) -> Any:
        return msgspec.json.decode(b"".join(self.pieces))


async def call(
    simulator: Simulator, path: str, body: Any = b"", *, method: str = "POST", headers: dict[str, str] | None = None
) -> Answered:
    given = {"anthropic-version": "2023-06-01"} if headers is None else headers
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    sent: list[MutableMapping[str, Any]] = []
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)

    unread = [raw]

    async def receive() -> MutableMapping[str, Any]:
        if not unread:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": unread.pop(), "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await simulator(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answered(sent[0]["status"], found, [message["body"] for message in sent[1:]])


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


async def test_the_same_request_gets_the_same_bytes_from_any_instance() -> None:
    body = chat("hello", stream=False)
    first = await call(Simulator(), CHAT, body)
    second = await call(Simulator(), CHAT, body)
    assert first.pieces == second.pieces
    assert first.headers == second.headers


async def test_another_request_gets_another_id() -> None:
    simulator = Simulator()
    assert (await call(simulator, CHAT, chat("a"))).json["id"] != (await call(simulator, CHAT, chat("b"))).json["id"]


async def test_the_canned_answer_says_that_it_is_no_model() -> None:
    answered = await call(Simulator(), CHAT, chat("Who are you?"))
    assert "not a language model" in answered.json["choices"][0]["message"]["content"]


async def test_tokens_of_all_messages_parts_and_tools_are_charged() -> None:
    simulator = Simulator()
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    body = chat("echo: one two", tools=[tool])
    body["messages"].insert(0, {"role": "system", "content": "be brief"})
    body["messages"].insert(1, {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url"}]})
    answered = await call(simulator, CHAT, body)
    expected = (2 + 4) + (1 + 85 + 4) + (4 + 4) + 13
    assert answered.json["usage"]["prompt_tokens"] == expected
    assert answered.json["usage"]["completion_tokens"] == 2
    assert (simulator.stats.input_tokens, simulator.stats.output_tokens) == (expected, 2)


async def test_max_tokens_cuts_the_answer() -> None:
    for bound in ("max_tokens", "max_completion_tokens"):
        answered = await call(Simulator(), CHAT, chat("words: 50", **{bound: 3}))
        assert answered.json["choices"][0]["message"]["content"] == "word word word"
        assert answered.json["choices"][0]["finish_reason"] == "length"
        assert answered.json["usage"]["completion_tokens"] == 3
    answered = await call(Simulator(), MESSAGES, message("words: 50", max_tokens=3))
    assert answered.json["stop_reason"] == "max_tokens"
    assert answered.json["usage"]["output_tokens"] == 3


async def test_every_choice_costs() -> None:
    simulator = Simulator()
    answered = await call(simulator, CHAT, chat("echo: one two", n=3))
    assert [choice["index"] for choice in answered.json["choices"]] == [0, 1, 2]
    assert answered.json["usage"]["completion_tokens"] == 6
    assert simulator.stats.output_tokens == 6


async def test_a_stream_carries_the_same_text_and_usage_as_the_plain_answer() -> None:
    plain = await call(Simulator(), CHAT, chat("leak: the secret words"))
    body = chat("fault: chunk=5\nleak: the secret words", stream=True, stream_options={"include_usage": True})
    streamed = await call(Simulator(), CHAT, body)
    events = [piece.removeprefix(b"data: ").strip() for piece in streamed.pieces if piece]
    assert events[-1] == b"[DONE]"
    documents = [msgspec.json.decode(event) for event in events[:-1]]
    text = "".join(d["choices"][0]["delta"].get("content") or "" for d in documents if d["choices"])
    assert text == plain.json["choices"][0]["message"]["content"]
    assert documents[-1]["choices"] == []
    assert documents[-1]["usage"]["completion_tokens"] == plain.json["usage"]["completion_tokens"]
    assert all(document["usage"] is None for document in documents[:-1])


async def test_the_anthropic_stream_has_the_documented_sequence() -> None:
    streamed = await call(Simulator(), MESSAGES, message("echo: hi", stream=True))
    names = [piece.split(b"\n")[0].removeprefix(b"event: ").decode() for piece in streamed.pieces if piece]
    assert names == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
async def test_errors_have_each_dialects_shape_and_headers(status: int) -> None:
    order = f"fault: status={status} retry-after=1"
    answered = await call(Simulator(), CHAT, chat(order))
    assert answered.status == status
    assert set(answered.json["error"]) == {"message", "type", "param", "code"}
    assert answered.headers["x-request-id"].startswith("req_")
    assert answered.headers["retry-after"] == "1"
    answered = await call(Simulator(), MESSAGES, message(order))
    assert answered.status == status
    assert answered.json["type"] == "error"
    assert set(answered.json["error"]) == {"type", "message"}
    assert answered.json["request_id"] == answered.headers["request-id"]


async def test_only_the_first_attempts_fail_when_so_ordered() -> None:
    simulator = Simulator()
    body = chat("fault: status=500 times=2\necho: at last")
    assert [(await call(simulator, CHAT, body)).status for _ in range(4)] == [500, 500, 200, 200]
    assert (await call(simulator, CHAT, chat("fault: status=500 times=1\nother"))).status == 500
    assert simulator.stats.requests == 5
    assert simulator.stats.by_status == {500: 3, 200: 2}


async def test_faults_of_the_constructor_apply_to_every_request() -> None:
    simulator = Simulator(faults=Faults(status=503))
    assert (await call(simulator, CHAT, chat("hello"))).status == 503
    assert (await call(simulator, MESSAGES, message("hello"))).status == 503


async def test_usage_can_be_missing_or_wrong_but_the_charge_is_true() -> None:
    simulator = Simulator()
    assert "usage" not in (await call(simulator, CHAT, chat("fault: no-usage\necho: a b"))).json
    wrong = (await call(simulator, MESSAGES, message("fault: wrong-usage\necho: a b"))).json["usage"]
    assert (wrong["input_tokens"], wrong["output_tokens"]) == (1, 21)
    assert simulator.stats.output_tokens == 4


@pytest.mark.parametrize(("path", "ask"), [(CHAT, chat), (MESSAGES, message)])
async def test_a_bound_can_be_ignored(path: str, ask: Callable[..., bytes]) -> None:
    for faults, words in (("", 3), ("fault: no-bound\n", 40)):
        answer = (await call(Simulator(), path, ask(f"{faults}words: 40", max_tokens=3))).json
        usage = answer["usage"]
        assert usage.get("completion_tokens", usage.get("output_tokens")) == words


@pytest.mark.parametrize(("path", "ask"), [(CHAT, chat), (MESSAGES, message)])
async def test_a_stream_can_report_its_usage_on_the_way(path: str, ask: Callable[..., bytes]) -> None:
    streamed = await call(Simulator(), path, ask("fault: running-usage chunk=4\necho: one two three", stream=True))
    found = re.findall(rb'"(?:completion|output)_tokens":(\d+)', b"".join(streamed.pieces))
    counts = [int(number) for number in found]
    assert counts == sorted(counts)
    assert set(counts) == {1, 2, 3}


async def test_a_stream_can_lack_its_usage() -> None:
    body = chat("fault: no-usage\necho: hi", stream=True, stream_options={"include_usage": True})
    assert b"total_tokens" not in b"".join((await call(Simulator(), CHAT, body)).pieces)
    streamed = await call(Simulator(), MESSAGES, message("fault: no-usage\necho: hi", stream=True))
    assert b"usage" not in b"".join(streamed.pieces)


async def test_malformed_breaks_the_json() -> None:
    answered = await call(Simulator(), CHAT, chat("fault: malformed\nhello"))
    assert answered.status == 200
    with pytest.raises(msgspec.DecodeError):
        assert answered.json
    streamed = await call(Simulator(), CHAT, chat("fault: malformed\nhello", stream=True))
    assert streamed.pieces[2] == OpenAIWire.broken_event


async def test_a_redirect_points_back_here_and_is_counted_when_followed() -> None:
    simulator = Simulator()
    answered = await call(simulator, CHAT, chat("fault: redirect"))
    assert (answered.status, answered.headers["location"]) == (307, "/redirected")
    await call(simulator, "/redirected")
    assert simulator.stats.by_path["/redirected"] == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"\xff", None),
        ({"model": "m"}, None),
        (chat("x", n=0), "n"),
        (chat("x", max_tokens=0), "max_tokens"),
        ({"model": "m", "messages": []}, "messages"),
        (chat("fault: nonsense"), None),
        (chat("call: f {"), None),
    ],
)
async def test_bad_chat_requests_are_refused(body: Any, param: str | None) -> None:
    simulator = Simulator()
    answered = await call(simulator, CHAT, body)
    assert answered.status == 400
    assert answered.json["error"]["type"] == "invalid_request_error"
    assert answered.json["error"]["param"] == param
    assert simulator.stats.input_tokens == 0


@pytest.mark.parametrize(
    "body",
    [
        b"[",
        {"model": "m", "messages": [], "max_tokens": 1},
        {"model": "m", "messages": [{"role": "user", "content": "x"}]},
        message("x", max_tokens=0),
        message("fault: nonsense"),
    ],
)
async def test_bad_messages_requests_are_refused(body: Any) -> None:
    answered = await call(Simulator(), MESSAGES, body)
    assert answered.status == 400
    assert answered.json["error"]["type"] == "invalid_request_error"


async def test_the_anthropic_version_is_required() -> None:
    answered = await call(Simulator(), MESSAGES, message("hi"), headers={})
    assert answered.status == 400
    assert "anthropic-version" in answered.json["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer no"}, 401),
        ({"authorization": "Basic sk-1"}, 401),
        ({"x-api-key": "sk"}, 401),
        ({"authorization": "Bearer sk-1"}, 200),
        ({"x-api-key": "sk-1"}, 200),
    ],
)
async def test_keys_are_checked_when_there_are_any(headers: dict[str, str], status: int) -> None:
    simulator = Simulator(keys=["sk-1"])
    given = {"anthropic-version": "2023-06-01", **headers}
    assert (await call(simulator, CHAT, chat("hi"), headers=given)).status == status
    assert (await call(simulator, MESSAGES, message("hi"), headers=given)).status == status
    assert (await call(simulator, "/v1/models", method="GET", headers=given)).status == status


async def test_embeddings_are_unit_vectors_that_follow_from_the_text() -> None:
    answered = await call(Simulator(), "/v1/embeddings", {"model": "e", "input": ["a", "b", "a"], "dimensions": 8})
    vectors = [item["embedding"] for item in answered.json["data"]]
    assert vectors[0] == vectors[2] != vectors[1]
    assert [len(vector) for vector in vectors] == [8, 8, 8]
    assert sum(x * x for x in vectors[0]) == pytest.approx(1)
    assert answered.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize("text", [[1, 2, 3], [[1, 2, 3]]])
async def test_embeddings_take_token_numbers(text: Any) -> None:
    answered = await call(Simulator(), "/v1/embeddings", {"model": "e", "input": text})
    assert len(answered.json["data"]) == 1
    assert answered.json["usage"]["prompt_tokens"] == 3


@pytest.mark.parametrize(
    "more", [{"input": []}, {"dimensions": 0}, {"encoding_format": "x"}, {"input": ["a", 1]}, {"input": 1}]
)
async def test_bad_embedding_requests_are_refused(more: dict[str, Any]) -> None:
    answered = await call(Simulator(), "/v1/embeddings", {"model": "e", "input": "a", **more})
    assert answered.status == 400


async def test_counting_tokens_is_free() -> None:
    simulator = Simulator()
    answered = await call(simulator, "/v1/messages/count_tokens", message("one two"))
    assert answered.json == {"input_tokens": 6}
    assert simulator.stats.input_tokens == 0


async def test_an_unknown_path_and_a_wrong_method_are_errors() -> None:
    simulator = Simulator()
    assert (await call(simulator, "/v1/nothing", method="GET")).status == 404
    assert (await call(simulator, CHAT, method="GET")).status == 405
    assert (await call(simulator, "/v1/models", method="POST")).status == 404
    assert (await call(simulator, "/v1/models/nope", method="GET")).status == 404
    assert simulator.stats.by_path["other"] == 2


async def test_an_oversized_body_is_refused() -> None:
    assert (await call(Simulator(), CHAT, b" " * (MAX_BODY_BYTES + 1))).status == 413


async def test_stats_are_served_and_do_not_count_themselves() -> None:
    simulator = Simulator()
    await call(simulator, CHAT, chat("echo: a"))
    answered = await call(simulator, "/stats", method="GET")
    assert answered.json == simulator.stats.document()
    assert answered.json["requests"] == 1
    assert answered.json["by_path"] == {CHAT: 1}


async def test_a_caller_that_leaves_while_sending_is_counted_as_aborted() -> None:
    simulator = Simulator()

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_: MutableMapping[str, Any]) -> None:
        raise AssertionError("nobody is there to be answered")

    await simulator({"type": "http", "method": "POST", "path": CHAT, "headers": []}, receive, send)
    assert simulator.stats.aborted == 1


async def test_lifespan_is_answered() -> None:
    events = iter(["lifespan.startup", "lifespan.shutdown"])
    sent = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": next(events)}

    async def send(event: MutableMapping[str, Any]) -> None:
        sent.append(event["type"])

    await Simulator()({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_that_the_provider_runs_is_used_told_of_and_billed(stream: bool) -> None:
    simulator = Simulator()
    asked = chat("run: web_search 5", max_tokens=50, tools=[SEARCH], stream=stream)
    answered = await call(simulator, MESSAGES, asked)
    assert answered.status == 200
    said = b"".join(answered.pieces).decode()
    assert said.count('"type":"server_tool_use"') == said.count('"type":"web_search_tool_result"') == 2
    assert '"server_tool_use":{"web_fetch_requests":0,"web_search_requests":2}' in said
    assert simulator.stats.document()["tool_uses"] == {"web_search": 2}
    asked["messages"][0]["content"] = "fault: no-bound\nrun: web_search 5"
    await call(simulator, MESSAGES, asked)
    assert simulator.stats.document()["tool_uses"] == {"web_search": 7}
    assert (await call(simulator, MESSAGES, chat("run: web_search", max_tokens=50))).status == 400


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("offer", [{"web_search_options": {}}, {"tools": [{"type": "web_search"}]}])
async def test_in_the_openai_dialect_no_uses_are_told_unless_ordered(stream: bool, offer: dict[str, Any]) -> None:
    simulator = Simulator()
    more = {"stream": stream, "stream_options": {"include_usage": True}} if stream else {}
    told = [
        b"".join((await call(simulator, CHAT, chat(f"{fault}run: web_search 2", **more, **offer))).pieces)
        for fault in ("", "fault: told-uses\n")
    ]
    assert [b'"server_tool_use":{"web_search_requests":2}' in said for said in told] == [False, True]
    assert simulator.stats.document()["tool_uses"] == {"web_search": 4}


async def test_a_tool_that_the_provider_runs_is_none_that_the_caller_is_asked_to() -> None:
    mine = {"name": "clock", "input_schema": {}}
    answered = await call(Simulator(), MESSAGES, chat("use the tool", max_tokens=50, tools=[SEARCH, mine]))
    assert [block["name"] for block in answered.json["content"]] == ["clock"]
    refused = await call(Simulator(), MESSAGES, chat("hi", max_tokens=50, tools=[{"input_schema": {}}]))
    assert refused.status == 400
