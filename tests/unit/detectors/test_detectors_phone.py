import pytest

from detector_parts import Find
from gptgate.detectors.library.phone import is_called, is_written_out

PHONE = "pii.phone"


@pytest.mark.parametrize(
    "number",
    [
        "+44 7821 431135",
        "+447821431135",
        "+49 30 33257873",
        "+49 (0)30 33257873",
        "+33 6 08 15 62 08",
        "+1 (862) 734-5635",
        "+1-202-456-1111",
        "+55 11 91234-5678",
        "+91 98765 43210",
        "+86 138 0013 8000",
        "+81 3-1234-5678",
        "(712) 512-9546",
        "202-456-1111",
        "202.456.1111",
        "1-202-456-1111",
        "202-456-1111x123",
        "06 12 34 56 78",
        "07821 431135",
        "0412 345 678",
        "(030) 33257873",
        "030/33257873",
        "03-1234-5678",
        "0031 20 624 1111",
        "0044 7821 431135",
        "001-748-088-2851x818",
        "833.719.3994x1887",
        "(044)688-7538x8775",
        "+1-448-414-3381x060",
        "(11) 91234-5678",
        "8 (912) 345-67-89",
        "8-912-345-67-89",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "reach him under {}.", '{{"p": "{}"}}', "p={}, x", "| Ana | {} |", "\\n{}\\n"])
def test_written_numbers_are_found_anywhere(find: Find, number: str, frame: str) -> None:
    assert find(frame.format(number)) == [(PHONE, number)]


@pytest.mark.parametrize(
    ("before", "number"),
    [
        ("мой телефон: ", "89123456789"),
        ("тел. ", "067 123 45 67"),
        ("τηλέφωνο ", "69 7123 4567"),
        ("我的手机号码是", "13800138000"),
        ("电话：", "138 0013 8000"),
        ("電話番号は", "0312345678"),
        ("전화번호는 ", "010-12345678"),
        ("هاتف: ", "0501234567"),
        ("मोबाइल नंबर ", "9876543210"),
    ],
)
def test_and_in_languages_without_latin_letters(find: Find, before: str, number: str) -> None:
    assert find(f"{before}{number}.") == [(PHONE, number)]
    assert find(f"заказ {number}.") == []


@pytest.mark.parametrize(
    "text",
    [
        "номер заказа 12345678901234567",
        "номер 5 и номер 17",
        "номер договора 12-34",
        "电话会议在2024-05-06 12:30",
        "手机价格3999元",
        "8 100 200 30 40",
    ],
)
def test_other_numbers_beside_their_words_are_not(find: Find, text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "number",
    ["2024561111", "202 456 1111", "612 345 678", "98765 43210", "55 1234 5678", "0301234567", "0031206241111"],
)
@pytest.mark.parametrize("word", ["phone", "Tel.", "call me at", "Teléfono", "Téléphone", "Handy", "Mobile"])
def test_others_are_found_beside_a_word(find: Find, number: str, word: str) -> None:
    for frame in ("{} {}", "{}: {}.", '{{"{}": "{}"}}', "| name | {} |\n|---|---|\n| Ana | {} |"):
        assert find(frame.format(word, number)) == [(PHONE, number)]
    assert find(f"order {number}") == []


@pytest.mark.parametrize(
    "text",
    [
        "phone: 9,718,763.00",
        "phone=2019-01-09 05:43",
        "phone: #7039668281",
        "phone v14.0.7313",
        "call 12.05.2024",
        "version 1.2.3.4, 10.20.30",
        "at 09:30 on 01-02-2003",
        "123-45-6789",
        "+1234",
        "x+447821431135",
        "000-000-0000",
        "3.1415926535",
        "1700000000000",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert PHONE not in {kind for kind, _ in find(text)}


def test_what_is_found_without_a_word_is_not_found_twice() -> None:
    assert is_written_out(b"(712) 512-9546")
    assert not is_called(b"(712) 512-9546")
    assert is_called(b"712 512 9546")


@pytest.mark.parametrize(
    "number", ["089 72 63 41", "06-10446904", "(85) 5986-8343", "9885 1152", "51-16-34-25", "2813882583", "25 833387"]
)
@pytest.mark.parametrize("frame", ["{} office\nx", "x\n{}-Fax", "Ana, {} (mobile)", "| {} home |", "a {}-Office\\,b"])
def test_numbers_before_a_word_at_a_lines_end_are_found(find: Find, number: str, frame: str) -> None:
    assert find(frame.format(number)) == [(PHONE, number)]


@pytest.mark.parametrize(
    "text",
    [
        "the 1500 office workers",
        "we sold 2000000 mobile phones",
        "10.11.2024 office",
        "IBAN 0044 0532 0130 00",
        "run 12 34 56 home runs",
    ],
)
def test_numbers_before_other_words_are_not(find: Find, text: str) -> None:
    assert PHONE not in dict(find(text))


def test_six_digits_in_groups_are_a_number_beside_a_word_unless_they_are_a_date(find: Find) -> None:
    assert find("You can call 33 93 31") == [(PHONE, "33 93 31")]
    assert find("You can call 12 10 31") == []


@pytest.mark.parametrize(
    ("before", "number"),
    [
        ("Customers are reachable at ", "2760 207897"),
        ("You are erreichbar unter ", "09-6358-145"),
        ("je suis joignable au ", "2032 385 68 19"),
        ("my number is ", "789 755 459"),
        ("my number is ", "19046699638"),
        ("mi número es ", "55 1234 9876"),
        ("meine Nummer ist ", "0176 3344 9921"),
        ("Phone: ", "+4760239186"),
        ("WhatsApp me: ", "+45 08648694"),
        ("Contact ", "8 665 872 21 27"),
        ("tel. ", "0 2304 9309"),
        ("tel. ", "06-9/331 2047"),
        ("mobile: ", "1 800 555 0188"),
        ("You can text ", "789 755 459"),
        ("Leave a message at ", "2760 207897"),
        ("She can be reached on ", "01636 24587"),
        ("Landline ", "515 555 012"),
        ("Bel mij op ", "793 826 037"),
        ("her new number: ", "578 118 747"),
    ],
)
def test_words_by_which_people_are_reached_make_a_number_one(find: Find, before: str, number: str) -> None:
    assert find(f"{before}{number}.") == [(PHONE, number)]
    assert find(f"The parcel weighs {number}.") == []


@pytest.mark.parametrize(
    "number", ["031-938-6455", "054-478-3932", "027 592 10 41", "08-687 305 01", "06-30/287 9566", "06-1/331 2456"]
)
def test_forms_of_single_countries_are_found_anywhere(find: Find, number: str) -> None:
    assert find(f"Ana, {number}, Ben") == [(PHONE, number)]


@pytest.mark.parametrize(
    "text",
    [
        "mobile traffic grew from 120 000 to 340 000",
        "the mobile app has 10 000 000 downloads",
        "call the function with 1024 2048 4096 as sizes",
        "Tel Aviv in 1948-1967",
        "my number is 42",
        "the contact form got 1 234 567 visits",
        "reachable nodes: 123456",
        "your order number is 302 224 48",
        "part 091-234-5678 of the list",
        "sizes 012 345 67 89 bytes",
    ],
)
def test_counts_years_and_sizes_beside_such_words_are_not(find: Find, text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize("after", [" is my cell.", " (phone)", " is her new number, I think"])
def test_and_so_do_words_behind_it(find: Find, after: str) -> None:
    assert find(f"Yes, 578 118 747{after}\n") == [(PHONE, "578 118 747")]
    assert find("Yes, 578 118 747 is my total.") == []
