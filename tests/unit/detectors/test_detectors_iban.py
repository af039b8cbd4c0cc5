import pytest

from detector_parts import Find
from gptgate.detectors.library.iban import is_bank_code, is_iban

IBANS = [
    "GB82WEST12345698765432",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
    "BR1800360305000010009795493C1",
    "SA0380000000608010167519",
    "CH9300762011623852957",
]


def grouped(number: str, sign: str = " ") -> str:
    return sign.join(number[at : at + 4] for at in range(0, len(number), 4))


@pytest.mark.parametrize("frame", ["{}", "IBAN: {}.", "pay to {} and then call", '{{"a":"{}"}}', "({})", "x\\n{}\\n"])
@pytest.mark.parametrize("number", IBANS)
def test_account_numbers_are_found(find: Find, number: str, frame: str) -> None:
    for form in (number, number.lower(), grouped(number), grouped(number, "-")):
        assert find(frame.format(form)) == [("pii.iban", form)]


@pytest.mark.parametrize(
    "text",
    [
        "GB82WEST12345698765433",
        "GB82WEST123456987654321",
        "GB82 WEST 1234 5698 7654 3",
        "XX82WEST12345698765432",
        "AGB82WEST12345698765432",
        "DE00 0000 0000 0000 0000 00",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize("text", ["BIC: {}", "SWIFT code is {}.", '{{"bic": "{}"}}', "swift {}"])
def test_bank_codes_need_a_word(find: Find, text: str) -> None:
    for code in ("DEUTDEFF", "DEUTDEFF500"):
        assert find(text.format(code)) == [("pii.bank_code", code)]
    assert find("DEUTDEFF and SWIFTLY BICYCLES") == []


def test_the_parts_agree() -> None:
    assert is_iban(b"GB82 WEST 1234 5698 7654 32")
    assert not is_iban(b"DE82 WEST 1234 5698 7654 32")
    assert is_bank_code(b"deutdeff")
    assert not is_bank_code(b"DEUTXXFF")
