"""Words of messages."""


def counted(number: int, many: str) -> str:
    """A number and what it counts, which is given as many: ``1 request``, ``2 requests``."""
    return f"{number} {many.removesuffix('s') if number == 1 else many}"
