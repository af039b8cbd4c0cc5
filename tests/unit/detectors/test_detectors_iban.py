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
    for form in (number, number.lower(), grouped(number), grouped(number, "-"), grouped(number, ".")):
        assert find(frame.format(form)) == [("pii.iban", form)]


@pytest.mark.parametrize("sign", ["/", "_", "\t", "\n", "|", "\u2013", "\u2009"])
def test_groups_may_stand_apart_by_other_signs(find: Find, sign: str) -> None:
    for number in IBANS:
        assert find(f"IBAN {grouped(number, sign)};") == [("pii.iban", grouped(number, sign))]


@pytest.mark.parametrize(
    "number",
    [
        "DE 89 3704 0044 0532 0130 00",
        "DE89 37040044 0532013000",
        "DE89-370400440532013000",
        "DE89 370 400 44 0532 0130 00",
        "FR14 20041 01005 0500013M026 06",
        "IT60 X 05428 11101 000000123456",
        "ES91 2100 0418 45 0200051332",
        "NL91 ABNA 0417164300",
        "GB82 WEST 123456 98765432",
        "GB82 WEST 12-34-56 98765432",
        "CH93 0076 2 0116 2385 2957",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "IBAN: {}.", "pay to {} 12.05.2024", "({})"])
def test_groups_are_as_each_country_writes_them(find: Find, number: str, frame: str) -> None:
    assert find(frame.format(number)) == [("pii.iban", number)]


@pytest.mark.parametrize(
    "text",
    [
        "NO 1234567890156 and NO 93 8601 1117 947",
        "de 89 3704 0044 0532 0130 00",
        "DE89, 3704, 0044, 0532, 0130, 00",
        "AT 2024-01-02 12:30:45 AT 2024-01-02",
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
