"""A whole gateway with witnesses in its configuration: its metrics, its readiness, and what an auditor can verify."""

import shutil
from pathlib import Path

import aiohttp
import pytest

from gptgate.audit.signing import Signer
from gptgate.cli.audit_prove import prove
from gptgate.cli.audit_verify import verify
from gptgate.cli.failure import UNVERIFIED, CommandError
from gptgate.compose import App
from gptgate.storage.log_folder import LogFolder, load_or_make_seed
from harness import CONFIG, Gateway, running_gateway
from waiting import eventually
from witness_server import outside

WITNESSES = """\
audit:
  witnesses:
    - {name: copies, kind: file, path: "FOLDER", every: 100ms}
    - {name: hook, kind: webhook, url: "URL/hook", credential: "env:WITNESS_SECRET", every: 100ms}
    - {name: second, kind: tlog, url: "URL", key: "KEY", every: 100ms}
"""


async def ask(gateway: Gateway) -> str:
    """One request from beginning to end; its id."""
    body = {"model": "sim-gpt", "messages": [{"role": "user", "content": "echo: hello"}]}
    headers = {"Authorization": f"Bearer {gateway.key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{gateway.base_url}/v1/chat/completions", json=body) as answer,
    ):
        await answer.read()
        assert answer.status == 200
    await gateway.settled()
    return answer.headers["x-request-id"]


def is_witnessed(app: App) -> bool:
    """Whether every record is in the log, and every witness has seen all of it."""
    stats = app.store.stats()
    return not stats.log_lag_rows and all(one["taken_entries"] == stats.log_size for one in app._witnessing.status())


async def test_a_gateway_has_its_log_witnessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WITNESS_SECRET", "a secret that signs")
    folder, there = tmp_path / "data", tmp_path / "witness"
    folder.mkdir()
    there.mkdir()
    log = Signer.of_installation(load_or_make_seed(folder)).key
    async with outside(there, log) as out:
        config = WITNESSES.replace("URL", out.url).replace("KEY", str(out.key)).replace("FOLDER", f"{tmp_path}/copies")
        async with running_gateway(folder, CONFIG + config) as gateway:
            app = gateway.app
            await eventually(lambda: all(one["taken_ms"] for one in app._witnessing.status()))
            shown = {one["name"]: one["kind"] for one in app.status()["witnesses"]}  # type: ignore[attr-defined]
            assert shown == {"copies": "file", "hook": "webhook", "second": "tlog"}
            assert app.readiness() == []
            request_id = await ask(gateway)
            await eventually(lambda: is_witnessed(app))
            proof = tmp_path / "request.proof"
            prove(request_id, proof, data=folder)
            verify(proof, str(log), None, [str(out.key)], tmp_path)
            before = set((folder / "log" / "witness").iterdir())
            LogFolder(folder).keep_witnessed("broken", b"no note")
            prove(request_id, proof, data=folder)
            (broken,) = set((folder / "log" / "witness").iterdir()) - before
            broken.unlink()
            assert "the note of witness broken is damaged and left out" in capsys.readouterr().err
            verify(proof, str(log), None, [str(out.key)], tmp_path)
            assert f"Cosigned by {out.key.name}: the first " in capsys.readouterr().out
            metrics = app.telemetry.scrape().decode()
            assert 'gptgate_witness_behind_entries{witness="second"}' in metrics
            assert 'gptgate_witness_checkpoints_total{outcome="taken",witness="copies"}' in metrics
            assert "gptgate_log_entries " in metrics
        seen = tmp_path / "seen"
        seen.write_bytes(out.heads.note(log.name) or b"")
        verify(None, str(log), [seen], [str(out.key)], folder)
        assert f"Cosigned by {out.key.name}: the first " in capsys.readouterr().out
        # All records and the log go; only what others have seen tells that there were any.
        shutil.rmtree(folder / "log")
        for path in folder.glob("gptgate.db*"):
            path.unlink()
        async with running_gateway(folder, CONFIG + config) as gateway:
            await eventually(lambda: len(gateway.app._witnessing.forks()) == 2)
            assert sorted(reason.partition(":")[0] for reason in gateway.app.readiness()) == [
                "the audit log has forked, says witness copies",
                "the audit log has forked, says witness second",
            ]
            # Two entries of a start against more than that.
            await eventually(lambda: gateway.app.store.stats().log_size)
            with pytest.raises(CommandError, match=r"a checkpoint of it with|the log has forked") as caught:
                verify(None, str(log), [seen], [str(out.key)], folder)
            assert caught.value.exit_code == UNVERIFIED
