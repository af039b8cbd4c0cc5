"""Payment card numbers (ISO/IEC 7812-1): issuer ranges, lengths, usual groupings and the Luhn checksum."""

from gptgate.detectors.pattern import Detector, Pattern

_SHORT_MAESTRO = (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763)

_RANGES: tuple[tuple[int, int, int, frozenset[int]], ...] = (
    # digits of the prefix, first, last, lengths
    (1, 4, 4, frozenset({13, 16, 19})),  # Visa
    (2, 51, 55, frozenset({16})),  # Mastercard
    (4, 2221, 2720, frozenset({16})),
    (2, 34, 34, frozenset({15})),  # American Express
    (2, 37, 37, frozenset({15})),
    (3, 300, 305, frozenset({14, 16, 19})),  # Diners Club
    (2, 36, 36, frozenset({14, 16, 19})),
    (2, 38, 39, frozenset({14, 16, 19})),
    (4, 6011, 6011, frozenset({16, 19})),  # Discover
    (3, 644, 649, frozenset({16, 19})),
    (2, 65, 65, frozenset({16, 19})),
    (4, 3528, 3589, frozenset({16, 17, 18, 19})),  # JCB
    (2, 35, 35, frozenset({16})),
    (4, 1800, 1800, frozenset({15})),
    (4, 2131, 2131, frozenset({15})),
    (2, 62, 62, frozenset({16, 17, 18, 19})),  # UnionPay
    (2, 81, 81, frozenset({16, 17, 18, 19})),
    (4, 2200, 2204, frozenset({16, 17, 18, 19})),  # Mir
    *((4, first, first, frozenset({12})) for first in _SHORT_MAESTRO),
    (2, 50, 50, frozenset({13, 14, 15, 16, 17, 18, 19})),  # Maestro
    (2, 56, 58, frozenset({13, 14, 15, 16, 17, 18, 19})),
    (2, 60, 61, frozenset({16, 19})),  # RuPay, Maestro
    (2, 63, 63, frozenset({16, 17, 18, 19})),
    (2, 67, 69, frozenset({13, 14, 15, 16, 17, 18, 19})),
)


_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
"""Twice a digit, its digits added."""


def is_card(match: bytes) -> bool:
    """Whether these digits, grouped or not, are a number that an issuer could have given out."""
    number = match.translate(None, b" -._/|\t\r\n\xc2\xb7")
    # Most candidates fail here, so it is what has to be fast: ones and doubled digits, from the right.
    if (sum(number[::-2]) + sum(number[-2::-2].translate(_DOUBLED))) % 10 != 48 * len(number) % 10:
        return False
    digits = number.decode()
    known = any(
        first <= int(digits[:size]) <= last and len(digits) in lengths for size, first, last, lengths in _RANGES
    )
    return known and len(set(digits)) > 1


_SIGN = r"(?:[ ._/|\t\n\r-]|\xc2\xb7|  | - |[\r][\n])"
_GROUPED = (
    f"[2-6][0-9]{{3}}{_SIGN}(?:[0-9]{{4}}{_SIGN}[0-9]{{4}}{_SIGN}[0-9]{{4}}|[0-9]{{6}}{_SIGN}[0-9]{{4,5}})"
    f"|3[47][0-9]{{2}}{_SIGN}[0-9]{{4}}{_SIGN}[0-9]{{4}}{_SIGN}[0-9]{{3}}"
    "|[3-6][0-9]{7}[ -][0-9]{8}"
)
_NAMES = "(?:[Cc]ard|CARD|[Vv]isa|VISA|[Aa]mex|AMEX|[Mm]astercard|MASTERCARD)"
"""What numbers are stuck to: ``card4111…``. With any word, each word of a stream would be the beginning of a match."""
# Not the tail of a longer number, of a decimal fraction or of an identifier.
_LEFT = r"(?:[^A-Za-z0-9.]|[^0-9]\.|\\[nrt])"
# Nor the head of one; but tables write whole numbers as fractions of nothing.
_RIGHT = r"(?:[^A-Za-z0-9.-]|[.-][^0-9]|\.0[^0-9.])"

DETECTOR = Detector(
    name="payment_card",
    version=7,
    kinds={"pii.payment_card": "A payment card number with a valid issuer range, length and Luhn checksum."},
    patterns=(
        Pattern(
            kind="pii.payment_card",
            left=_LEFT,
            body=f"(?:[2-68][0-9]{{12,18}}|(?:5[08]|6[37])[0-9]{{10}}|1800[0-9]{{11}}|{_GROUPED})",
            right=_RIGHT,
            points=60,
            accept=is_card,
        ),
        Pattern(
            kind="pii.payment_card",
            left=_LEFT,
            prefix=_NAMES,
            body=f"(?:[3-6][0-9]{{13,15}}|{_GROUPED})",
            right=_RIGHT,
            points=60,
            trigger=f"{_NAMES}[2-6][0-9]{{3}}",
            accept=is_card,
        ),
        # The first track of a magnetic strip, and a word right behind a number.
        Pattern(
            kind="pii.payment_card",
            left=_LEFT,
            prefix="%[A-Za-z]",
            body="[3-6][0-9]{13,15}",
            right=r"(?:[^A-Za-z0-9.-]|[.-][^0-9]|[A-Za-z]{3})",
            points=60,
            trigger="%[A-Za-z][3-6][0-9]{13}",
            accept=is_card,
        ),
        Pattern(
            kind="pii.payment_card",
            left=_LEFT,
            body="[3-6][0-9]{13,15}",
            right="[A-Za-z]{3}",
            points=60,
            trigger="[3-6][0-9]{13,15}[A-Za-z]{3}",
            accept=is_card,
        ),
    ),
)
