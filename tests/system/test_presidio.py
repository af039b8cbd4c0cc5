"""A Presidio analyzer behind a whole gateway (simulated, see `simulated_presidio`): what it finds is cut out there."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness import APPS, PROVIDERS, SERVER, running_gateway
from nasty_provider import NastyProvider, holding
from probes import RecordingSimulator, records_of, send_raw
from raw_client import CHAT, MESSAGES, post, prompt
from scripted_provider import scripted, whole
from simulated_presidio import simulated_presidio

NAME = "Zoë Ångström"
RULES = """\
classifiers:
  - {name: presidio, kind: presidio, base_url: "@URL@", timeout: @TIMEOUT@@MORE@}
policy:
  rules:
    - {id: names, stage: request, effect: @EFFECT@, findings: [external.presidio.person]}
    - {id: mail, stage: request, effect: redact, findings: [pii.email]}
"""


def config(url: str, effect: str = "redact", more: str = "", timeout: str = "30s") -> str:
    rules = RULES.replace("@URL@", url).replace("@EFFECT@", effect).replace("@MORE@", more)
    return SERVER + PROVIDERS + APPS + rules.replace("@TIMEOUT@", timeout)


def everywhere(path: str) -> dict[str, Any]:
    """Fields of a request with the name in every place of the words of a conversation."""
    escaped = json.dumps({"to": f"😀 {NAME}\n", "n": 1})
    if path == MESSAGES:
        call = {"type": "tool_use", "id": NAME, "name": "send", "input": {"to": [NAME], "name": NAME}}
        result = {"type": "tool_result", "tool_use_id": NAME, "content": [{"type": "text", "text": f"for {NAME}"}]}
        return {
            "system": f"{NAME} runs this.",
            "messages": [
                {"role": "user", "content": f"𝔸 I am {NAME}; write to bob@example.org"},
                {"role": "assistant", "content": [{"type": "text", "text": f"Hello {NAME}"}, call]},
                {"role": "user", "content": [result, {"type": "text", "text": NAME}]},
            ],
        }
    call = {"id": NAME, "type": "function", "function": {"name": "send", "arguments": escaped}}
    return {
        "messages": [
            {"role": "system", "content": f"{NAME} runs this."},
            {"role": "user", "content": f"𝔸 I am {NAME}; write to bob@example.org"},
            {"role": "assistant", "content": f"Hello {NAME}", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": NAME, "content": f"for {NAME}"},
            {"role": "user", "content": [{"type": "text", "text": NAME}]},
        ]
    }


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_names_are_cut_out_of_every_text_that_it_is_shown(tmp_path: Path, path: str) -> None:
    simulator = RecordingSimulator()
    async with (
        simulated_presidio(NAME) as presidio,
        running_gateway(tmp_path, config(presidio.base_url), simulator=simulator) as gateway,
    ):
        body = prompt("", path=path, stream=False, **everywhere(path))
        answer = await send_raw(gateway.base_url, post(path, gateway.key, body))
        assert (answer.status, answer.headers["x-gptgate-effect"]) == (200, "redact")
        sent = json.loads(simulator.seen[0].body)
        expected = json.loads(body)
        texts = json.dumps(sent["messages"], ensure_ascii=False)
        mark = "[redacted:external.presidio.person]"
        places = 6 if path == MESSAGES else 5
        assert texts.count(mark) == places
        assert f"𝔸 I am {mark}; write to [redacted:pii.email]" in texts
        if path == CHAT:
            calls = sent["messages"][2]["tool_calls"]
            assert json.loads(calls[0]["function"]["arguments"]) == {"to": f"😀 {mark}\n", "n": 1}
            assert calls[0]["id"] == sent["messages"][3]["tool_call_id"] == NAME  # a name of the protocol's
            assert sent["messages"][0] == expected["messages"][0]  # trusted, and not shown by default
        (question,) = presidio.questions
        assert (question["language"], question["score_threshold"]) == ("en", 0.3)
        assert f"𝔸 I am {NAME}; write to _______________" in question["text"]
        assert not any("bob@" in text for text in question["text"])
        (record,) = await records_of(gateway)
        (opinion,) = record.intent.opinions
        assert (opinion.labels, len(opinion.spans)) == ((("person", 850),), places)
        placed = [one for one in record.intent.findings if one.kind == "external.presidio.person"]
        assert [(one.segment, one.start, one.end) for one in placed] == [
            (one.segment, one.start, one.end) for one in opinion.spans
        ]
        assert all(one.place.startswith("/messages/") and one.points == 20 for one in placed)
        assert NAME not in str(record)


@pytest.mark.parametrize(("effect", "shape"), [("mask", "**"), ("hash", "[external.presidio.person:"), ("deny", "")])
async def test_every_effect_is_there(tmp_path: Path, effect: str, shape: str) -> None:
    simulator = RecordingSimulator()
    async with (
        simulated_presidio(NAME) as presidio,
        running_gateway(tmp_path, config(presidio.base_url, effect), simulator=simulator) as gateway,
    ):
        answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt(f"{NAME} called", stream=False)))
        if effect == "deny":
            assert (answer.status, simulator.seen) == (403, [])
            return
        assert answer.status == 200
        (text,) = [one["content"] for one in json.loads(simulator.seen[0].body)["messages"]]
        assert text.startswith(shape)
        assert text.endswith(" called")
        assert NAME not in text


@pytest.mark.parametrize("stream", [False, True])
async def test_a_pseudonym_of_a_name_is_restored_in_the_answer(tmp_path: Path, stream: bool) -> None:
    simulator = RecordingSimulator()
    async with (
        simulated_presidio(NAME) as presidio,
        running_gateway(tmp_path, config(presidio.base_url, "pseudonymise"), simulator=simulator) as gateway,
    ):
        asked = prompt(f"echo: {NAME} called", stream=stream)
        answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, asked))
        assert answer.status == 200
        assert NAME.encode() not in simulator.seen[0].body
        assert b"[person:" in simulator.seen[0].body
        said = json.dumps(answer.body.decode()) if stream else answer.document["choices"][0]["message"]["content"]
        assert "[person:" not in said
        assert NAME in said or NAME in answer.body.decode()


PLACES: dict[str, dict[str, float]] = {
    "behind the end": {"start": 0, "end": 99},
    "of nothing": {"start": 3, "end": 3},
    "turned round": {"start": 4, "end": 2},
    "negative": {"start": -3, "end": -1},
    "in a fraction": {"start": 0.5, "end": 2},
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_place_where_no_text_is_is_no_answer(tmp_path: Path, place: str) -> None:
    nonsense = json.dumps([[{"entity_type": "PERSON", "score": 0.85, **PLACES[place]}]]).encode()
    simulator = RecordingSimulator()
    async with (
        scripted(whole(nonsense)) as presidio,
        running_gateway(tmp_path, config(presidio.base_url), simulator=simulator) as gateway,
    ):
        answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt("hello", stream=False)))
        assert (answer.status, answer.headers["x-gptgate-error"]) == (503, "guard_failed")
        assert simulator.seen == []
        (record,) = await records_of(gateway)
        assert record.intent.opinions[0].failure == "nonsense"


async def test_without_an_answer_it_fails_as_configured(tmp_path: Path) -> None:
    async with NastyProvider(holding()) as silent:
        closed, opened = (config(silent.base_url, more=more, timeout="300ms") for more in ("", ", on_failure: open"))
        async with running_gateway(tmp_path / "closed", closed) as gateway:
            answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt("hi", stream=False)))
            assert (answer.status, answer.headers["x-gptgate-error"]) == (503, "guard_failed")
        async with running_gateway(tmp_path / "open", opened) as gateway:
            answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt("hi", stream=False)))
            assert (answer.status, answer.headers["x-gptgate-effect"]) == (200, "allowed_on_failure")


async def test_a_language_that_it_does_not_speak_is_a_failure(tmp_path: Path) -> None:
    async with simulated_presidio(NAME) as presidio:
        foreign = config(presidio.base_url, more=", language: xx")
        async with running_gateway(tmp_path, foreign) as gateway:
            answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt("hi", stream=False)))
            assert (answer.status, answer.headers["x-gptgate-error"]) == (503, "guard_failed")


async def test_an_answer_is_judged_on_the_whole(tmp_path: Path) -> None:
    rules = config("@", "flag").replace(
        "    - {id: mail",
        "    - {id: said, stage: response, effect: deny, findings: [external.presidio.person]}\n    - {id: mail",
    )
    async with (
        simulated_presidio(NAME) as presidio,
        running_gateway(tmp_path, rules.replace('"@"', presidio.base_url)) as gateway,
    ):
        asked = prompt(f"echo: {NAME}", stream=False)
        answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, asked))
        assert answer.status == 403
        (record,) = await records_of(gateway)
        assert record.end is not None
        assert (record.end.opinions[0].labels, record.end.opinions[0].spans) == ((("person", 850),), ())
