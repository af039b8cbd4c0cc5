"""Telling the gateway, and saying so when it cannot be told."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gptgate.cli.control import Untold, post, refresh_keys
from gptgate.config.load import load_text
from gptgate.core.snapshot import ServerSpec
from gptgate.detectors import KINDS
from gptgate.storage.folder import FolderLock
from harness import CONFIG, free_port, write_config

TOKEN = "t" * 43


class Plane(http.server.HTTPServer):
    """Gives every POST this answer, and notes what it was asked."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Control)
        self.answer = (status, body)
        self.seen: list[tuple[str, str | None]] = []


class Control(http.server.BaseHTTPRequestHandler):
    """Answers as its server says."""

    server: Plane

    def do_POST(self) -> None:
        self.server.seen.append((self.path, self.headers["authorization"]))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def control_plane(status: int, body: bytes) -> Iterator[Plane]:
    server = Plane(status, body)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _server(port: int, host: str = "127.0.0.1") -> ServerSpec:
    text = CONFIG.replace("127.0.0.1:@CONTROL@", f"{host}:{port}").replace("@DATA@", "1")
    return load_text(text.replace("@SIMULATOR@", "http://127.0.0.1:1"), "test", KINDS).server


def _running(folder: Path, port: int) -> FolderLock:
    write_config(folder, CONFIG, simulator="http://127.0.0.1:1", control=port)
    (folder / "admin.token").write_text(TOKEN + "\n")
    return FolderLock(folder)


def test_the_token_goes_along_and_the_answer_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    (tmp_path / "admin.token").write_text(TOKEN + "\n")
    with control_plane(200, json.dumps({"keys": 3}).encode()) as server:
        answer = post(tmp_path, _server(server.server_port), "/x")
        assert (answer.status, answer.document) == (200, {"keys": 3})
        assert server.seen == [("/x", f"Bearer {TOKEN}")]


def test_a_listener_on_every_address_is_reached_on_loopback(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text(TOKEN)
    with control_plane(200, b"{}") as server:
        assert post(tmp_path, _server(server.server_port, "0.0.0.0"), "/x").status == 200


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff"])
def test_an_answer_that_is_no_object_has_an_empty_document(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "admin.token").write_text(TOKEN)
    with control_plane(500, body) as server:
        answer = post(tmp_path, _server(server.server_port), "/x")
    assert answer.document == {}
    assert answer.reason == "500 : no detail"


def test_no_redirect_is_followed(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text(TOKEN)
    with control_plane(307, b"") as server:
        assert post(tmp_path, _server(server.server_port), "/x").status == 307


def test_nobody_there_is_untold_and_names_the_address(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text(TOKEN)
    port = free_port()
    with pytest.raises(Untold, match=f"127.0.0.1:{port}"):
        post(tmp_path, _server(port), "/x")


def test_without_a_token_nothing_is_sent(tmp_path: Path) -> None:
    with control_plane(200, b"{}") as server:
        with pytest.raises(Untold, match=r"admin\.token"):
            post(tmp_path, _server(server.server_port), "/x")
        assert server.seen == []


def test_whoever_listens_while_no_gateway_runs_gets_no_token(tmp_path: Path) -> None:
    with control_plane(200, b"{}") as server:
        _running(tmp_path, server.server_port).release()
        assert refresh_keys(tmp_path, None) is False
        assert server.seen == []


def test_a_running_gateway_is_told(tmp_path: Path) -> None:
    with control_plane(200, b'{"keys": 1}') as server:
        lock = _running(tmp_path, server.server_port)
        assert refresh_keys(tmp_path, None) is True
        lock.release()
        assert server.seen == [("/admin/v1/keys/refresh", f"Bearer {TOKEN}")]


def test_a_refusal_and_a_broken_configuration_are_untold(tmp_path: Path) -> None:
    body = json.dumps({"code": "unauthorized", "detail": "No."}).encode()
    with control_plane(401, body) as server:
        lock = _running(tmp_path, server.server_port)
        with pytest.raises(Untold, match="401 unauthorized: No"):
            refresh_keys(tmp_path, None)
        (tmp_path / "gptgate.yaml").write_text("version: 2\n")
        with pytest.raises(Untold, match="address is unknown"):
            refresh_keys(tmp_path, None)
        (tmp_path / "gptgate.yaml").unlink()
        with pytest.raises(Untold, match="no configuration"):
            refresh_keys(tmp_path, None)
        lock.release()
