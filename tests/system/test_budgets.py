"""Budgets through the composed gateway: nobody overspends, a restart forgets nothing, and what is left is used."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from books import balanced
from gptgate.cli.main import execute
from gptgate.core.budgets import BudgetCharge, Spend
from gptgate.core.money import format_usd
from harness import APPS, CONFIG, PROVIDERS, RULES, SERVER, Gateway, running_gateway, write_config
from raw_client import CHAT, RawClient, post, prompt

TOKEN_NANO = 4_000
OUTPUT_ONLY = PROVIDERS.replace('{input_per_million: "1.00", output_per_million: "4.00"}', "@PRICE@").replace(
    "@PRICE@", '{input_per_million: "0", output_per_million: "4.00"}'
)
"""A price under which a request costs exactly its ceiling, when its answer is as long as its bound."""


def config_with(budgets: str, providers: str = PROVIDERS) -> str:
    return SERVER + providers + APPS + f"budgets:\n{budgets}" + RULES


async def ask(gateway: Gateway, text: str, **fields: Any) -> tuple[int, dict[str, str], bytes]:
    session = str(fields.pop("session", ""))
    client = await RawClient.connect(gateway.base_url)
    headers = [f"x-gptgate-session: {session}"] if session else []
    await client.send(post(CHAT, gateway.key, prompt(text, stream=False, **fields), *headers))
    answer = await client.answer()
    await client.close()
    return answer


def spent(gateway: Gateway, name: str, *key: str) -> int:
    (budget,) = [budget for budget in gateway.app.snapshot.budgets if budget.name == name]
    return gateway.app._treasury.ledger.spent(BudgetCharge(budget, key), gateway.app.clock.wall_ms())


def events(folder: Path, kind: str) -> list[dict[str, object]]:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection:
        return [json.loads(body) for (body,) in connection.execute("SELECT body FROM events WHERE type = ?", (kind,))]


async def test_of_a_thousand_at_once_exactly_the_hundred_pass_that_the_budget_pays(tmp_path: Path) -> None:
    amount = 100 * TOKEN_NANO
    budgets = f"""\
  - {{name: team, scope: [team], unit: usd, amount: "{format_usd(amount)}", window: month}}
  - {{name: all-requests, scope: [global], unit: requests, amount: "150", window: day}}
"""
    async with running_gateway(tmp_path, config_with(budgets, OUTPUT_ONLY)) as gateway:
        text = "fault: latency=300ms\necho: hello"
        answers = await asyncio.gather(*(ask(gateway, text, max_tokens=1) for _ in range(1000)))
        passed = [answer for answer in answers if answer[0] == 200]
        refused = {(status, headers["x-gptgate-error"]) for status, headers, _ in answers if status != 200}
        assert (len(passed), refused) == (100, {(429, "budget_exceeded")})
        assert gateway.simulator.stats.requests == 100
        found = await balanced(gateway, 1000)
        assert sum(record.end.cost_nano for record in found if record.end is not None) == amount
        assert (spent(gateway, "team", "demo"), spent(gateway, "all-requests")) == (amount, 100)


async def test_a_restart_finds_what_every_budget_has_spent(tmp_path: Path) -> None:
    budgets = """\
  - {name: sessions, scope: [app, session], unit: requests, amount: "2", window: rolling, over: 1d}
  - {name: tokens, scope: [model], unit: tokens, amount: "1000000", window: week, time_zone: Europe/Berlin}
  - {name: ever, scope: [provider, key], unit: usd, amount: "100", window: lifetime}
  - {name: others, scope: [team], unit: usd, amount: "0", window: day, match: {models: [sim-claude]}}
"""
    async with running_gateway(tmp_path, config_with(budgets)) as gateway:
        for _ in range(2):
            assert (await ask(gateway, "echo: hello", session="s1"))[0] == 200
        status, _, body = await ask(gateway, "echo: hello", session="s1")
        assert (status, b"the budget 'sessions' of demo, s1 is 2 requests" in body) == (429, True)
        assert (await ask(gateway, "echo: hello"))[0] == 200
        await gateway.settled()
        key_id = gateway.key.split("-")[2]
        places = [("sessions", "demo", "s1"), ("sessions", "demo", ""), ("tokens", "sim-gpt")]
        before = [spent(gateway, *place) for place in places]
        ever = spent(gateway, "ever", key_id, "simulator")
        assert before[:2] == [2, 1]
        assert before[2] > 0
        assert ever > 0
    async with running_gateway(tmp_path, config_with(budgets)) as gateway:
        assert [spent(gateway, *place) for place in places] == before
        assert spent(gateway, "ever", key_id, "simulator") == ever
        assert (await ask(gateway, "echo: hello", session="s1"))[0] == 429
        assert (await ask(gateway, "echo: hello", session="s2"))[0] == 200


async def test_an_answer_is_bounded_by_what_the_budget_can_pay(tmp_path: Path) -> None:
    budgets = f"""\
  - {{name: small, scope: [app], unit: usd, amount: "{format_usd(400 * TOKEN_NANO)}", window: month,
     least_output_tokens: 256}}
