"""`gptgate prices`: what every configured model costs, and what is missing."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import typer

from gptgate.cli.failure import REFUSED
from gptgate.cli.folder import load_config
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import counted
from gptgate.core.money import format_usd
from gptgate.core.snapshot import SERVICE_TIERS, ModelSpec, Snapshot
from gptgate.cost.prices import GenaiPriceBook
from gptgate.cost.table import TablePrice

KINDS = (
    Column("audio_input", "audio input", right=True),
    Column("audio_output", "audio output", right=True),
    Column("image_input", "image input", right=True),
    Column("image_output", "image output", right=True),
)
"""Few models have such prices: a table in which none has shows no column of it."""
COLUMNS = (
    Column("model", "model", fold=True),
    Column("provider", "provider"),
    Column("source", "price from"),
    Column("above", "input above", right=True),
    Column("input", "input", right=True),
    Column("output", "output", right=True),
    Column("cache_read", "cache read", right=True),
    Column("cache_write", "cache write", right=True),
    *KINDS,
    Column("request", "per request", right=True),
    Column("provider_tools", "tools, 1000 uses", fold=True),
    Column("service_tiers", "service tiers", fold=True),
)
UNKNOWN = "unknown"

app = typer.Typer(no_args_is_help=True, help="Show what the configured models cost.")


@app.command("show")
def show(output: Output = Format.TABLE, data: Data = DEFAULT_FOLDER, config: Config = None) -> None:
    """Show the price of every configured model, in dollars for a million tokens.

    A model whose price depends on the length of the input has a row for each length: from so many tokens on, all tokens
    of the request cost what the row says. Audio and images without a price of their own cost what other tokens cost.
    Service tiers are in percent of the price. The fees of tools that the provider runs are for a thousand uses; a
    request that offers others is refused.
    """
    rows = [row for model, price in _prices(load_config(data, config)) for row in _rows(model, price)]
    unused = [column for column in KINDS if all(row[column.name] is None for row in rows)]
    print_records(output, [replace(column, title="") if column in unused else column for column in COLUMNS], rows)


@app.command("check")
def check(data: Data = DEFAULT_FOLDER, config: Config = None) -> int:
    """Check that every configured model has a price. Where one is missing its requests are refused: exit code 1."""
    snapshot = load_config(data, config)
    missing = list(unpriced(snapshot))
    for message, hint in missing:
        print(f"{message}\nhint: {hint}", file=sys.stderr)
    models = len(snapshot.models)
    print(f"{models - len(missing)} of {counted(models, 'model')} {'has' if models == 1 else 'have'} a price")
    return REFUSED if missing else 0


def unpriced(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Each model whose requests are refused because nobody knows what they cost: what is missing, and what to write."""
    for model, price in _prices(snapshot):
        if price is None:
            yield (
                f"models: {model.name}: no price is known for {model.upstream_name} of {model.provider}",
                'in its section, write  price: {input_per_million: "...", output_per_million: "..."}  or  price: free',
            )
        elif unknown := [tool for tool in price.always if price.fee(tool) is None]:
            yield (
                f"models: {model.name}: each request is a {unknown[0]}, whose fee is not known",
                f'in its section, write  provider_tools: [{{name: {unknown[0]}, per_thousand_uses: "..."}}]',
            )


def _prices(snapshot: Snapshot) -> Iterator[tuple[ModelSpec, TablePrice | None]]:
    book = GenaiPriceBook({provider.name: provider.kind for provider in snapshot.providers.values()})
    now_ms = time.time_ns() // 1_000_000
    for _, model in sorted(snapshot.models.items()):
        yield model, book.find(model, now_ms)


def _rows(model: ModelSpec, price: TablePrice | None) -> Iterator[dict[str, object]]:
    named: dict[str, object] = {
        **dict.fromkeys((column.name for column in COLUMNS), None),
        "model": model.name,
        "provider": model.provider,
        "source": UNKNOWN if price is None else price.version,
        "provider_tools": [],
        "service_tiers": [
            f"{name}={model.service_tiers[name]}%" for name in SERVICE_TIERS if name in model.service_tiers
        ],
    }
    if price is None:
        yield named
    else:
        for row in price.rows():
            dollars = {name: format_usd(nano) for name, nano in row.items() if name != "above"}
            tools = [f"{name}={format_usd(nano)}" for name, nano in price.tools.items()]
            yield {**named, **dollars, "provider_tools": tools, "above": row["above"] if row["above"] > 0 else None}
