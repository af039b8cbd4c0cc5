"""Dates of birth."""

import pytest

from detector_parts import Find


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("DOB: 04/17/1986", "04/17/1986"),
        ("date_of_birth=1986-04-17", "1986-04-17"),
        ("She was born on the 17th of April 1986 in Leeds", "17th of April 1986"),
        ("born April 17, 1986", "April 17, 1986"),
        ("Tell me your date of birth. It's 3/23/1940", "3/23/1940"),
        ("Geburtsdatum: 17.4.1986", "17.4.1986"),
        ("geboren am 17. März 1986", "17. März 1986"),
        ("née le 17 août 1986", "17 août 1986"),
        ("Date de naissance : 17/04/86", "17/04/86"),
        ("Fecha de nacimiento: 17 de abril de 1986", "17 de abril de 1986"),
        ("nato a Roma il 17 aprile 1986", "17 aprile 1986"),
        ("data de nascimento 17-04-1986", "17-04-1986"),
        ("Geboortedatum: 17 april 1986", "17 april 1986"),
        ("data urodzenia: 17 kwietnia 1986", "17 kwietnia 1986"),
        ("birthday: 29.02.1988", "29.02.1988"),
    ],
)
def test_dates_beside_a_word_are_found(find: Find, text: str, date: str) -> None:
    assert ("pii.date_of_birth", date) in find(text)


@pytest.mark.parametrize(
    "text",
    [
        "the release of 2024-05-15 fixes it",
        "DOB: 31/02/1986",
        "DOB: 29.02.1987",
        "born on 45/13/1986",
        "date of birth: 17 Brumaire 1999",
        "he was born on March 14, 1879",
        "geboren 17.4",
    ],
)
def test_other_dates_are_not_dates_of_birth(find: Find, text: str) -> None:
    assert "pii.date_of_birth" not in {kind for kind, _ in find(text)}
