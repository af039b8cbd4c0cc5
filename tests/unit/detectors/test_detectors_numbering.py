"""The compiled numbering plans say what phonenumbers says."""

import random

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, is_valid_number

from gptgate.detectors.numbering import lengths, plan, plans


def test_plans_agree_with_the_library() -> None:
    chance = random.Random(3)
    codes = sorted(COUNTRY_CODE_TO_REGION_CODE)
    differing, valid = 0, 0
    for _ in range(40_000):
        code, number = chance.choice(codes), str(chance.randrange(10**5, 10**12))
        expected = is_valid_number(PhoneNumber(country_code=code, national_number=int(number)))
        valid += expected
        differing += expected != (plan(code)(number.encode()) is not None)
    assert valid > 300
    # The library also asks for the lengths that each type of number has; the patterns hold them but for a few.
    assert differing <= 0.01 * valid


def test_several_plans_are_one_question() -> None:
    given_out = plans((44, 1), lambda code: "0" if code == 44 else "1")
    assert given_out(b"02079460958") is not None
    assert given_out(b"12025550143") is not None
    assert given_out(b"99999999999") is None


def test_lengths_are_those_of_the_plan() -> None:
    assert 10 in lengths(1)
    assert 4 not in lengths(1)
