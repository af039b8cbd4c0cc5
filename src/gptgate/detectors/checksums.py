"""Check digits and calendar dates as numbers of persons and accounts use them. Arguments are strings of digits."""

from collections.abc import Sequence
from itertools import cycle

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_VERHOEFF_PRODUCT = tuple(
    tuple(
        (a + b) % 5 + (5 if (a < 5) != (b < 5) else 0) if a < 5 else (a - b) % 5 + (5 if b < 5 else 0)
        for b in range(10)
    )
    for a in range(10)
)
_VERHOEFF_FIRST = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def plain(match: bytes) -> str:
    """The letters and digits of a match, in upper case."""
    return "".join(filter(str.isalnum, match.decode("ascii", "replace"))).upper()


def luhn(digits: str) -> bool:
    """The Luhn checksum (ISO/IEC 7812-1 annex B)."""
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of the digits, each times its weight; the weights begin again where they end before the digits."""
    return sum(int(digit) * weight for digit, weight in zip(digits, cycle(weights), strict=False))


def mod_97(text: str) -> int:
    """The remainder by 97 of an alphanumeric text whose letters count from A = 10 (ISO/IEC 7064)."""
    return int("".join(str(int(char, 36)) for char in text)) % 97


def mod_11_10(digits: str) -> bool:
    """ISO/IEC 7064 MOD 11,10, check digit last."""
    state = 10
    for digit in digits[:-1]:
        state = ((state + int(digit)) % 10 or 10) * 2 % 11
    return (11 - state) % 10 == int(digits[-1])


def verhoeff(digits: str) -> bool:
    """The Verhoeff checksum, check digit last."""
    state, permutation = 0, tuple(range(10))
    for digit in reversed(digits):
        state = _VERHOEFF_PRODUCT[state][permutation[int(digit)]]
        permutation = tuple(_VERHOEFF_FIRST[each] for each in permutation)
    return state == 0


def is_date(month: str, day: str) -> bool:
    """Whether a year can have that month and day."""
    return 1 <= int(month) <= 12 and 1 <= int(day) <= _DAYS[int(month) - 1]


def is_varied(digits: str) -> bool:
    """Not one digit all over: a placeholder, whatever its checksum says."""
    return len(set(digits)) > 1
