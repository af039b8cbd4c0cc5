"""`gptgate simulator`: the provider that is not a model, as a process of its own."""

from typing import Annotated

import typer
import uvloop

from gptgate.cli.failure import USAGE, CommandError
from gptgate.simulator.__main__ import serve
from gptgate.simulator.app import Simulator
from gptgate.simulator.faults import Faults, UnknownFault, parse_faults
from gptgate.simulator.server import SimulatorServer


def simulator(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    keys: Annotated[
        list[str] | None, typer.Option("--key", help="Accept only this API key; may be repeated. Default: any.")
    ] = None,
    faults: Annotated[str, typer.Option(help='Faults of every answer, such as "latency=20ms chunk=4".')] = "",
) -> None:
    """Run the simulator: it speaks the OpenAI and the Anthropic wire, is deterministic, and makes faults to order.

    Prints one line with its URL once it listens, and serves until Ctrl-C or SIGTERM. It is no model: it echoes, by
    simple documented rules.
    """
    try:
        ordered = parse_faults(faults, Faults())
    except UnknownFault as error:
        raise CommandError(f"--faults: {error}", exit_code=USAGE) from None
    server = SimulatorServer(Simulator(faults=ordered, keys=keys or ()), host, port)
    try:
        uvloop.run(serve(server))
    except OSError as error:
        raise CommandError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", hint="choose another --port or --host"
        ) from None
