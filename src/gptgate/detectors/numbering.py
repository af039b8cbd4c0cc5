"""Whether a country's numbering plan has a number: the answers of `phonenumbers.is_valid_number`, from its data.

The library compiles a pattern anew when more than a few hundred are in use at once, which texts full of numbers from
all over the world bring about. Here each is compiled once, when the first number of its country is seen.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

Shape = tuple[tuple[int, ...], Callable[[str], object]]
"""Lengths of numbers, and what says whether one of such a length is taken."""

NO_NUMBERS: Shape = ((), lambda _: None)
_TYPES = "premium_rate toll_free shared_cost voip personal_number pager uan voicemail fixed_line".split()


class Plan(NamedTuple):
    """The numbers of a region: all of them, by type, and how they begin where that tells the region."""

    general: Shape
    types: tuple[Shape, ...]
    leading: Callable[[str], object] | None

    def has(self, national: str) -> bool:
        """Whether a number is of some type."""
        return _fits(self.general, national) and any(_fits(shape, national) for shape in self.types)


def is_given_out(code: int, national: str) -> bool:
    """Whether the plan of a country code has a number; `national` are its digits as they are dialled from abroad."""
    plans = _plans(code)
    if len(plans) == 1:
        return plans[0].has(national)
    for plan in plans:
        if plan.leading is None:
            if plan.has(national):
                return True
        elif plan.leading(national):
            return plan.has(national)
    return False


def _fits(shape: Shape, national: str) -> bool:
    lengths, matches = shape
    return (not lengths or len(national) in lengths) and matches(national) is not None


@cache
def _plans(code: int) -> tuple[Plan, ...]:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    known = (PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions)
    return tuple(_plan(metadata) for metadata in known if metadata is not None)


def _plan(metadata: PhoneMetadata) -> Plan:
    types = [getattr(metadata, name) for name in _TYPES]
    if not metadata.same_mobile_and_fixed_line_pattern:
        types.append(metadata.mobile)
    leading = re.compile(metadata.leading_digits).match if metadata.leading_digits is not None else None
    return Plan(_shape(metadata.general_desc), tuple(map(_shape, types)), leading)


def _shape(description: PhoneNumberDesc | None) -> Shape:
    if description is None or not description.national_number_pattern:
        return NO_NUMBERS
    return tuple(description.possible_length), re.compile(description.national_number_pattern).fullmatch
