"""A new configuration under load: requests keep what they began with, nothing is lost, no broken file counts."""

import asyncio
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from books import balanced
from gptgate.compose import App
from gptgate.config.problem import ConfigError
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import FolderLock
from gptgate.storage.views import SearchFilters
from gptgate.telemetry.log import LineWriter
from gptgate.upstream.client import HttpUpstream
from harness import CONFIG, Gateway, running_gateway, write_config
from raw_client import CHAT, RawClient, post, prompt
from waiting import PATIENCE_S, eventually

SWAPS = 50
FINISHING = CONFIG.replace("kind: simulator,", "kind: simulator, finish_on_disconnect: true,")


def rewrite(gateway: Gateway, text: str) -> None:
    """Put another configuration in the file's place; addresses stay."""
    upstream = gateway.app.snapshot.providers["simulator"].base_url
    write_config(gateway.folder, text, simulator=upstream)


def with_budget(dollars: int, config: str = CONFIG) -> str:
    return config.replace('"1000.00"', f'"{dollars}.00"')


async def ask(gateway: Gateway, text: str, *, stream: bool = True) -> tuple[int, bytes]:
    client = await RawClient.connect(gateway.base_url)
    await client.send(post(CHAT, gateway.key, prompt(text, stream=stream)))
    status, _, body = await client.answer()
    await client.close()
    return status, body


async def test_a_running_request_keeps_the_configuration_it_began_with(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        old, old_upstream = gateway.app.snapshot.digest, gateway.app._upstream
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("fault: chunk=4 delay=10ms\nwords: 30")))
        await client.until(b"data: ", 3)
        rewrite(gateway, with_budget(500))
        digest, changed = await gateway.app.apply_config()
        assert changed
        assert digest != old
        assert await ask(gateway, "echo: new") == (200, (await ask(gateway, "echo: new"))[1])
        assert await asyncio.wait_for(_rest(client), PATIENCE_S)
        found = await balanced(gateway, 3)
        assert [record.intent.config_digest for record in found] == [old, digest, digest]
        assert [record.end.code for record in found if record.end is not None] == ["", "", ""]
        await eventually(lambda: not old_upstream._lanes)
        assert gateway.app._upstream is not old_upstream


async def _rest(client: RawClient) -> bool:
    data = await client.until(b"data: [DONE]\n\n")
    await client.close()
    return b"data: [DONE]\n\n" in data


