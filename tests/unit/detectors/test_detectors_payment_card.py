import pytest

from detector_parts import Find
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
        "41111111 11111111",
        "4111\t1111\t1111\t1111",
        "4111\r\n1111\r\n1111\r\n1111",
        "4111·1111·1111·1111",
        "4111/1111/1111/1111",
        "4111|1111|1111|1111",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "card {}.", "no:{},", '"{}"', "{} exp 12/29", "\\n{}\\t", "—{}—", "(.{})"])
def test_card_numbers_are_found(find: Find, number: str, frame: str) -> None:
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
        "x4111111111111111",
        "ab4111111111111111",
        "4111111111111111ab",
        "deadbeef4111111111111112",
        "41111111 11111112",
        "20240101 20240105",
        "1700000000000",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "text",
    ["４１１１１１１１１１１１１１１１", "4111\u20131111\u20141111\u20101111", "4111\u00a01111\u20031111\u30001111"],
)
def test_disguised_numbers_are_found(find: Find, text: str) -> None:
    assert find(f"x {text} x") == [(CARD, text)]


@pytest.mark.parametrize("frame", ["%B{}^DOE/ADA^2912", "%b{}CVV", "{}CVV123", "no.{}exp"])
def test_what_follows_may_touch_a_number(find: Find, frame: str) -> None:
    for number in ("4111111111111111", "378282246310005"):
        assert find(frame.format(number)) == [(CARD, number)]


@pytest.mark.parametrize("form", ["{}\ufe0f\u20e3", "{}\u0336", "{}\u20e0"])
def test_digits_in_frames_and_struck_through_are_digits(find: Find, form: str) -> None:
    text = "".join(map(form.format, "4111111111111111"))
    assert [kind for kind, _ in find(f"x {text} x")] == [CARD]


@pytest.mark.parametrize("one", ["\u2460", "\u2474", "\u2776", "\u2780", "\u278a", "\u24f5"])
def test_digits_in_circles_and_brackets_are_digits(find: Find, one: str) -> None:
    text = "".join(chr(ord(one) - 1 + int(digit)) for digit in "4111111111111111")
    assert find(f"x {text} x") == [(CARD, text)]


def test_a_blank_of_braille_is_a_space(find: Find) -> None:
    assert find("x 4111\u28001111\u28001111\u28001111") == [(CARD, "4111\u28001111\u28001111\u28001111")]


def test_luhn() -> None:
    assert luhn("79927398713")
    assert not any(luhn(f"7992739871{digit}") for digit in "012456789")


def test_the_length_must_be_one_that_the_issuer_uses() -> None:
    assert is_card(b"4222222222222")
    assert not is_card(b"55555555555559")


@pytest.mark.parametrize("text", ["card{}", "my Card{} ok", "VISA{}.", "amex{}", "Mastercard{}"])
def test_a_number_that_is_stuck_to_what_it_is_called_is_found(find: Find, text: str) -> None:
    for number in ("4111111111111111", "4111-1111-1111-1111", "4111 1111 1111 1111"):
        assert find(text.format(number)) == [(CARD, number)]
    assert find(text.format("4111111111111112")) == []
    assert find("dis" + text.format("4111111111111111").removeprefix("my ")) == []


def _with_luhn(digits: str) -> str:
    return next(digits + last for last in "0123456789" if luhn(digits + last))


@pytest.mark.parametrize(
    "digits", ["50183412907", "67598123407", "18002301448871", "21313905512477", "350707413748477"]
)
def test_rarer_ranges_are_known(find: Find, digits: str) -> None:
    number = _with_luhn(digits)
    assert find(f"no: {number}, ok") == [(CARD, number)]
