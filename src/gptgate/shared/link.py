"""The connection to the server that keeps the counters. Every failure is one error; another server is noticed."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from gptgate.core.beside import CountersSpec
from gptgate.core.errors import CountersUnavailable

CONNECTIONS = 64
"""So many calls are under way at a time; others wait for their turn, not longer than a call may take."""
_HERE = Path(__file__).parent
CHARGE, JOIN = ((_HERE / name).read_text("utf-8") for name in ("charge.lua", "join.lua"))
EVICTS_NOTHING = "noeviction"
CLOSED = "the handler is closed"
"""In the RuntimeError by which uvloop says that a connection was closed before it was written to."""
ALERT_S = 0.25
"""How long an alert of a server that speaks TLS is waited for, where meeting it failed."""
AGAINST_CERTIFICATES = ("CERTIFICATE", "UNKNOWN_CA", "DECRYPT_ERROR", "HANDSHAKE_FAILURE")
"""What alerts of a server have in their names that concern the gateway's certificate."""

Reply = list[object]


def unavailable(detail: str) -> CountersUnavailable:
    """What callers are told, and what operators are."""
    return CountersUnavailable("The gateway's shared counters cannot be asked, so nothing was sent.", detail=detail)


class Link:
    """Calls scripts, without any retry: a charge whose answer is lost may have been made."""

    def __init__(self, spec: CountersSpec, password: str) -> None:
        self._server = ""
        """The server process that was met last; empty: none was yet."""
        self._hears_out = False
        self._meeting = _client(spec, password, 1, self._begin)
        self._client = _client(spec, password, CONNECTIONS, self._greet)
        self._scripts = {text: self._client.register_script(text) for text in (CHARGE, JOIN)}

    async def call(self, script: str, keys: Sequence[str], ask: dict[str, object]) -> Reply:
        """Raises CountersUnavailable; a broken one may have been a charge all the same."""
        try:
            reply: Reply = await self._scripts[script](keys, [msgspec.json.encode(ask)])
        except (ConnectionError, RedisConnectionError, RuntimeError) as error:
            broken = _failed(error)
            broken.broken = True
            raise broken from error
        except (RedisError, OSError) as error:
            raise _failed(error) from error
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # The client waits by `asyncio.wait_for`, which in Python 3.11 can swallow a cancellation.
            raise asyncio.CancelledError
        return reply

    async def meet(self) -> tuple[str, str]:
        """The id of the server process that answers now, and what speaks against it. Raises CountersUnavailable when it
        may forget counters."""
        try:
            about = await self._ask_about()
            await self._client.connection_pool.disconnect(inuse_connections=False)
        except (RedisError, OSError, RuntimeError) as error:
            raise _failed(error) from error
        policy = about.get("maxmemory_policy")
        if about.get("maxmemory") and policy != EVICTS_NOTHING:
            raise unavailable(f"the server evicts keys: set its maxmemory-policy to {EVICTS_NOTHING}")
        if not about.get("run_id"):
            raise unavailable("the server does not say its run_id in INFO, so another in its place would go unnoticed")
        self._server = str(about["run_id"])
        return self._server, _doubts(policy)

    async def close(self) -> None:
        for client in (self._meeting, self._client):
            await client.aclose()
            await client.connection_pool.disconnect()

    async def _ask_about(self) -> dict[str, Any]:
        """On a connection of its own, for it alone leads to whichever server there is."""
        try:
            return await self._info()
        except (RedisError, OSError, RuntimeError):
            if not issubclass(self._meeting.connection_pool.connection_class, SSLConnection):
                raise
            # It may have spoken against the gateway's certificate, and nobody listened.
            self._hears_out = True
            return await self._info()
        finally:
            self._hears_out = False

    async def _info(self) -> dict[str, Any]:
        try:
            return {**await self._meeting.info("server"), **await self._meeting.info("memory")}
        finally:
            await self._meeting.connection_pool.disconnect()

    async def _begin(self, connection: AbstractConnection) -> None:
        if self._hears_out:
            await _hear_out(connection)
        await connection.on_connect()

    async def _greet(self, connection: AbstractConnection) -> None:
        """A server that took over, or came back, may not have heard of the last charges, and its counters bear the same
        name. It has none of the connections that there were, so asking at the beginning of each is enough."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        about = str(await connection.read_response())
        if not self._server or f"run_id:{self._server}" not in about:
            raise RedisConnectionError("another server process answers than before")


class _Unreadable(RedisError):
    """A file of certificates, or of a key, that cannot be used."""


class _Encrypted(SSLConnection):
    """Reads its files whenever it connects, for they are renewed."""

    def _connection_arguments(self) -> Mapping[str, object]:
        self.ssl_context.context = None
        try:
            return super()._connection_arguments()
        except (OSError, ValueError) as error:
            names = [name for name in (self.certfile, self.keyfile, self.ca_certs) if name]
            raise _Unreadable(f"cannot use {', '.join(names)}: {error}") from error


def _client(
    spec: CountersSpec, password: str, connections: int, greet: Callable[[AbstractConnection], Awaitable[None]]
) -> Redis:
    """So many connections at a time, each greeted first; nothing is tried twice."""
    timeout_s = spec.timeout_ms / 1000
    files = {"ssl_ca_certs": spec.ca, "ssl_certfile": spec.cert, "ssl_keyfile": spec.key}
    given = {name: file for name, file in files.items() if file}
    if spec.cert:
        given["ssl_password"] = ""  # else whoever sits before the terminal is asked for a key's, and all else waits
    pool = BlockingConnectionPool.from_url(
        spec.url,
        max_connections=connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        username=spec.user or None,
        password=password or None,
        **given,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        redis_connect_func=greet,
    )
    if pool.connection_class is SSLConnection:
        pool.connection_class = _Encrypted
    return Redis(connection_pool=pool)


async def _hear_out(connection: AbstractConnection) -> None:
    """In TLS 1.3 a server speaks against a client's certificate after the handshake, and what the client has written by
    then resets the connection before its alert is read. Raises SSLError where there is one."""
    reader = connection._reader
    if reader is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ALERT_S):
                await reader.read(1)  # a server says nothing of its own accord


def _failed(error: Exception) -> CountersUnavailable:
    if isinstance(error, RuntimeError) and CLOSED not in str(error):
        raise error
    failed = unavailable(f"{type(error).__name__}: {error}")
    if isinstance(error, AuthenticationError) or str(error).startswith("NOAUTH"):
        failed.hint = "counters.user and counters.credential must be those that the server knows"
    elif isinstance(error, NoPermissionError):
        failed.hint = "give counters.user the rights that the guide names: docs/how-to/run-with-valkey.md"
    elif isinstance(error.__cause__, _Unreadable):
        failed.hint = "counters.cert, its key in counters.key, without a password, and counters.ca must be files in PEM"
    elif any(isinstance(each, ssl.SSLError) and _speaks_against_ours(each) for each in (error, error.__context__)):
        failed.hint = "counters.cert must name a certificate, and counters.key its key, that the server accepts"
    elif isinstance(error.__context__, ssl.SSLCertVerificationError):
        failed.hint = "counters.url must have the name in the server's certificate, counters.ca name who signed it"
    return failed


def _speaks_against_ours(error: ssl.SSLError) -> bool:
    """Whether the server says that it will not have the certificate that it was shown, or that it was shown none."""
    reason = error.reason or ""
    return "_ALERT_" in reason and any(word in reason for word in AGAINST_CERTIFICATES)


def _doubts(policy: object) -> str:
    """Whether the server may come to forget counters."""
    if policy is None:
        return "the server does not say its maxmemory-policy, so it could not be seen whether it evicts keys"
    if policy != EVICTS_NOTHING:
        return f"the server's maxmemory-policy is {policy}: it would evict keys if it had a bound on its memory"
    return ""
