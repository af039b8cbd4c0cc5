"""What no provider's form says anything about: values that only look like a key or a password."""

import re

from gptgate.detectors.grammar import loosened, parse
from gptgate.detectors.library import (
    ai_secrets,
    api_secrets,
    business_secrets,
    cloud_secrets,
    code_secrets,
    messaging_secrets,
    payment_secrets,
)
from gptgate.detectors.randomness import is_password, is_random

_KNOWN = re.compile(
    "|".join(
        loosened(parse(pattern.body))
        for module in (
            api_secrets,
            ai_secrets,
            business_secrets,
            cloud_secrets,
            code_secrets,
            messaging_secrets,
            payment_secrets,
        )
        for pattern in module.DETECTOR.patterns
    ).encode()
    + rb"|ey[IJ][A-Za-z0-9_-]{8,}\."
)


def has_form(value: bytes) -> bool:
    """Whether a value begins as a provider's secrets do: those are found as such."""
    return _KNOWN.match(value) is not None


def is_value(value: bytes) -> bool:
    """Whether a token has no form of its own and looks drawn by a machine."""
    return not has_form(value) and is_random(value)


_HOST = re.compile(rb"@(?:[A-Za-z0-9-]+[.])+[A-Za-z]{2,}(?:[:/?].*)?")
"""What follows ``<password>`` in an address that explains something."""


def is_chosen(value: bytes) -> bool:
    """Whether a password has no form of its own and looks chosen by a person, or drawn."""
    return not has_form(value) and is_password(value) and _HOST.fullmatch(value) is None
