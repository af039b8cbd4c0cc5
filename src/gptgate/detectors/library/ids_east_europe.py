"""Numbers of persons and taxpayers in northern and eastern Europe and in Türkiye."""

from gptgate.detectors.checksums import is_date, is_varied, luhn, mod_11_10, plain, weighted
from gptgate.detectors.context import Form
from gptgate.detectors.pattern import Detector

_FINNISH = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def is_pesel(match: bytes) -> bool:
    """Date and check digit of a Polish number; the month says the century."""
    digits = plain(match)
    month = f"{int(digits[2:4]) % 20:02}"
    return is_date(month, digits[4:6]) and -weighted(digits[:10], (1, 3, 7, 9)) % 10 == int(digits[10])


def is_nip(match: bytes) -> bool:
    """The check digit of a Polish taxpayer's number."""
    digits = plain(match)
    return is_varied(digits) and weighted(digits[:9], (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(digits[9])


def is_swedish(match: bytes) -> bool:
    """Date and Luhn checksum of a Swedish number, also a coordination number."""
    digits = plain(match)[-10:]
    day = int(digits[4:6])
    return is_date(digits[2:4], f"{day - 60 if day > 60 else day:02}") and luhn(digits)


def is_finnish(match: bytes) -> bool:
    """Date and check character of a Finnish number."""
    text = match.decode().upper()
    return is_date(text[2:4], text[:2]) and _FINNISH[int(text[:6] + text[7:10]) % 31] == text[10]


def is_danish(match: bytes) -> bool:
    """The date of a Danish number; it has no checksum any more."""
    digits = plain(match)
    return is_date(digits[2:4], digits[:2])


def is_norwegian(match: bytes) -> bool:
    """Date and both check digits of a Norwegian number, also a D number."""
    digits = plain(match)
    day = int(digits[:2])
    return (
        is_date(digits[2:4], f"{day - 40 if day > 40 else day:02}")
        and weighted(digits[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def is_czech(match: bytes) -> bool:
    """Date and remainder of a Czech or Slovak birth number; women's months begin at 51. Before 1954 no digit checks."""
    digits = plain(match)
    checks = int(digits) % 11 == 0 if len(digits) == 10 else int(digits[:2]) < 54
    return checks and is_date(f"{int(digits[2:4]) % 50 % 20:02}", digits[4:6])


def is_romanian(match: bytes) -> bool:
    """Date and check digit of a Romanian number."""
    digits = plain(match)
    check = weighted(digits[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return is_date(digits[3:5], digits[5:7]) and (1 if check == 10 else check) == int(digits[12])


def is_bulgarian(match: bytes) -> bool:
    """Date and check digit of a Bulgarian number; the month says the century."""
    digits = plain(match)
    check = weighted(digits[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10
    return is_date(f"{int(digits[2:4]) % 20:02}", digits[4:6]) and check == int(digits[9])


def is_croatian(match: bytes) -> bool:
    """The check digit of a Croatian number."""
    digits = plain(match)
    return is_varied(digits) and mod_11_10(digits)


def is_baltic(match: bytes) -> bool:
    """Date and check digit of an Estonian or Lithuanian number."""
    digits = plain(match)
    check = weighted(digits[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(digits[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return is_date(digits[3:5], digits[5:7]) and check == int(digits[10])


def is_turkish(match: bytes) -> bool:
    """Both check digits of a Turkish number."""
    values = [int(digit) for digit in plain(match)]
    tenth = (7 * sum(values[0:9:2]) - sum(values[1:8:2])) % 10
    return tenth == values[9] and sum(values[:10]) % 10 == values[10]


_NORWEGIAN_WORDS = r"f[o\x80-\xf4]{1,2}dselsn(?:ummer|r)|personnummer|fnr|d-nummer"
_CZECH_WORDS = r"rodn[e\x80-\xf4]{1,2} [c\x80-\xf4]{1,2}[i\x80-\xf4]{1,2}slo|rodneho cisla|rc|birth number"
_BALTIC_WORDS = "isikukood|asmens kodas|personal code|identity code"

_FORMS = (
    Form("pii.pl_pesel", "", "[0-9]{6}[ -]?[0-9]{5}", "pesel", is_pesel),
    Form(
        "pii.pl_nip",
        "",
        "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}|[0-9]{3}[ -][0-9]{2}[ -][0-9]{2}[ -][0-9]{3}",
        "nip",
        is_nip,
    ),
    Form(
        "pii.se_personnummer",
        "(?:19|20)?[0-9]{2}[01][0-9][0-9]{2}[+-][0-9]{4}",
        "(?:19|20)?[0-9]{2}[01][0-9][0-9]{2}[ +-]?[0-9]{4}",
        r"person(?:nummer|nr|\.nr)|pnr|samordningsnummer|swedish|personal identity",
        is_swedish,
    ),
    Form("pii.fi_hetu", "[0-3][0-9][01][0-9]{3}[+ABCDEFYXWVU-][0-9]{3}[0-9A-FHJ-NPR-Y]", "", "", is_finnish),
    Form("pii.dk_cpr", "", "[0-3][0-9][01][0-9]{3}[ ./-]?[0-9]{4}", "cpr|personnummer|cpr-?(?:nr|nummer)", is_danish),
    Form("pii.no_fodselsnummer", "", "[0-7][0-9][01][0-9]{3}[ ./-]?[0-9]{5}", _NORWEGIAN_WORDS, is_norwegian),
    Form(
        "pii.cz_rodne_cislo",
        "[0-9]{2}[0-8][0-9]{3}/[0-9]{4}",
        "[0-9]{2}[0-8][0-9]{3}[ /-]?[0-9]{3,4}",
        _CZECH_WORDS,
        is_czech,
    ),
    Form(
        "pii.ro_cnp",
        "",
        "[1-9][ -]?[0-9]{2}[01][0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}",
        "cnp|cod(?:ul)? numeric",
        is_romanian,
    ),
    Form("pii.bg_egn", "", "[0-9]{2}[0-5][0-9]{7}", r"egn|\xd0\x95\xd0\x93\xd0\x9d", is_bulgarian),
    Form("pii.hr_oib", "", "[0-9]{11}", "oib", is_croatian),
    Form("pii.baltic_code", "", "[1-6][0-9]{2}[01][0-9]{7}", _BALTIC_WORDS, is_baltic),
    Form(
        "pii.tr_kimlik",
        "",
        "[1-9][0-9]{2}[ .-]?[0-9]{3}[ .-]?[0-9]{3}[ .-]?[0-9]{2}",
        r"kimlik|tckn|tc|t\.c\.",
        is_turkish,
    ),
)

DETECTOR = Detector(
    name="ids_east_europe",
    version=3,
    kinds={
        "pii.pl_pesel": "A Polish PESEL with its date and checksum, beside a word that says so.",
        "pii.pl_nip": "A Polish NIP with its checksum, beside a word that says so.",
        "pii.se_personnummer": "A Swedish personal number with its date and checksum.",
        "pii.fi_hetu": "A Finnish personal number with its date and checksum.",
        "pii.dk_cpr": "A Danish CPR number with its date, beside a word that says so.",
        "pii.no_fodselsnummer": "A Norwegian birth number with its date and checksums, beside a word that says so.",
        "pii.cz_rodne_cislo": "A Czech or Slovak birth number with its date and checksum.",
        "pii.ro_cnp": "A Romanian CNP with its date and checksum, beside a word that says so.",
        "pii.bg_egn": "A Bulgarian EGN with its date and checksum, beside a word that says so.",
        "pii.hr_oib": "A Croatian OIB with its checksum, beside a word that says so.",
        "pii.baltic_code": "An Estonian or Lithuanian personal code with its checksum, beside a word that says so.",
        "pii.tr_kimlik": "A Turkish identity number with its checksums, beside a word that says so.",
    },
    patterns=tuple(pattern for form in _FORMS for pattern in form.patterns()),
)
