import pytest

from gptgate.detectors.checksums import luhn
from gptgate.detectors.library.payment_card import is_card

CARD = "pii.payment_card"


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "6200000000000005",
        "4111 1111 1111 1111",
        "4111  1111  1111  1111",
        "4111.1111.1111.1111",
        "4111_1111_1111_1111",
        "4111 - 1111 - 1111 - 1111",
        "5555-5555-5555-4444",
        "3782 822463 10005",
        "3056 930902 5904",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "card {}.", "no:{},", '"{}"', "{} exp 12/29", "\\n{}\\t", "—{}—", "(.{})"])
def test_card_numbers_are_found(find, number, frame) -> None:
    assert find(frame.format(number)) == [(CARD, number)]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "1234567812345670",
        "0.4111111111111111",
        "14111111111111111",
        "41111111111111111111",
        "a4111111111111111",
        "4111111111111111f",
        "4111111111111111.5",
        "4111-1111-1111-1111-1",
        "4444444444444444",
        "41111111 11111111",
        "1700000000000",
    ],
)
def test_look_alikes_are_not(find, text) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "text",
    ["４１１１１１１１１１１１１１１１", "4111\u20131111\u20141111\u20101111", "4111\u00a01111\u20031111\u30001111"],
)
def test_disguised_numbers_are_found(find, text) -> None:
    assert find(f"x {text} x") == [(CARD, text)]


def test_luhn() -> None:
    assert luhn("79927398713")
    assert not any(luhn(f"7992739871{digit}") for digit in "012456789")


def test_the_length_must_be_one_that_the_issuer_uses() -> None:
    assert is_card(b"4222222222222")
    assert not is_card(b"55555555555559")
