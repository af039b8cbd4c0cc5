"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_FOLDER = Path("gptgate-data")

Data = Annotated[
    Path,
    typer.Option("--data", envvar="GPTGATE_DATA", help="The data folder: configuration, records, keys."),
]
