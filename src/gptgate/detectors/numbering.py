"""The numbering plans of the world's countries (phonenumbers), each compiled into one pattern.

phonenumbers answers one number in some 25 µs, and the same question is asked of every number in a text for up to
twenty countries. One automaton answers it in less than one.
"""

from collections.abc import Callable, Iterable
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from gptgate.detectors.engine import compile_bytes

_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)
"""What makes a number valid: the plan has it for one of these."""

_NO_COUNTRY = "001"
"""The region of codes that belong to no country, such as those of satellites."""


def _plans(code: int) -> list[PhoneMetadata]:
    found = (
        PhoneMetadata.metadata_for_nongeo_region(code, None)
        if region == _NO_COUNTRY
        else PhoneMetadata.metadata_for_region(region, None)
        for region in COUNTRY_CODE_TO_REGION_CODE[code]
    )
    return [plan for plan in found if plan is not None]


_PLANS = {code: _plans(code) for code in COUNTRY_CODE_TO_REGION_CODE}
"""Read now: otherwise the first number of each country would read a file while a request waits."""


def _source(code: int) -> str:
    """A pattern of the numbers that the countries of a code have given out, as they are dialled from abroad."""
    descriptions = [getattr(plan, name) for plan in _PLANS[code] for name in _TYPES]
    patterns = [each.national_number_pattern for each in descriptions if each is not None]
    return "|".join(sorted({one for one in patterns if one}))


@cache
def plan(code: int) -> Callable[[bytes], object]:
    """Whether the digits behind a country's code are given out there."""
    given_out: Callable[[bytes], object] = compile_bytes(_source(code), ignore_case=False).fullmatch
    return given_out


@cache
def lengths(code: int) -> frozenset[int]:
    """How many digits may stand behind a country's code."""
    general = (one.general_desc for one in _PLANS[code])
    return frozenset(size for one in general if one is not None for size in one.possible_length)


def plans(codes: Iterable[int], dialled_first: Callable[[int], str]) -> Callable[[bytes], object]:
    """Whether the digits are given out in one of these countries; `dialled_first`: what may stand before them there."""
    sources = [f"(?:{dialled_first(code)})?(?:{_source(code)})" for code in codes]
    given_out: Callable[[bytes], object] = compile_bytes("|".join(sources), ignore_case=False).fullmatch
    return given_out
