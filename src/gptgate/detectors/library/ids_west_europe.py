"""Numbers of persons and taxpayers in western and southern Europe."""

from gptgate.detectors.checksums import is_date, is_varied, luhn, mod_11_10, plain, weighted
from gptgate.detectors.context import Form
from gptgate.detectors.pattern import Detector

_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
_IRISH = "WABCDEFGHIJKLMNOPQRSTUV"
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_OMOCODE = str.maketrans("LMNPQRSTUV", "0123456789")


def is_nino(match: bytes) -> bool:
    """Whether the prefix of a British national insurance number is given out."""
    return plain(match)[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def is_nhs(match: bytes) -> bool:
    """The check digit of a British health number."""
    digits = plain(match)
    return is_varied(digits) and -weighted(digits[:9], range(10, 1, -1)) % 11 == int(digits[9])


def is_german_tax_id(match: bytes) -> bool:
    """Check digit, and the rule that one or two of the first ten digits repeat one another."""
    digits = plain(match)
    return digits[0] != "0" and 7 <= len(set(digits[:10])) <= 9 and mod_11_10(digits)


def is_german_pension_number(match: bytes) -> bool:
    """Date and check digit."""
    text = plain(match)
    digits = f"{text[:8]}{ord(text[8]) - 64:02}{text[9:]}"
    total = sum(
        sum(divmod(int(digit) * weight, 10))
        for digit, weight in zip(digits[:12], (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True)
    )
    return is_date(text[4:6], text[2:4]) and total % 10 == int(digits[12])


def is_german_id_card(match: bytes) -> bool:
    """The check digit of the nine characters before it (ICAO 9303)."""
    text = plain(match)
    values = [int(char, 36) for char in text]
    total = sum(value * weight for value, weight in zip(values[:9], (7, 3, 1) * 3, strict=True))
    return any(map(str.isdigit, text[:9])) and total % 10 == values[9]


def is_nir(match: bytes) -> bool:
    """The key of a French social security number; the departments of Corsica have letters."""
    text = plain(match)
    number = text[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def is_spanish(match: bytes) -> bool:
    """The letter of a Spanish identity number, citizens' or foreigners'."""
    text = plain(match)
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return is_varied(text[:-1]) and _SPANISH[int(number) % 23] == text[-1]


def is_italian(match: bytes) -> bool:
    """Date and check letter of an Italian tax code; digits may be letters where codes would be equal."""
    text = plain(match)
    values = [int(char) if char.isdigit() else ord(char) - 65 for char in text[:15]]
    total = sum(_ODD[value] for value in values[::2]) + sum(values[1::2])
    day = int(text[9:11].translate(_OMOCODE))
    return (1 <= day <= 31 or 41 <= day <= 71) and chr(65 + total % 26) == text[15]


def is_bsn(match: bytes) -> bool:
    """The eleven test of a Dutch citizen's number."""
    digits = plain(match)
    return is_varied(digits) and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_portuguese(match: bytes) -> bool:
    """The check digit of a Portuguese taxpayer's number."""
    digits = plain(match)
    return is_varied(digits) and -weighted(digits[:8], range(9, 1, -1)) % 11 % 10 == int(digits[8])


def is_belgian(match: bytes) -> bool:
    """Date and check number of a Belgian register number, of births in either century."""
    digits = plain(match)
    number, key = digits[:9], int(digits[9:])
    born = is_date(digits[2:4], digits[4:6])
    return born and key in (97 - int(number) % 97, 97 - int("2" + number) % 97)


def is_ahv(match: bytes) -> bool:
    """The check digit (EAN 13) of a Swiss insurance number."""
    digits = plain(match)
    return -weighted(digits[:12], (1, 3)) % 10 == int(digits[12])


def is_austrian(match: bytes) -> bool:
    """Date and check digit of an Austrian insurance number."""
    digits = plain(match)
    total = weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    return is_date(digits[6:8], digits[4:6]) and total == int(digits[3])


def is_irish(match: bytes) -> bool:
    """The check letter of an Irish public service number."""
    text = plain(match)
    second = ord(text[8]) - 64 if len(text) == 9 and text[8] != "W" else 0
    return _IRISH[(weighted(text[:7], range(8, 1, -1)) + 9 * second) % 23] == text[7]


def is_greek(match: bytes) -> bool:
    """Date and Luhn checksum of a Greek insurance number."""
    digits = plain(match)
    return is_date(digits[2:4], digits[:2]) and luhn(digits)


_GERMAN_CARD = "[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}[0-9]"
_CODE = "[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPR-T][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]"
_NINO = "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"

_FORMS = (
    Form(
        "pii.uk_nino",
        f"{_NINO}(?:[0-9]{{6}}[ ]?|[ -]?[0-9]{{2}}[ -][0-9]{{2}}[ -][0-9]{{2}}[ -]?)[A-D]",
        f"{_NINO}[ -]?[0-9]{{2}}[ -]?[0-9]{{2}}[ -]?[0-9]{{2}}[ -]?[A-D]",
        "nino|ni|nin|national[ _-]?insurance",
        is_nino,
    ),
    Form("pii.uk_nhs", "", "[0-9]{3}[ ./-]?[0-9]{3}[ ./-]?[0-9]{4}", "nhs|national health|patient", is_nhs),
    Form(
        "pii.de_tax_id",
        "",
        "[1-9][0-9][ ./-]?[0-9]{3}[ ./-]?[0-9]{3}[ ./-]?[0-9]{3}",
        r"steuer[a-z -]{0,24}|st-?id|idnr|tin|tax[ _-]?id[a-z]{0,12}|tax[ _-]?(?:number|no)",
        is_german_tax_id,
    ),
    Form(
        "pii.de_pension_number",
        "[0-9]{2}[ ./-]?[0-3][0-9][ ./-]?[01][0-9][ ./-]?[0-9]{2}[ ./-]?[A-Z][ ./-]?[0-9]{3}",
        "",
        "",
        is_german_pension_number,
    ),
    Form("pii.de_id_card", "", _GERMAN_CARD, "(?:personal)?ausweis[a-z -]{0,12}|perso", is_german_id_card),
    Form(
        "pii.fr_nir",
        "[12][ .-]?[0-9]{2}[ .-]?(?:0[1-9]|1[0-2]|[2-4][0-9])[ .-]?(?:[0-9]{2}|2[AB])[ .-]?[0-9]{3}[ .-]?"
        "[0-9]{3}[ ./-]?[0-9]{2}",
        "",
        "",
        is_nir,
    ),
    Form(
        "pii.es_dni",
        r"(?:[0-9]{8}|[XYZ]-?[0-9]{7}|[0-9]{2}\.[0-9]{3}\.[0-9]{3})-?[A-HJ-NP-TV-Z]",
        r"(?:[0-9]{2}[ .]?[0-9]{3}[ .]?[0-9]{3}|[XYZ][ .-]?[0-9][ .]?[0-9]{3}[ .]?[0-9]{3})[ ./-]?[A-HJ-NP-TV-Z]",
        "dni|nie|nif|documento|identidad",
        is_spanish,
    ),
    Form("pii.it_codice_fiscale", _CODE, _CODE, r"codice[ _-]?fiscale|cod\.? ?fisc\.?|c\.?f|fiscal", is_italian),
    Form(
        "pii.nl_bsn",
        "",
        r"[0-9]{3}[ ./-]?[0-9]{3}[ ./-]?[0-9]{3}|[0-9]{4}[ .-]?[0-9]{2}[ .-]?[0-9]{3}",
        "bsn|burgerservice[a-z]{0,8}|sofi[ -]?(?:nummer|nr)?|citizen service",
        is_bsn,
    ),
    Form(
        "pii.pt_nif",
        "",
        "[1-3568][0-9]{2}[ ./-]?[0-9]{3}[ ./-]?[0-9]{3}",
        "nif|nipc|contribuinte|n[u\\x80-\\xff]{1,2}mero fiscal",
        is_portuguese,
    ),
    Form(
        "pii.be_register_number",
        r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
        "[0-9]{2}[ .]?[0-9]{2}[ .]?[0-9]{2}[ .-]?[0-9]{3}[ .-]?[0-9]{2}",
        r"rijksregister[a-z]{0,8}|registre[ _-]?national|national[ _-]?register|nrn|insz|niss",
        is_belgian,
    ),
    Form("pii.ch_ahv", r"756(?:\.[0-9]{4}\.[0-9]{4}\.|[ -][0-9]{4}[ -][0-9]{4}[ -]|[0-9]{8})[0-9]{2}", "", "", is_ahv),
    Form(
        "pii.at_insurance_number",
        "",
        r"[1-9][0-9]{3}[ ./-]?[0-3][0-9]\.?[01][0-9]\.?[0-9]{2}",
        r"svnr|sv-?nummer|sozialversicherung[a-z]{0,10}|versicherungsnummer",
        is_austrian,
    ),
    Form(
        "pii.ie_pps",
        "",
        "[0-9]{7}[ -]?[A-W][A-IW]?",
        r"ppsn?|pps[ -]?no|personal public service",
        is_irish,
    ),
    Form("pii.gr_amka", "", "[0-3][0-9][01][0-9]{3}[ ./-]?[0-9]{5}", "amka", is_greek),
)

DETECTOR = Detector(
    name="ids_west_europe",
    version=2,
    kinds={
        "pii.uk_nino": "A British national insurance number with a prefix that is given out.",
        "pii.uk_nhs": "A British NHS number with its checksum, beside a word that says so.",
        "pii.de_tax_id": "A German tax identification number with its checksum, beside a word that says so.",
        "pii.de_pension_number": "A German pension insurance number with its date and checksum.",
        "pii.de_id_card": "A German identity card's number with its checksum, beside a word that says so.",
        "pii.fr_nir": "A French social security number (NIR) with its key.",
        "pii.es_dni": "A Spanish DNI, NIE or person's NIF with its letter.",
        "pii.it_codice_fiscale": "An Italian tax code of a person with its check letter.",
        "pii.nl_bsn": "A Dutch citizen service number with its checksum, beside a word that says so.",
        "pii.pt_nif": "A Portuguese NIF with its checksum, beside a word that says so.",
        "pii.be_register_number": "A Belgian national register number with its date and checksum.",
        "pii.ch_ahv": "A Swiss AHV number with its checksum.",
        "pii.at_insurance_number": "An Austrian insurance number with its checksum, beside a word that says so.",
        "pii.ie_pps": "An Irish PPS number with its check letter, beside a word that says so.",
        "pii.gr_amka": "A Greek AMKA with its date and checksum, beside a word that says so.",
    },
    patterns=tuple(pattern for form in _FORMS for pattern in form.patterns()),
)