"""
    long_answer = "echo: " + "a rather long story " * 125
    async with running_gateway(tmp_path, config_with(budgets, OUTPUT_ONLY)) as gateway:
        status, headers, body = await ask(gateway, long_answer, max_tokens=1000)
        assert (status, headers["x-gptgate-max-output-tokens"]) == (200, "400")
        assert json.loads(body)["usage"]["completion_tokens"] == 400
        status, headers, _ = await ask(gateway, "echo: hello", max_tokens=10)
        assert (status, headers["x-gptgate-error"]) == (429, "budget_exceeded")
        lowered, refused = sorted(await balanced(gateway, 2), key=lambda record: record.seq)
        assert (lowered.intent.lowered_from, lowered.intent.reserved_nano) == (1000, 400 * TOKEN_NANO)
        assert refused.intent.lowered_from == 0
        assert spent(gateway, "small", "demo") == 400 * TOKEN_NANO


async def test_too_short_an_answer_is_refused_instead(tmp_path: Path) -> None:
    budgets = f"""\
  - {{name: small, scope: [app], unit: usd, amount: "{format_usd(255 * TOKEN_NANO)}", window: month,
     least_output_tokens: 256}}
"""
    async with running_gateway(tmp_path, config_with(budgets, OUTPUT_ONLY)) as gateway:
        status, headers, body = await ask(gateway, "echo: hello", max_tokens=1000)
        assert (status, headers["x-gptgate-error"]) == (429, "budget_exceeded")
        assert b"this request may cost up to $0.004" in body
        assert gateway.simulator.stats.requests == 0


async def test_a_threshold_is_a_line_a_count_and_an_event_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budgets = """\
  - {name: few, scope: [app], unit: requests, amount: "4", window: month, mode: soft, thresholds: [50, 100]}
"""
    async with running_gateway(tmp_path, config_with(budgets)) as gateway:
        for _ in range(6):
            assert (await ask(gateway, "echo: hello"))[0] == 200
        await gateway.settled()
        metrics = gateway.app.telemetry.scrape().decode()
        assert 'gptgate_budget_thresholds_total{budget="few",percent="50"} 1.0' in metrics
        assert 'gptgate_budget_thresholds_total{budget="few",percent="100"} 1.0' in metrics
    told = events(tmp_path, "budget_threshold")
    assert [(event["budget"], event["key"], event["percent"], event["spent"]) for event in told] == [
        ("few", ["demo"], 50, 2),
        ("few", ["demo"], 100, 4),
    ]
    assert capsys.readouterr().err.count("a budget has reached a threshold") == 2


async def test_a_top_up_lets_the_next_request_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    budgets = """\
  - {name: few, scope: [app], unit: requests, amount: "1", window: month}
