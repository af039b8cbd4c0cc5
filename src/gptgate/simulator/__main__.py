"""``python -m gptgate.simulator --port N``: the simulator as a process of its own.

Prints one line with its URL when it listens, and serves until SIGINT or SIGTERM.
"""

import argparse
import asyncio
import signal
import sys

import uvloop

from gptgate.simulator.app import Simulator
from gptgate.simulator.faults import Faults, UnknownFault, parse_faults
from gptgate.simulator.server import SimulatorServer


async def serve(server: SimulatorServer) -> None:
    """Serve until a signal to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    print(server.base_url, flush=True)
    try:
        await stop.wait()
    finally:
        await server.stop()


def main(arguments: list[str]) -> int:
    """The exit code: 0 when told to stop, 1 when the port cannot be opened."""
    parser = argparse.ArgumentParser(prog="python -m gptgate.simulator", description="A provider that is not a model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--key", action="append", default=[], help="accept only this API key; may be repeated")
    parser.add_argument("--faults", default="", help='faults of every answer, such as "latency=20ms chunk=4"')
    asked = parser.parse_args(arguments)
    try:
        faults = parse_faults(asked.faults, Faults())
    except UnknownFault as error:
        parser.error(str(error))
    server = SimulatorServer(Simulator(faults=faults, keys=asked.key), asked.host, asked.port)
    try:
        uvloop.run(serve(server))
    except OSError as error:
        print(f"cannot listen on {asked.host}:{asked.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
