"""Masks: the shape stays, the value goes. Every character becomes ``*`` but those that a kind's mask shows.

Spaces, dots, hyphens, slashes and colons stay for their shape. What a mask shows is chosen so that it tells apart and
identifies nobody: see `SHOWN`.
"""

from collections.abc import Callable

SHAPE = frozenset(" .-/:")
HIDDEN = "*"


def mask(kind: str, text: str) -> str:
    """The mask of a text of this kind."""
    shown = SHOWN.get(kind, _nothing)(text)
    return "".join([char if char in SHAPE or place in shown else HIDDEN for place, char in enumerate(text)])


def _nothing(text: str) -> frozenset[int]:
    return frozenset()


def _last_four(text: str) -> frozenset[int]:
    """The last four letters and digits, of at least twelve."""
    places = [place for place, char in enumerate(text) if char.isalnum()]
    return frozenset(places[-4:]) if len(places) >= 12 else frozenset()


def _account(text: str) -> frozenset[int]:
    """An account number's country and its last four."""
    country = {0, 1} if text[:2].isascii() and text[:2].isalpha() else set()
    return _last_four(text) | country


def _address(text: str) -> frozenset[int]:
    """The first letter before the ``@``, unless it is the only one, and everything from the ``@`` on."""
    at = text.rfind("@")
    if at < 0:
        return frozenset()
    first = {0} if at > 1 else set()
    return frozenset(range(at, len(text))) | first


SHOWN: dict[str, Callable[[str], frozenset[int]]] = {
    "pii.email": _address,
    "pii.iban": _account,
    "pii.payment_card": _last_four,
}
"""Kind → which characters its mask shows, by place. A kind that is not named here shows none."""