"""
    async with running_gateway(tmp_path, config_with(budgets)) as gateway:
        assert (await ask(gateway, "echo: hello"))[0] == 200
        assert (await ask(gateway, "echo: hello"))[0] == 429
        top_up = ["budget", "top-up", "few", "demo", "--add", "1", "--as", "alice", "--data", str(tmp_path)]
        assert await asyncio.to_thread(execute, top_up) == 0
        gateway.app._treasury.refresh()
        assert (await ask(gateway, "echo: hello"))[0] == 200
        assert (await ask(gateway, "echo: hello"))[0] == 429
    assert [(event["key"], event["amount"], event["by"]) for event in events(tmp_path, "budget_topped_up")] == [
        (["demo"], 1, "alice")
    ]
    async with running_gateway(tmp_path, config_with(budgets)) as gateway:
        assert (await ask(gateway, "echo: hello"))[0] == 429


@pytest.mark.parametrize("command", [("set", "--amount", "12"), ("top-up", "--add", "12")])
async def test_dollars_that_an_account_was_given_are_no_requests_once_the_budget_counts_these(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, str, str]
) -> None:
    dollars = '  - {name: few, scope: [app], unit: usd, amount: "1", window: month}\n'
    requests = dollars.replace("usd", "requests")
    words, option = ["budget", command[0], "few", "demo"], command[1:]

    def shown_amount() -> str:
        capsys.readouterr()
        assert execute(["budget", "show", "few", "--format", "json", "--data", str(tmp_path)]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        return str(row["amount"])

    async with running_gateway(tmp_path, config_with(dollars)) as gateway:
        address = gateway.app.snapshot.providers["simulator"].base_url
        assert await asyncio.to_thread(execute, [*words, *option, "--data", str(tmp_path)]) == 0
        gateway.app._treasury.refresh()
        assert (await ask(gateway, "echo: hello"))[0] == 200
        write_config(tmp_path, config_with(requests), simulator=address)
        await gateway.app.apply_config()
        assert (await ask(gateway, "echo: hello"))[0] == 429
        await gateway.settled()
        assert await asyncio.to_thread(shown_amount) == "1"
        # The other way round: requests are no dollars.
        assert await asyncio.to_thread(execute, [*words, option[0], "5", "--data", str(tmp_path)]) == 0
        gateway.app._treasury.refresh()
        assert (await ask(gateway, "echo: hello"))[0] == 200
        await gateway.settled()
        assert await asyncio.to_thread(shown_amount) == {"set": "5", "top-up": "6"}[command[0]]
    async with running_gateway(tmp_path, config_with(dollars.replace('"1"', '"0.000001"'))) as gateway:
        await gateway.settled()
        expected = {"set": "12.000000000", "top-up": "12.000001000"}[command[0]]
        assert await asyncio.to_thread(shown_amount) == expected
    async with running_gateway(tmp_path, config_with(requests)) as gateway:
        passed = [(await ask(gateway, "echo: hello"))[0] for _ in range(5)].count(200)
        assert passed == {"set": 3, "top-up": 4}[command[0]]
    told = [event for kind in ("budget_set", "budget_topped_up") for event in events(tmp_path, kind)]
    assert [(event["unit"], event["window"], event["scope"]) for event in told] == [
        ("usd", "month", ["app"]),
        ("requests", "month", ["app"]),
    ]
    assert execute(["audit", "verify", "--data", str(tmp_path)]) == 0


async def test_an_account_that_was_set_goes_back_to_what_is_configured(tmp_path: Path) -> None:
    few = '  - {name: few, scope: [app], unit: requests, amount: "1", window: month}\n'

    async def change(gateway: Gateway, *option: str) -> None:
        words = ["budget", "set", "few", "demo", *option, "--data", str(tmp_path)]
        assert await asyncio.to_thread(execute, words) == 0
        gateway.app._treasury.refresh()

    async with running_gateway(tmp_path, config_with(few)) as gateway:
        address = gateway.app.snapshot.providers["simulator"].base_url
        await change(gateway, "--amount", "9")
        assert (await ask(gateway, "echo: hello"))[0] == 200
        await change(gateway, "--configured")
        assert (await ask(gateway, "echo: hello"))[0] == 429
        write_config(tmp_path, config_with(few.replace('"1"', '"2"')), simulator=address)
        await gateway.app.apply_config()
        assert [(await ask(gateway, "echo: hello"))[0] for _ in range(2)] == [200, 429]
    assert execute(["audit", "verify", "--data", str(tmp_path)]) == 0


async def test_budgets_change_in_a_running_gateway_and_know_what_was_spent_before_they_came(tmp_path: Path) -> None:
    few = '  - {name: few, scope: [app], unit: requests, amount: "1", window: month}\n'
    async with running_gateway(tmp_path, config_with(few)) as gateway:
        address = gateway.app.snapshot.providers["simulator"].base_url
        assert (await ask(gateway, "echo: hello"))[0] == 200
        assert (await ask(gateway, "echo: hello"))[0] == 429
        write_config(tmp_path, config_with(few.replace('"1"', '"2"')), simulator=address)
        await gateway.app.apply_config()
        assert (await ask(gateway, "echo: hello"))[0] == 200
        assert (await ask(gateway, "echo: hello"))[0] == 429
        for changed in (few.replace("[app]", "[team]"), few.replace("few", "new"), few.replace("month", "day")):
            write_config(tmp_path, config_with(changed.replace('"1"', '"2"')), simulator=address)
            await gateway.app.apply_config()
            assert (await ask(gateway, "echo: hello"))[0] == 429
        write_config(tmp_path, CONFIG, simulator=address)
        await gateway.app.apply_config()
        assert (await ask(gateway, "echo: hello"))[0] == 200
        write_config(tmp_path, config_with(few.replace('"1"', '"3"')), simulator=address)
        await gateway.app.apply_config()
        assert (await ask(gateway, "echo: hello"))[0] == 429


async def test_a_guard_of_sessions_comes_into_force_in_a_running_gateway(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        address = gateway.app.snapshot.providers["simulator"].base_url
        assert (await ask(gateway, "echo: hello", session="s1"))[0] == 200
        write_config(tmp_path, CONFIG + "guards: {session: {requests: 1}}\n", simulator=address)
        await gateway.app.apply_config()
        status, headers, _ = await ask(gateway, "echo: hello", session="s1")
        assert (status, headers["x-gptgate-error"]) == (429, "session_limited")


async def test_a_conversation_that_goes_on_is_bounded_by_what_was_counted_of_it(tmp_path: Path) -> None:
    """By bytes alone the second request would not fit."""
    begun = [{"role": "user", "content": "a rather long story " * 2000}]
    gone_on = [*begun, {"role": "assistant", "content": "so"}, {"role": "user", "content": "echo: and then?"}]
    budgets = """\
  - {name: small, scope: [app], unit: tokens, amount: "60000", window: day}
