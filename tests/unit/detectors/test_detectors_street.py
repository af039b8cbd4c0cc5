"""Street addresses."""

import pytest

from detector_parts import Find


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("I live at 742 Evergreen Terrace, Springfield, IL 62704.", "742 Evergreen Terrace, Springfield, IL 62704"),
        ("ship it to 18 W. Oak Creek Road, Apt. 4B please", "18 W. Oak Creek Road, Apt. 4B"),
        ("221B Baker Street, London, NW1 6XE", "221B Baker Street, London, NW1 6XE"),
        ("9 Mill Close, Leeds, LS1 4AB", "9 Mill Close, Leeds, LS1 4AB"),
        ("wohnhaft Lindenstraße 14a, 10969 Berlin", "Lindenstraße 14a, 10969 Berlin"),
        ("Adresse: Am Tannenweg 3, 80331 München", "Tannenweg 3, 80331 München"),
        ("Kerkstraat 12, 1017 GP Amsterdam", "Kerkstraat 12, 1017 GP Amsterdam"),
        ("J'habite 12 bis, rue de la République, 69002 Lyon", "12 bis, rue de la République, 69002 Lyon"),
        ("vivo en Calle Mayor, 15, 28013 Madrid", "Calle Mayor, 15, 28013 Madrid"),
        ("abito in Via Giuseppe Garibaldi 7, 00153 Roma", "Via Giuseppe Garibaldi 7, 00153 Roma"),
        ("moro na Rua das Flores, 123", "Rua das Flores, 123"),
        ("mieszkam: ul. Marszałkowska 10/12", "ul. Marszałkowska 10/12"),
        ("write to P.O. Box 4711", "P.O. Box 4711"),
    ],
)
def test_streets_with_numbers_are_found(find: Find, text: str, address: str) -> None:
    assert ("pii.address", address) in find(text)


@pytest.mark.parametrize(
    "text",
    [
        "there are 3 Ways to do it, and 5 Main Points",
        "In 2020 Wall Street fell; the Street was quiet",
        "das ist der richtige Weg 2 Stunden nach oben",
        "Platz 3 für Berlin",
        "see Square 5, Row 7",
        "via Bluetooth 5, along the road 12 times",
        "go 12 streets down the avenue",
    ],
)
def test_other_words_are_not_addresses(find: Find, text: str) -> None:
    assert "pii.address" not in {kind for kind, _ in find(text)}
