"""`gptgate serve`: run the gateway on an existing data folder."""

from pathlib import Path
from typing import Annotated

import typer

from gptgate.cli.failure import CommandError
from gptgate.cli.listen import serve_forever
from gptgate.cli.options import DEFAULT_FOLDER, Data
from gptgate.compose import CONFIG_NAME, App


def serve(
    data: Data = DEFAULT_FOLDER,
    config: Annotated[Path | None, typer.Option(help="The configuration file; default DATA/gptgate.yaml.")] = None,
) -> None:
    """Run the gateway."""
    path = config or data / CONFIG_NAME
    if not path.is_file():
        raise CommandError(f"there is no configuration at {path}", hint="gptgate quickstart makes one to begin with")
    serve_forever(data, path, _announce)


def _announce(app: App) -> None:
    server = app.snapshot.server
    app.logger.info(
        "gptgate serves",
        data=f"http://{server.data_host}:{server.data_port}",
        control=f"http://{server.control_host}:{server.control_port}",
        config_digest=app.snapshot.digest,
        recovered=app.store.recovered,
    )
