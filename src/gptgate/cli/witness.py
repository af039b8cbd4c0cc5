"""`gptgate witness`: a witness for the audit logs of gateways elsewhere."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from socket import socket
from typing import Annotated

import typer
import uvloop
from starlette.types import ASGIApp

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.sockets import listen, make_server
from gptgate.cli.text import clean
from gptgate.http.protocol import bounded
from gptgate.witness.app import Witness
from gptgate.witness.heads import Heads, witness_signer
from gptgate_verify import VerificationError
from gptgate_verify.note import ED25519, VerifierKey

KEEP_ALIVE_MS, DRAIN_MS, HEAD_TIMEOUT_MS = 75_000, 2000, 10_000

Folder = Annotated[Path, typer.Option("--data", help="The witness's own folder: its key, and what it has cosigned.")]
DEFAULT_FOLDER = Path("gptgate-witness")

app = typer.Typer(no_args_is_help=True, help="Cosign the audit logs of gateways on other machines.")


@app.command("key")
def show_key(data: Folder = DEFAULT_FOLDER) -> None:
    """Print the witness's public key, made when there is none. Gateways and auditors need it."""
    print(witness_signer(data).key)


@app.command()
def serve(
    log: Annotated[
        list[str],
        typer.Option(metavar="KEY", help="The public key of a log, as `gptgate audit key` prints it. May repeat."),
    ],
    data: Folder = DEFAULT_FOLDER,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8082,
) -> None:
    """Run a witness (c2sp.org/tlog-witness). Run it where the gateways' operators cannot write.

    It cosigns a log's checkpoint when the log proves that it still begins with all that the witness cosigned before.
    A log that was rolled back, or has forked, is refused and told of on standard error.
    """
    try:
        logs = {key.name: key for key in map(VerifierKey.parse, log)}
    except VerificationError as error:
        raise CommandError(str(error), exit_code=USAGE) from None
    if any(key.kind != ED25519 for key in logs.values()):
        raise CommandError("--log takes the key of a log, not of a witness", exit_code=USAGE)
    signer = witness_signer(data)
    with Heads(data, logs) as heads:
        witness = Witness(signer, logs, heads, now_s=lambda: int(time.time()), report=_report)
        listener = listen(host, port, "choose another --port or --host")
        name = f"[{host}]" if ":" in host else host
        print(f"{signer.key}\nhttp://{name}:{listener.getsockname()[1]}", flush=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(witness.app(), listener))


async def _serve(witness: ASGIApp, listener: socket) -> None:
    server = make_server(witness, KEEP_ALIVE_MS, DRAIN_MS, http=bounded(HEAD_TIMEOUT_MS))

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await server.serve(sockets=[listener])


def _report(line: str) -> None:
    print(f"gptgate witness: {clean(line)}", file=sys.stderr, flush=True)
