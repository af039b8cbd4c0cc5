"""Counting by the models' own tokenizers: short texts at once, long ones beside the event loop."""

from gptgate.core.tokens import TokenBounds
from gptgate.pipeline.aside import Beside

LONG = 32_768
"""Bytes of a body from which on it is counted beside the event loop: two to five milliseconds there. Below them a
thread costs more than it spares."""
PLACES = 2
"""Bodies that are counted beside it at a time."""


class Counting:
    """Counts for the requests of one Snapshot, those that are long beside the event loop."""

    def __init__(self, bounds: TokenBounds) -> None:
        self._bounds = bounds
        self._beside = Beside(PLACES)

    def knows(self, model: str) -> bool:
        """As `TokenBounds.knows`."""
        return self._bounds.knows(model)

    def counted(self, model: str, bound: int, input_tokens: int) -> None:
        """As `TokenBounds.counted`."""
        self._bounds.counted(model, bound, input_tokens)

    async def most(self, model: str, body: bytes) -> int | None:
        """As `TokenBounds.most`. What takes too long is left at its bytes, which bound it too."""
        if len(body) < LONG:
            return self._bounds.most(model, body)
        try:
            return await self._beside.run(lambda: self._bounds.most(model, body))
        except TimeoutError:
            return None
