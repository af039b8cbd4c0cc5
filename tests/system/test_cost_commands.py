"""Correcting what was spent, setting amounts, and reports by whom: the commands beside a running gateway."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from books import balanced, records
from gptgate.cli.main import execute
from gptgate.core.budgets import BudgetCharge
from gptgate.core.money import format_usd
from harness import APPS, RULES, SERVER, Gateway, running_gateway, with_hasty, write_config
from raw_client import CHAT, RawClient, post, prompt

BUDGETS = """\
budgets:
  - {name: day, scope: [app], unit: usd, amount: "0.0060", window: day}
  - {name: sessions, scope: [app, session], unit: requests, amount: "2", window: session}
"""
CONFIG = SERVER + with_hasty("first_byte: 200ms") + APPS + BUDGETS + RULES


async def ask(gateway: Gateway, text: str, *headers: str, **fields: Any) -> tuple[int, str]:
    client = await RawClient.connect(gateway.base_url)
    await client.send(post(CHAT, gateway.key, prompt(text, stream=False, **fields), *headers))
    status, found, _ = await client.answer()
    await client.close()
    return status, found.get("x-gptgate-error", "")


async def command(gateway: Gateway, *words: str) -> int:
    return await asyncio.to_thread(execute, [*words, "--data", str(gateway.folder)])


def spent(gateway: Gateway, name: str, *key: str) -> int:
    (budget,) = [budget for budget in gateway.app.snapshot.budgets if budget.name == name]
    return gateway.app._treasury.ledger.spent(BudgetCharge(budget, key), gateway.app.clock.wall_ms())


async def test_an_unknown_usage_is_corrected_once_and_the_budget_has_room_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = "x-gptgate-session: s1"
    async with running_gateway(tmp_path, CONFIG) as gateway:
        assert await ask(gateway, "fault: hang", session, model="hasty-gpt") == (504, "upstream_timeout")
        assert await ask(gateway, "echo: hello") == (429, "budget_exceeded")
        (lost,) = [record for record in await balanced(gateway, 2) if record.end and record.end.status == 504]
        assert spent(gateway, "day", "demo") == lost.intent.reserved_nano
        correct = ["budget", "reconcile", lost.intent.id, "--as", "ada", "--usd", "0.0001", "--input-tokens", "20"]
        assert await command(gateway, *correct[:5], "--usd", "0.5") == 1, "more than was reserved"
        assert spent(gateway, "day", "demo") == lost.intent.reserved_nano
        codes = await asyncio.gather(*(command(gateway, *correct) for _ in range(3)))
        assert sorted(codes) == [0, 1, 1]
        for _ in range(3):
            gateway.app._treasury.refresh()
        assert spent(gateway, "day", "demo") == 100_000
        assert spent(gateway, "apps", "demo") == 100_000
        assert spent(gateway, "sessions", "demo", "s1") == 1
        assert await ask(gateway, "echo: hello", session) == (200, "")
        await gateway.settled()
        before = spent(gateway, "day", "demo")
        (known,) = [record for record in records(gateway) if record.end and record.end.status == 200]
        assert await command(gateway, "budget", "reconcile", known.intent.id, "--unused") == 1
        assert await command(gateway, "budget", "reconcile", known.intent.id) == 2
        capsys.readouterr()
        assert await command(gateway, "usage", "--by", "session", "--format", "json") == 0
        rows = {row["session"]: row for row in json.loads(capsys.readouterr().out)}
        assert (rows["s1"]["requests"], rows["s1"]["cost_nano"], rows["s1"]["unknown_nano"]) == (2, before, 0)
    async with running_gateway(tmp_path, CONFIG) as gateway:
        assert spent(gateway, "day", "demo") == before
        assert await ask(gateway, "echo: hello", session) == (429, "budget_exceeded")
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection:
        query = "SELECT body FROM events WHERE type = 'budget_reconciled'"
        (event,) = [json.loads(body) for (body,) in connection.execute(query)]
    assert (event["request"], event["cost_nano"], event["by"]) == (lost.intent.id, 100_000, "ada")
    assert event["before_nano"] == lost.intent.reserved_nano
    assert await asyncio.to_thread(execute, ["audit", "verify", "--data", str(tmp_path)]) == 0


async def test_an_amount_that_is_set_holds_whatever_was_added_before_and_is_configured_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        for words in (
            ["top-up", "day", "demo", "--add", "5"],
            ["set", "day", "demo", "--amount", "0.0059"],
            ["set", "day", "demo", "--amount", "0.0058"],
        ):
            assert await command(gateway, "budget", *words) == 0
        gateway.app._treasury.refresh()
        (budget,) = [budget for budget in gateway.app.snapshot.budgets if budget.name == "day"]
        left = gateway.app._treasury.ledger.left(BudgetCharge(budget, ("demo",)), gateway.app.clock.wall_ms())
        assert left == 5_800_000
        # What is configured changes, and what was set is what it was set to.
        address = gateway.app.snapshot.providers["simulator"].base_url
        write_config(tmp_path, CONFIG.replace('"0.0060"', '"0.0070"'), simulator=address)
        await gateway.app.apply_config()
        (budget,) = [budget for budget in gateway.app.snapshot.budgets if budget.name == "day"]
        assert budget.amount == 7_000_000
        left = gateway.app._treasury.ledger.left(BudgetCharge(budget, ("demo",)), gateway.app.clock.wall_ms())
        assert left == 5_800_000
        capsys.readouterr()
        assert await command(gateway, "budget", "show", "day", "--format", "json") == 0
        assert [(row["account"], row["amount"], row["spent"]) for row in json.loads(capsys.readouterr().out)] == [
            ("demo", "0.005800000", "0.000000000")
        ]
        assert await command(gateway, "budget", "set", "sessions", "demo", "s1", "--amount", "9") == 1
        assert await command(gateway, "budget", "set", "day", "demo", "--amount", "much") == 2
        assert await command(gateway, "budget", "set", "day", "demo", "--amount", "0") == 0
        gateway.app._treasury.refresh()
        assert await ask(gateway, "echo: hello") == (429, "budget_exceeded")


async def test_usage_is_told_by_session_end_user_provider_and_tag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def usage(*words: str) -> list[dict[str, object]]:
        capsys.readouterr()
        assert await command(gateway, "usage", *words, "--format", "json") == 0
        found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
        return found

    config = CONFIG.replace('"0.0060"', '"1.00"')
    async with running_gateway(tmp_path, config) as gateway:
        search, review = "x-gptgate-tag-feature: search", "x-gptgate-tag-feature: review"
        assert await ask(gateway, "echo: a", search, "x-gptgate-tag-team-of: x", user="ann") == (200, "")
        assert await ask(gateway, "echo: b " + "word and " * 50, search, "x-gptgate-session: s1") == (200, "")
        assert await ask(gateway, "echo: c", review, user="ann") == (200, "")
        for wrong in ("x-gptgate-tag-: x", "x-gptgate-tag-a_b: x", f"x-gptgate-tag-a: {'x' * 65}"):
            assert await ask(gateway, "echo: d", wrong) == (400, "invalid_request")
        many = [f"x-gptgate-tag-t{number}: x" for number in range(5)]
        assert await ask(gateway, "echo: d", *many) == (400, "invalid_request")
        records = await balanced(gateway, 7)
        total = sum(record.end.cost_nano for record in records if record.end)
        tags = {row["tag"]: row for row in await usage("--by", "tag,app")}
        assert {tag: row["requests"] for tag, row in tags.items()} == {
            "feature=review": 1,
            "feature=search": 2,
            "team-of=x": 1,
        }
        assert tags["feature=search"]["cost_nano"] + tags["feature=review"]["cost_nano"] == total  # type: ignore[operator]
        assert [(row["end_user"], row["requests"]) for row in await usage("--by", "end_user")] == [("", 5), ("ann", 2)]
        assert [row["session"] for row in await usage("--by", "session", "--top", "1")] == ["s1"]
        (month,) = await usage("--by", "app", "--forecast")
        assert month["cost_usd"] == format_usd(total)
        assert month["forecast_nano"] >= total  # type: ignore[operator]
        assert [row["requests"] for row in await usage("--by", "app", "--team", "demo")] == [7]
        assert await usage("--by", "app", "--team", "nobody") == []
        assert await command(gateway, "usage", "--by", "tag", "--team", "demo") == 2
        assert await command(gateway, "usage", "--by", "tag,model") == 2
        assert await command(gateway, "usage", "--by", "day", "--forecast") == 2
