"""Passports and driving licences."""

import pytest

from detector_parts import Find


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Passport number: 533380006", "533380006"),
        ("passport no. A12345678", "A12345678"),
        ("my passport is XDB045921, please book", "XDB045921"),
        ("Numéro de passeport : 12AB34567", "12AB34567"),
        ("Reisepassnummer C01X00T47", "C01X00T47"),
        ("pasaporte: PAB123456", "PAB123456"),
        ("passaporto n. YA1234567", "YA1234567"),
        ("Paspoortnummer: NW21B84R3", "NW21B84R3"),
        ("nr paszportu AB 1234567", "AB 1234567"),
        ('{"passport_number": "N1234567"}', "N1234567"),
    ],
)
def test_passport_numbers_beside_a_word_are_found(find: Find, text: str, number: str) -> None:
    assert ("pii.passport", number) in find(text)


def test_the_lines_for_machines_at_the_foot_of_a_passport_are_found(find: Find) -> None:
    lines = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
    assert ("pii.passport", lines) in find(f"the scan says\n{lines}\n")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("My driver's license number is U62928788557186", "U62928788557186"),
        ("driving licence no: MORGA657054SM9IJ", "MORGA657054SM9IJ"),
        ("Driver License: D123-4567-8901", "D123-4567-8901"),
        ("Führerscheinnummer: B072RRE2I55", "B072RRE2I55"),
        ("permis de conduire n° 880692310285", "880692310285"),
        ("carné de conducir 12345678Z", "12345678Z"),
        ("patente di guida U1A234567B", "U1A234567B"),
        ("carta de condução n.º 12345678", "12345678"),
        ("CNH 02650306461", "02650306461"),
        ("rijbewijsnummer 5678912340", "5678912340"),
        ("prawo jazdy nr 00123/12/1465", "00123/12/1465"),
    ],
)
def test_driving_licences_beside_a_word_are_found(find: Find, text: str, number: str) -> None:
    assert ("pii.driving_licence", number) in find(text)


@pytest.mark.parametrize(
    "text",
    [
        "533380006 and A12345678 stand alone",
        "a passport of the year 2024 costs 130 dollars",
        "the passport number is 000000000",
        "passport photos are 35x45 mm; bring three of them",
        "a driver's license is needed to drive in 50 states",
        "driving licence renewal takes about 14 days",
        "P<UTO<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
    ],
)
def test_other_numbers_are_not_papers(find: Find, text: str) -> None:
    assert not {kind for kind, _ in find(text)} & {"pii.passport", "pii.driving_licence"}