async def test_a_request_whose_body_is_on_its_way_keeps_its_configuration_too(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        old, old_upstream = gateway.app.snapshot.digest, gateway.app._upstream
        client = await RawClient.connect(gateway.base_url)
        request = post(CHAT, gateway.key, prompt("echo: slow", stream=False))
        await client.send(request[:-10])
        await eventually(lambda: gateway.app.data_plane.in_flight)
        rewrite(gateway, with_budget(500))
        await gateway.app.apply_config()
        await asyncio.sleep(0.05)
        await client.send(request[-10:])
        status, _, body = await client.answer()
        await client.close()
        assert (status, b"slow" in body) == (200, True)
        found = await balanced(gateway, 1)
        assert found[0].intent.config_digest == old
        await eventually(lambda: not old_upstream._lanes)


async def test_50_swaps_under_load_lose_nothing(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        answered = 0
        over = False

        async def caller(number: int) -> None:
            nonlocal answered
            client = await RawClient.connect(gateway.base_url)
            while not over:
                stream = bool(number % 2)
                text = f"fault: chunk=8 delay=1ms\nwords: {number + 1}"
                await client.send(post(CHAT, gateway.key, prompt(text, stream=stream)))
                status, _, body = await client.answer()
                assert status == 200
                assert body.endswith(b"data: [DONE]\n\n") is stream
                answered += 1
            await client.close()

        def has_answered(least: int) -> bool:
            return answered >= least

        callers = [asyncio.create_task(caller(number)) for number in range(8)]
        digests = {gateway.app.snapshot.digest}
        for number in range(SWAPS):
            rewrite(gateway, with_budget(1001 + number))
            before = answered
            digest, changed = await gateway.app.apply_config()
            assert changed
            digests.add(digest)
            await eventually(partial(has_answered, before + 3))
        over = True
        await asyncio.gather(*callers)
        found = await balanced(gateway, answered)
        assert {record.end.code for record in found if record.end is not None} == {""}
        seen = [record.intent.config_digest for record in found]
        assert len(set(seen)) > SWAPS // 2
        assert set(seen) <= digests
        stats = gateway.simulator.stats
        assert stats.requests == answered
        assert sum(r.end.usage.output_tokens for r in found if r.end is not None) == stats.output_tokens
        await eventually(lambda: not gateway.app._retired)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("version: 1", "version: 1\nsurprise: 1"), "surprise"),
        (('"127.0.0.1:1"', '"127.0.0.1:3"'), "restart"),
        (('"127.0.0.1:2"', '"127.0.0.1:3"'), "restart"),
        (("drain: 20s", "drain: 21s"), "restart"),
        (("drain: 20s", "drain: 20s, header_timeout: 1s"), "restart"),
        (("kind: simulator,", 'kind: simulator, credential: "env:GPTGATE_TEST_NOT_SET",'), "environment variable"),
    ],
    ids=["unknown key", "data listener", "control listener", "drain", "header timeout", "missing secret"],
)
async def test_a_file_that_cannot_be_applied_changes_nothing(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    async with running_gateway(tmp_path) as gateway:
        old, gate = gateway.app.snapshot, gateway.app._gate
        config = CONFIG.replace("@DATA@", "1").replace("@CONTROL@", "2").replace(*change)
        assert change[1] in config
        rewrite(gateway, with_budget(500, config))
        with pytest.raises(ConfigError, match=told):
            await gateway.app.apply_config()
        assert gateway.app.snapshot is old
        assert gateway.app._gate is gate
        assert (await ask(gateway, "echo: still here"))[0] == 200
        found = await balanced(gateway, 1)
        assert found[0].intent.config_digest == old.digest


@pytest.mark.parametrize("where", ["gptgate.compose.record_event", "gptgate.compose.Treasury.install"])
async def test_no_connections_stay_of_a_configuration_that_was_refused(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the store refuses to record it, or it fails when it is nearly in force."""
    async with running_gateway(tmp_path) as gateway:
        started: list[HttpUpstream] = []
        start = HttpUpstream.start

        async def noted(upstream: HttpUpstream) -> None:
            started.append(upstream)
            await start(upstream)

        def refuse(*_: object) -> None:
            raise StorageError("the disk is full")

        rewrite(gateway, with_budget(500))
        with monkeypatch.context() as patch:
            patch.setattr(HttpUpstream, "start", noted)
            patch.setattr(where, refuse)
            with pytest.raises(StorageError, match="the disk is full"):
                await gateway.app.apply_config()
        assert [upstream._lanes for upstream in started] == [{}] * len(started)
        assert len(started) == (1 if "install" in where else 0)
        assert gateway.app._upstream not in started
        assert (await ask(gateway, "echo: still here"))[0] == 200
        await gateway.app.apply_config()
        assert (await ask(gateway, "echo: and in the new one"))[0] == 200


@pytest.mark.parametrize("where", ["gptgate.compose.record_event", "gptgate.compose.Treasury.install"])
async def test_nothing_stays_of_a_start_that_failed(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, before anything was in force. A socket that stayed would fail this test at its end."""
    started: list[HttpUpstream] = []
    start = HttpUpstream.start

    async def noted(upstream: HttpUpstream) -> None:
        started.append(upstream)
        await start(upstream)

    def refuse(*_: object) -> None:
        raise StorageError("the disk is full")

    tasks = asyncio.all_tasks()
    config = write_config(tmp_path, CONFIG.replace('base_url: "@SIMULATOR@", ', ""))
    monkeypatch.setattr(HttpUpstream, "start", noted)
    monkeypatch.setattr(where, refuse)
    with pytest.raises(StorageError, match="the disk is full"):
        await App.open(tmp_path, config, lines=LineWriter(BytesIO()))
    assert [upstream._lanes for upstream in started] == [{}]
    assert asyncio.all_tasks() == tasks
    FolderLock(tmp_path).release()


async def test_an_unchanged_file_changes_nothing(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        gate = gateway.app._gate
        assert await gateway.app.apply_config() == (gateway.app.snapshot.digest, False)
        assert gateway.app._gate is gate


async def test_limits_and_spending_outlive_a_swap(tmp_path: Path) -> None:
    limited = CONFIG.replace("content: redacted", "content: redacted, limits: {concurrency: 1}")
    async with running_gateway(tmp_path, limited) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("fault: chunk=4 delay=20ms\nwords: 100")))
        await client.until(b"data: ", 2)
        rewrite(gateway, with_budget(500, limited))
        await gateway.app.apply_config()
        status, body = await ask(gateway, "echo: too many")
        assert (status, b"concurrency_limited" in body) == (429, True)
        await client.close()
        await balanced(gateway, 2)


async def test_a_shutdown_waits_for_what_a_replaced_configuration_still_finishes(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, FINISHING) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("fault: chunk=4 delay=20ms\nwords: 40")))
        await client.until(b"data: ", 2)
        await client.close()
        rewrite(gateway, with_budget(500, FINISHING))
        await gateway.app.apply_config()
    with gateway.reader() as reader:
        (row,) = reader.search(SearchFilters(), 10)
    assert (row.state, row.code, row.usage_source) == ("completed", "client_disconnected", "provider")
    assert gateway.simulator.stats.aborted == 0


async def test_words_of_ones_own_hold_from_the_swap_that_names_them_to_the_one_that_does_not(tmp_path: Path) -> None:
    words = "policy:\n  custom:\n    - {name: project, words: [blue falcon]}\n  rules:\n"
    rule = "    - {id: no-projects, stage: request, effect: deny, findings: [custom.project]}\n"
    async with running_gateway(tmp_path) as gateway:
        for text, status in ((CONFIG, 200), (CONFIG.replace("policy:\n  rules:\n", words + rule), 403), (CONFIG, 200)):
            rewrite(gateway, text)
            await gateway.app.apply_config()
            assert (await ask(gateway, "echo: the Blue Falcon flies", stream=False))[0] == status
