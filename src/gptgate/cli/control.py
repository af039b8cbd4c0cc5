"""Calls to the control plane of the gateway that runs on a data folder."""

import http.client
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gptgate.cli.failure import CommandError
from gptgate.cli.folder import is_running, load_config
from gptgate.config.problem import ConfigError
from gptgate.core.snapshot import ServerSpec
from gptgate.storage.folder import ADMIN_TOKEN_NAME

TIMEOUT_S = 5.0
MAX_ANSWER = 1 << 20


class Untold(Exception):
    """The gateway runs and could not be told. ``str`` is the reason in one line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the control plane said. `document` is empty when the body is no JSON object."""

    status: int
    document: Mapping[str, Any]

    @property
    def reason(self) -> str:
        """Why it refused, in one line."""
        return f"{self.status} {self.document.get('code', '')}: {self.document.get('detail', 'no detail')}"


def post(data: Path, server: ServerSpec, path: str, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """POST to the control plane, with the folder's admin token. Raises Untold.

    Call it only while a gateway holds the folder's lock: the token must not go to whoever else listens on that port.
    The standard library's client reads no proxy from the environment and follows no redirect.
    """
    address = f"{server.control_host}:{server.control_port}"
    connection = http.client.HTTPConnection(_reachable(server.control_host), server.control_port, timeout=timeout_s)
    try:
        headers = {"Authorization": f"Bearer {_token(data)}"}
        connection.request("POST", path, headers=headers)
        response = connection.getresponse()
        body = response.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise Untold(f"no answer from {address}: {error or type(error).__name__}") from None
    finally:
        connection.close()
    return Answer(response.status, _object(body))


def refresh_keys(data: Path, config: Path | None) -> bool:
    """Tell the running gateway to read its keys anew; False when no gateway runs. Raises Untold."""
    try:
        if not is_running(data):
            return False
        answer = post(data, load_config(data, config).server, "/admin/v1/keys/refresh")
    except CommandError as error:
        raise Untold(error.message) from None
    except ConfigError as error:
        raise Untold(f"its address is unknown: {error.problems[0]}") from None
    if answer.status != 200:
        raise Untold(f"it answered {answer.reason}")
    return True


def _token(data: Path) -> str:
    path = data / ADMIN_TOKEN_NAME
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Untold(f"{path} cannot be read: {getattr(error, 'strerror', 'not a token')}") from None
    if not token.isprintable():
        raise Untold(f"{path} holds no token")
    return token


def _reachable(host: str) -> str:
    """A listener on every address is reached on loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
