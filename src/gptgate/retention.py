"""Erases kept texts whose time is over, as the configuration in force says. Each erasure is on record."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from gptgate.core.kept import TextSpec
from gptgate.core.ports import Clock
from gptgate.storage.erasure import expire
from gptgate.storage.errors import StorageError

EVERY_S = 600.0
"""Between two looks: so much longer than configured a text may stay, and the time of the work itself."""


def due(texts: TextSpec, now_ms: int) -> Iterator[tuple[str, int]]:
    """Categories whose texts go, ``""`` for all, and before when their requests began."""
    if texts.keep_ms:
        yield "", now_ms - texts.keep_ms
    for name, keep_ms in texts.class_keep_ms:
        yield name, now_ms - keep_ms


async def keep_retention(
    folder: Path, clock: Clock, texts: Callable[[], TextSpec], logger: FilteringBoundLogger
) -> None:
    """Look now and again, until cancelled. What cannot be erased is said, and tried again."""
    while True:
        for name, before_ms in due(texts(), clock.wall_ms()):
            try:
                erased = await asyncio.to_thread(expire, folder, before_ms, clock.wall_ms(), name)
            except StorageError as error:
                logger.error("texts whose time is over could not be erased", data_class=name, problem=error.message)
            else:
                if erased:
                    logger.info("texts whose time is over were erased", data_class=name, requests=erased)
        await asyncio.sleep(EVERY_S)
