"""A rule holds a request up, a person approves it, and it passes once: in both dialects, whole and streamed."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gptgate.cli.main import execute
from gptgate.cli.who import operator
from gptgate.core.errors import BudgetExceeded
from gptgate.simulator.server import SimulatorServer
from harness import APPS, PROVIDERS, SERVER, Gateway, GatewayProcess, make_key, running_gateway
from probes import records_of, send_raw
from raw_client import CHAT, MESSAGES, post, prompt

RULES = """\
policy:
  rules:
    - {id: ask-for-mail, stage: request, effect: require_approval, findings: [pii.email], message: "Ask Eve."}
    - {id: redact-mail, stage: request, effect: redact, findings: [pii.email]}
    - {id: deny-cards, stage: request, effect: deny, findings: [pii.payment_card]}
"""
CONFIG = SERVER + PROVIDERS + APPS + RULES
TEXT = "echo: write to bob@example.org"
CARD = "4111 1111 1111 1111"


async def ask(gateway: Gateway, text: str = TEXT, *, path: str = CHAT, stream: bool = False, key: str = "") -> Any:
    body = prompt(text, path=path, stream=stream)
    return await send_raw(gateway.base_url, post(path, key or gateway.key, body))


async def approve(folder: Path, approval_id: str, *more: str) -> None:
    assert await asyncio.to_thread(execute, ["approvals", "approve", approval_id, "--data", str(folder), *more]) == 0


def told(answer: Any) -> str:
    """The approval that a refusal names."""
    assert (answer.status, answer.headers["x-gptgate-error"]) == (403, "approval_required")
    assert answer.headers["x-should-retry"] == "false"
    message: str = answer.document["error"]["message"]
    assert message.startswith("Ask Eve. ")
    return message.split("Approval: ")[1].split(".")[0]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_approved_request_passes_once_and_other_rules_hold(tmp_path: Path, path: str, stream: bool) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        waiting = told(await ask(gateway, path=path, stream=stream))
        assert told(await ask(gateway, path=path, stream=stream)) == waiting
        assert gateway.simulator.stats.requests == 0
        await approve(tmp_path, waiting, "--as", "eve")
        passed = await ask(gateway, path=path, stream=stream)
        assert passed.status == 200
        assert b"bob@example.org" not in passed.body
        assert stream or b"[redacted:pii.email]" in passed.body  # a stream comes in words
        assert told(await ask(gateway, path=path, stream=stream)) not in ("", waiting)
        first, second, third, fourth = await records_of(gateway)
        assert first.intent.id == waiting
        assert [one.end.code for one in (first, second, fourth) if one.end] == ["approval_required"] * 3
        assert (third.intent.approval, third.intent.approved_by) == (waiting, "eve")
        assert (third.intent.effect, third.intent.rules) == ("require_approval", ("ask-for-mail", "redact-mail"))
        assert [one.intent.approval for one in (first, second, fourth)] == ["", "", ""]


async def test_who_decided_what_is_told_and_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        waiting = told(await ask(gateway))
        await approve(tmp_path, waiting, "--as", "eve")
        assert (await ask(gateway)).status == 200
        passed = (await records_of(gateway))[-1].intent.id
    said = f"by eve (run by {operator()}), approval {waiting}, to be used until "
    for request, step in ((waiting, "in the log"), (passed, "asked")):
        capsys.readouterr()
        assert await asyncio.to_thread(execute, ["audit", "trace", request, "--data", str(tmp_path)]) == 0
        told_by_trace = capsys.readouterr().out
        assert said in told_by_trace
        # The one asked before the decision, the other after it.
        assert (told_by_trace.index("approval given") < told_by_trace.index(step)) is (request == passed)
        assert await asyncio.to_thread(execute, ["audit", "show", request, "--data", str(tmp_path)]) == 0
        assert said in capsys.readouterr().out
    assert await asyncio.to_thread(execute, ["audit", "verify", "--data", str(tmp_path)]) == 0
    with closing(sqlite3.connect(tmp_path / "approvals.db")) as connection, connection:
        connection.execute("UPDATE approvals SET decided_by = 'bob'")
    assert await asyncio.to_thread(execute, ["audit", "verify", "--data", str(tmp_path)]) == 3
    assert f"approval {waiting}: no event tells of its decision" in capsys.readouterr().err


async def test_another_body_app_or_model_needs_its_own_approval(tmp_path: Path) -> None:
    apps = APPS + "  - {name: other, team: demo}\n"
    async with running_gateway(tmp_path, SERVER + PROVIDERS + apps + RULES) as gateway:
        waiting = told(await ask(gateway))
        await approve(tmp_path, waiting)
        stranger = make_key(tmp_path, app="other")
        gateway.app.load_keys()
        assert told(await ask(gateway, TEXT + "!")) != waiting
        assert told(await ask(gateway, key=stranger)) != waiting
        assert told(await ask(gateway, stream=True)) != waiting
        assert (await ask(gateway)).status == 200
        third = (await records_of(gateway))[-1]
        assert third.intent.approved_by == operator()


async def test_a_denial_is_not_lifted_by_any_approval(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        answer = await ask(gateway, f"{TEXT} {CARD}")
        assert answer.headers["x-gptgate-error"] == "policy_denied"


async def test_of_many_at_once_one_passes(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        await approve(tmp_path, told(await ask(gateway)))
        answers = await asyncio.gather(*(ask(gateway) for _ in range(12)))
        assert sorted(answer.status for answer in answers) == [200, *[403] * 11]
        assert gateway.simulator.stats.requests == 1


async def test_a_rejection_is_told(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        waiting = told(await ask(gateway))
        assert await asyncio.to_thread(execute, ["approvals", "reject", waiting, "--data", str(tmp_path)]) == 0
        answer = await ask(gateway)
        assert answer.document["error"]["param"] == waiting
        assert "was rejected" in answer.document["error"]["message"]


async def test_a_permit_by_which_nothing_passed_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        waiting = told(await ask(gateway))
        await approve(tmp_path, waiting)
        real = gateway.app._treasury.ledger.reserve

        def full(*_: Any) -> Any:
            raise BudgetExceeded("No money.")

        monkeypatch.setattr(gateway.app._treasury.ledger, "reserve", full)
        assert (await ask(gateway)).status == 429
        monkeypatch.setattr(gateway.app._treasury.ledger, "reserve", real)
        assert (await ask(gateway)).status == 200
        assert [one.intent.approval for one in await records_of(gateway)] == ["", "", waiting]


async def test_without_its_file_every_such_request_is_refused_and_no_other(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        (tmp_path / "approvals.db").mkdir()
        answer = await ask(gateway)
        assert (answer.status, answer.headers["x-gptgate-error"]) == (503, "guard_failed")
        assert (await ask(gateway, "hello")).status == 200
        first, _ = await records_of(gateway)
        assert first.end is not None
        assert first.end.code == "guard_failed"


async def test_a_permit_outlives_a_kill_and_is_used_once_over_many_kills(tmp_path: Path) -> None:
    provider = SimulatorServer()
    await provider.start()
    gateway = GatewayProcess(tmp_path, provider.base_url, CONFIG)
    key = make_key(tmp_path)
    request = post(CHAT, key, prompt(TEXT, stream=False))
    try:
        await asyncio.to_thread(gateway.start)
        waiting = told(await send_raw(gateway.base_url, request))
        gateway.kill()
        await approve(tmp_path, waiting)
        passed = 0
        for _ in range(3):
            await asyncio.to_thread(gateway.start)
            sending = [asyncio.create_task(send_raw(gateway.base_url, request)) for _ in range(4)]
            await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            gateway.kill()
            answers = await asyncio.gather(*sending, return_exceptions=True)
            passed += sum(not isinstance(one, BaseException) and one.status == 200 for one in answers)
        assert passed <= 1
        assert provider.simulator.stats.requests <= 1
        await asyncio.to_thread(gateway.start)
        again = await send_raw(gateway.base_url, request)
        assert told(again) != waiting
        assert gateway.terminate() == 0
    finally:
        await provider.stop()


def test_commands_list_show_and_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(held_up(tmp_path))
    data = ["--data", str(tmp_path)]
    assert execute(["approvals", "list", "--format", "json", *data]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["state"], row["app"], row["model"], row["rules"]) == ("pending", "demo", "sim-gpt", ["ask-for-mail"])
    assert execute(["approvals", "show", row["id"], *data]) == 0
    shown = capsys.readouterr().out
    assert row["digest"] in shown
    assert "bob" not in shown
    assert execute(["approvals", "approve", "nobody", *data]) == 1
    assert "there is no approval nobody" in capsys.readouterr().err
    assert execute(["approvals", "approve", row["id"], "--as", "", *data]) == 2
    capsys.readouterr()
    assert execute(["approvals", "approve", row["id"], "--as", "eve", "--expires", "5m", *data]) == 0
    assert "approved by eve" in capsys.readouterr().out
    assert execute(["approvals", "list", "--format", "json", *data]) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == "approved"
    assert execute(["approvals", "reject", row["id"], "--as", "ada", *data]) == 0
    assert "rejected by ada" in capsys.readouterr().out
    assert execute(["approvals", "reject", row["id"], *data]) == 1
    assert "is rejected" in capsys.readouterr().err
    assert execute(["audit", "trace", row["id"], *data]) == 0
    traced = capsys.readouterr().out
    assert traced.index("approval given") < traced.index("approval rejected")
    assert execute(["approvals", "list", "--format", "json", *data]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert execute(["approvals", "list", "--all", "--format", "json", *data]) == 0
    assert json.loads(capsys.readouterr().out)[0]["decided_by"] == "ada"
    assert execute(["audit", "verify", *data]) == 0


async def held_up(folder: Path) -> None:
    async with running_gateway(folder, CONFIG) as gateway:
        told(await ask(gateway))
