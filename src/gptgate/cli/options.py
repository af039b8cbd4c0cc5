"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from gptgate.cli.output import Format

DEFAULT_FOLDER = Path("gptgate-data")

Data = Annotated[
    Path,
    typer.Option("--data", envvar="GPTGATE_DATA", help="The data folder: configuration, records, keys."),
]
Config = Annotated[Path | None, typer.Option("--config", help="The configuration file; default DATA/gptgate.yaml.")]
Output = Annotated[Format, typer.Option("--format", help="A table for people; JSON or CSV for programs.")]
