"""The shortcuts of telephone numbers and addresses give the answers of the libraries that they stand for."""

import random
from ipaddress import IPv4Address

import pytest
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneNumber,
    example_number,
    example_number_for_non_geo_entity,
    is_valid_number,
    national_significant_number,
)

from gptgate.detectors.library.network import is_public_v4
from gptgate.detectors.numbering import is_given_out


@pytest.mark.parametrize("code", sorted(COUNTRY_CODE_TO_REGION_CODE))
def test_a_plan_has_the_numbers_that_the_library_calls_valid(code: int) -> None:
    source = random.Random(code)
    regions = COUNTRY_CODE_TO_REGION_CODE[code]
    examples = [example_number_for_non_geo_entity(code)] if regions == ("001",) else map(example_number, regions)
    known = [national_significant_number(one) for one in examples if one is not None]
    tried = {number[:size] + number[::-1][size:] for number in known for size in range(3, len(number) + 1)}
    tried |= {str(source.randint(1, 10**size)) for size in range(4, 15) for _ in range(5)}
    tried |= {"0" + number for number in tried if number[0] != "0"}
    answers = {}
    for number in tried:
        national = PhoneNumber(
            country_code=code, national_number=int(number), italian_leading_zero=number[0] == "0" or None
        )
        if str(int(number)) == number.removeprefix("0"):
            answers[number] = is_valid_number(national)
    assert {number: is_given_out(code, number) for number in answers} == answers
    assert not known or True in answers.values()


@pytest.mark.parametrize("first", range(256))
def test_an_address_is_public_as_the_library_says(first: int) -> None:
    for rest in ("1.1.1", "16.3.9", "18.7.7", "51.100.4", "64.7.9", "168.3.3", "254.8.8", "255.255.255"):
        text = f"{first}.{rest}"
        address = IPv4Address(text)
        public = (address.is_reserved or not address.is_private) and first != 255 and text != "1.1.1.1"
        assert is_public_v4(text.encode()) is public, text
