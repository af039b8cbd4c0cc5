"""The connection to the server that keeps the counters. Every failure is one error; another server is noticed."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from pathlib import Path

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
"""How long an alert of a server that speaks TLS is waited for, before it is met."""
AGAINST_CERTIFICATES = ("CERTIFICATE", "UNKNOWN_CA", "DECRYPT_ERROR", "HANDSHAKE_FAILURE")
"""What alerts of a server have in their names that concern the gateway's certificate."""

Reply = list[object]


def unavailable(detail: str) -> CountersUnavailable:
    """What callers are told, and what operators are."""
    return CountersUnavailable("The gateway's shared counters cannot be asked, so nothing was sent.", detail=detail)


class Link:
    """Calls scripts, without any retry: a charge whose answer is lost may have been made."""

    def __init__(self, spec: CountersSpec, password: str) -> None:
        self.server = ""
        """The server process that was joined; empty: none was yet, or it is in doubt."""
        timeout_s = spec.timeout_ms / 1000
        files = {"ssl_ca_certs": spec.ca, "ssl_certfile": spec.cert, "ssl_keyfile": spec.key}
        pool = BlockingConnectionPool.from_url(
            spec.url,
            max_connections=CONNECTIONS,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            username=spec.user or None,
            password=password or None,
            **{name: file for name, file in files.items() if file},
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            redis_connect_func=self._greet,
        )
        self._client = Redis(connection_pool=pool)
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
        self.server = ""
        try:
            await self._client.connection_pool.disconnect(inuse_connections=False)
            about = {**await self._client.info("server"), **await self._client.info("memory")}
        except (RedisError, OSError, RuntimeError) as error:
            raise _failed(error) from error
        policy = about.get("maxmemory_policy")
        if about.get("maxmemory") and policy != EVICTS_NOTHING:
            raise unavailable(f"the server evicts keys: set its maxmemory-policy to {EVICTS_NOTHING}")
        return str(about["run_id"]), _doubts(policy)

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def _greet(self, connection: AbstractConnection) -> None:
        """A server that took over, or came back, may not have heard of the last charges. It breaks all connections, so
        asking at the beginning of each is enough."""
        if isinstance(connection, SSLConnection) and not self.server:
            await _hear_out(connection)
        await connection.on_connect()
        if not self.server:
            return
        await connection.send_command("INFO", "server")
        about = str(await connection.read_response())
        if f"run_id:{self.server}" not in about:
            self.server = ""
            raise RedisError("another server process answers than before")


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
