"""What must hold of the records and the money whenever a gateway is at rest."""

import asyncio
from pathlib import Path

from gptgate.core.money import format_usd
from gptgate.cost.windows import month_of
from gptgate.storage.views import AuditRecord, SearchFilters
from harness import CONFIG, Gateway, running_gateway
from ledger_parts import spent as spent_in
from raw_client import CHAT, RawClient, post
from waiting import PATIENCE_S, eventually

EVERYTHING = 10_000_000


def records(gateway: Gateway) -> list[AuditRecord]:
    """All records, oldest first."""
    with gateway.reader() as reader:
        shown = [reader.show(row.id) for row in reader.search(SearchFilters(), EVERYTHING)]
    found = [record for record in shown if record is not None]
    assert len(found) == len(shown)
    return sorted(found, key=lambda record: record.seq)


async def balanced(gateway: Gateway, requests: int, app: str = "demo") -> list[AuditRecord]:
    """Wait until these requests are on record and the gateway is at rest; the records, after checking that there are
    no more, and that no intent, coin or place is missing."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with gateway.reader() as reader:
                usage = reader.usage([], 0, 2**53)
            if usage and usage[0].requests >= requests:
                break
            await asyncio.sleep(0.02)
    await gateway.settled()
    app_state = gateway.app
    await eventually(lambda: not (app_state._gate.active or app_state._limiter.in_flight))
    found = records(gateway)
    assert len(found) == requests
    for record in found:
        assert record.end is not None, "an intent without an end"
        if record.end.usage_source == "unknown":
            assert record.end.cost_nano == record.intent.reserved_nano, "unknown usage must stay spent"
        if record.end.usage_source == "unused":
            assert record.end.cost_nano == 0
    spent = sum(record.end.cost_nano for record in found if record.end is not None and record.intent.app == app)
    assert spent_in(app_state._treasury.ledger, app, month_of(app_state.clock.wall_ms())) == spent
    assert app_state._treasury.ledger.open_reservations == 0
    assert app_state.data_plane.in_flight == 0
    with gateway.reader() as reader:
        usage = reader.usage([], 0, 2**53)
    assert usage[0].cost_nano == sum(record.end.cost_nano for record in found if record.end is not None)
    return found


async def ceiling(folder: Path, body: bytes) -> int:
    """The nano-dollars that such a request reserves, in a gateway of its own."""
    async with running_gateway(folder) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, body))
        await client.answer()
        await client.close()
        (probe,) = await balanced(gateway, 1)
        return probe.intent.reserved_nano


def budget_of(nano: int, config: str = CONFIG) -> str:
    """The configuration with this budget."""
    return config.replace('"1000.00"', f'"{format_usd(nano)}"')