"""
    async with running_gateway(tmp_path, config_with(budgets)) as gateway:
        client = await RawClient.connect(gateway.base_url)
        for fields in ({"messages": begun}, {"messages": gone_on}, {"messages": gone_on, "logit_bias": {}}):
            body = {"model": "sim-gpt", "max_tokens": 1, **fields}
            await client.send(post(CHAT, gateway.key, json.dumps(body).encode()))
            assert (await client.answer())[0] == 200
        await client.close()
        by_bytes, *counted = sorted(await balanced(gateway, 3), key=lambda record: record.seq)
        assert by_bytes.intent.reserved_tokens > 40_000
        for record in counted:
            assert record.end is not None
            assert record.end.usage.input_tokens < record.intent.reserved_tokens < 10_000
        metrics = gateway.app.telemetry.scrape().decode()
        assert 'gptgate_reserved_to_settled_ratio_count{model="sim-gpt"} 3.0' in metrics
        assert "gptgate_ceiling_overruns_total{" not in metrics


FEW = '  - {name: few, scope: [app], unit: tokens, amount: "2000", window: day}\n'


@contextmanager
def others_holding(gateway: Gateway, tokens: int) -> Iterator[Callable[[], None]]:
    """So many tokens of the budget are held, until the end or until what is given is called."""
    ledger, (_, budget) = gateway.app._treasury.ledger, gateway.app.snapshot.budgets
    spend, at_ms = Spend(tokens=tokens), gateway.app.clock.wall_ms()
    reservation = ledger.reserve("others", "demo", [BudgetCharge(budget, ("demo",))], spend, at_ms)
    try:
        yield lambda: ledger.settle(reservation, Spend())
    finally:
        ledger.settle(reservation, Spend())


async def waiting(gateway: Gateway, count: int = 1) -> None:
    async with asyncio.timeout(20):
        while len(gateway.app._crowd) != count:
            await asyncio.sleep(0.001)


async def test_a_request_waits_for_what_others_hold_and_the_record_says_how_long(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config_with(FEW)) as gateway:
        with others_holding(gateway, 1500) as let_go:
            asked = asyncio.create_task(ask(gateway, "echo: hello", max_tokens=1000))
            await waiting(gateway)
            await asyncio.sleep(0.05)
            let_go()
            assert (await asked)[0] == 200
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        timings = record.end.timings_us
        assert timings["wait"] >= 50_000
        assert timings["overhead"] + timings["wait"] <= timings["total"]


@pytest.mark.parametrize("setting", ["budget_wait: 0s", "budget_waiters: 0"])
async def test_nobody_waits_where_the_configuration_does_not_want_it(tmp_path: Path, setting: str) -> None:
    config = config_with(FEW).replace("server: {", f"server: {{{setting}, ")
    async with running_gateway(tmp_path, config) as gateway:
        with others_holding(gateway, 1500):
            status, headers, _ = await ask(gateway, "echo: hello", max_tokens=1000)
            assert (status, headers["x-should-retry"], headers["retry-after-ms"]) == (429, "true", "1000")
        assert (await ask(gateway, "echo: hello", max_tokens=1000))[0] == 200
        await balanced(gateway, 2)


LIMIT = "limits:\n  - {name: tpm, scope: [app], unit: total_tokens, amount: 16700, window: 24h}\n"


@pytest.mark.parametrize("limits", ["", LIMIT], ids=["no limit", "a limit for one of both"])
async def test_who_waits_stops_nobody_who_fits(tmp_path: Path, limits: str) -> None:
    async with running_gateway(tmp_path, config_with(LARGE) + limits) as gateway:
        with others_holding(gateway, 8000) as let_go:
            large = asyncio.create_task(ask(gateway, "echo: hello", max_tokens=16000))
            await waiting(gateway)
            async with asyncio.timeout(20):
                assert (await ask(gateway, "echo: hello", max_tokens=20))[0] == 200
            assert not large.done()
            let_go()
            assert (await large)[0] == 200
        await balanced(gateway, 2)


LARGE = FEW.replace("2000", "20000")


async def test_an_answer_is_not_cut_down_for_what_others_only_hold(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config_with(LARGE)) as gateway:
        with others_holding(gateway, 8000) as let_go:
            asked = asyncio.create_task(ask(gateway, "echo: hello", max_tokens=16000))
            await waiting(gateway)
            let_go()
            status, headers, _ = await asked
            assert (status, "x-gptgate-max-output-tokens" in headers) == (200, False)
        await balanced(gateway, 1)


async def test_who_has_waited_long_enough_is_given_the_answer_that_can_be_paid(tmp_path: Path) -> None:
    config = config_with(LARGE).replace("server: {", "server: {budget_wait: 100ms, ")
    async with running_gateway(tmp_path, config) as gateway:
        with others_holding(gateway, 8000):
            status, headers, _ = await ask(gateway, "echo: hello", max_tokens=16000)
            assert status == 200
            assert 11_000 < int(headers["x-gptgate-max-output-tokens"]) < 12_000
        await balanced(gateway, 1)


async def test_a_shorter_answer_that_others_hold_back_is_waited_for(tmp_path: Path) -> None:
    """The whole one could not be paid even if they took nothing."""
    async with running_gateway(tmp_path, config_with(LARGE)) as gateway:
        ledger, (_, budget) = gateway.app._treasury.ledger, gateway.app.snapshot.budgets
        spend, at_ms = Spend(tokens=5000), gateway.app.clock.wall_ms()
        ledger.settle(ledger.reserve("spent", "demo", [BudgetCharge(budget, ("demo",))], spend, at_ms), spend)
        with others_holding(gateway, 14_500) as let_go:
            asked = asyncio.create_task(ask(gateway, "echo: hello", max_tokens=16000))
            await waiting(gateway)
            let_go()
            status, headers, _ = await asked
            assert status == 200
            assert 14_000 < int(headers["x-gptgate-max-output-tokens"]) < 15_000
        await balanced(gateway, 1)


async def test_nobody_waits_for_what_was_spent(tmp_path: Path) -> None:
    config = config_with(FEW).replace("server: {", "server: {budget_wait: 10m, ")
    async with running_gateway(tmp_path, config) as gateway:
        ledger, (_, budget) = gateway.app._treasury.ledger, gateway.app.snapshot.budgets
        spend, at_ms = Spend(tokens=1500), gateway.app.clock.wall_ms()
        ledger.settle(ledger.reserve("spent", "demo", [BudgetCharge(budget, ("demo",))], spend, at_ms), spend)
        with others_holding(gateway, 100):
            status, headers, _ = await ask(gateway, "echo: hello", max_tokens=1000)
            assert (status, headers["x-should-retry"], "retry-after" in headers) == (429, "false", False)
        await balanced(gateway, 1)


async def test_a_wait_ends_when_its_time_is_over_and_when_its_caller_leaves(tmp_path: Path) -> None:
    config = config_with(FEW).replace("server: {", "server: {budget_wait: 300ms, ")
    async with running_gateway(tmp_path, config) as gateway:
        with others_holding(gateway, 1500):
            leaving = await RawClient.connect(gateway.base_url)
            await leaving.send(post(CHAT, gateway.key, prompt("echo: hello", stream=False, max_tokens=1000)))
            await waiting(gateway)
            await leaving.close()
            status, headers, _ = await ask(gateway, "echo: hello", max_tokens=1000)
            assert (status, headers["x-gptgate-error"]) == (429, "budget_exceeded")
            assert (headers["x-should-retry"], headers["retry-after"]) == ("true", "1")
        found = await balanced(gateway, 2)
        assert not len(gateway.app._crowd)
        # The first may have had its time before anybody saw that it had left.
        codes = [record.end.code for record in found if record.end is not None]
        assert codes in (["client_disconnected", "budget_exceeded"], ["budget_exceeded", "budget_exceeded"])
