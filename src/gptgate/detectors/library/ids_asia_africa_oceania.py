"""Numbers of persons and taxpayers in Asia, Africa and Oceania."""

from gptgate.detectors.checksums import is_date, is_varied, luhn, plain, verhoeff, weighted
from gptgate.detectors.context import Form
from gptgate.detectors.pattern import Detector

_SINGAPORE = {"S": (0, "JZIHGFEDCBA"), "T": (4, "JZIHGFEDCBA"), "F": (0, "XWUTRQPNMLK"), "G": (4, "XWUTRQPNMLK")}
_TAIWAN = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def is_aadhaar(match: bytes) -> bool:
    """The Verhoeff checksum of an Indian number."""
    digits = plain(match)
    return is_varied(digits) and verhoeff(digits)


def is_tfn(match: bytes) -> bool:
    """The checksum of an Australian tax file number."""
    digits = plain(match)
    return is_varied(digits) and weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def is_medicare(match: bytes) -> bool:
    """The check digit of an Australian health card."""
    digits = plain(match)
    return weighted(digits[:8], (1, 3, 7, 9)) % 10 == int(digits[8])


def is_abn(match: bytes) -> bool:
    """The checksum of an Australian business number."""
    digits = plain(match)
    return (weighted(digits, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


def is_chinese(match: bytes) -> bool:
    """Date and check character of a Chinese resident's number (GB 11643)."""
    text = plain(match)
    return (
        is_date(text[10:12], text[12:14])
        and "10X98765432"[weighted(text[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11] == text[17]
    )


def is_my_number(match: bytes) -> bool:
    """The check digit of a Japanese number."""
    digits = plain(match)
    rest = weighted(digits[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return is_varied(digits) and (0 if rest <= 1 else 11 - rest) == int(digits[11])


def is_korean(match: bytes) -> bool:
    """The date of a Korean number; those given out since 2020 have no checksum."""
    digits = plain(match)
    return is_date(digits[2:4], digits[4:6]) and is_varied(digits[6:])


def is_south_african(match: bytes) -> bool:
    """Date and Luhn checksum of a South African number."""
    digits = plain(match)
    return is_date(digits[2:4], digits[4:6]) and luhn(digits)


def is_nric(match: bytes) -> bool:
    """The check letter of a number from Singapore; those with M have none that is published."""
    text = plain(match)
    if text[0] == "M":
        return True
    start, letters = _SINGAPORE[text[0]]
    return letters[(start + weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2))) % 11] == text[8]


def is_taiwanese(match: bytes) -> bool:
    """The check digit of a number from Taiwan."""
    text = plain(match)
    area = _TAIWAN.index(text[0]) + 10
    return (area // 10 + area % 10 * 9 + weighted(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def is_hong_kong(match: bytes) -> bool:
    """The check character of a Hong Kong number."""
    text = plain(match).rjust(9)
    values = [36 if char == " " else int(char, 36) for char in text]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def is_thai(match: bytes) -> bool:
    """The check digit of a Thai number."""
    digits = plain(match)
    return is_varied(digits) and (11 - weighted(digits[:12], range(13, 1, -1)) % 11) % 10 == int(digits[12])


def is_israeli(match: bytes) -> bool:
    """The Luhn checksum of an Israeli number."""
    digits = plain(match)
    return is_varied(digits) and luhn(digits)


def is_malaysian(match: bytes) -> bool:
    """The date of a Malaysian number, which has no checksum."""
    digits = plain(match)
    return is_date(digits[2:4], digits[4:6])


def is_indonesian(match: bytes) -> bool:
    """The date of an Indonesian number, which has no checksum; women's days begin at 41."""
    digits = plain(match)
    return is_date(digits[8:10], f"{int(digits[6:8]) % 40:02}")


_FORMS = (
    Form(
        "pii.in_aadhaar",
        "",
        "[2-9][0-9]{3}[ ./-]?[0-9]{4}[ ./-]?[0-9]{4}",
        "aadhaar|aadhar|adhaar|uidai|uid",
        is_aadhaar,
        60,
    ),
    Form("pii.in_pan", "[A-Z]{3}P[A-Z][0-9]{4}[A-Z]", "", "", lambda match: is_varied(plain(match)[5:9])),
    Form(
        "pii.au_tfn", "", "[0-9]{3}[ ./-]?[0-9]{3}[ ./-]?[0-9]{3}", "tfn|tax[ _-]?file(?:[ _-]?(?:number|no))?", is_tfn
    ),
    Form("pii.au_medicare", "", "[2-6][0-9]{3}[ -]?[0-9]{5}[ -]?[0-9](?:[ /-]?[0-9])?", "medicare", is_medicare),
    Form("pii.au_abn", "", "[1-9][0-9][ .-]?[0-9]{3}[ .-]?[0-9]{3}[ .-]?[0-9]{3}", "abn", is_abn, 10),
    Form(
        "pii.cn_resident_id",
        "[1-8][0-9]{5}[ -]?(?:18|19|20)[0-9]{2}[01][0-9][0-3][0-9][ -]?[0-9]{3}[0-9Xx]",
        "",
        "",
        is_chinese,
        60,
    ),
    Form(
        "pii.jp_my_number",
        "",
        "[0-9]{4}[ ./-]?[0-9]{4}[ ./-]?[0-9]{4}",
        "my[ _-]?number|individual number|kojin bango",
        is_my_number,
    ),
    Form(
        "pii.kr_rrn",
        "[0-9]{2}[01][0-9][0-3][0-9]-[1-8][0-9]{6}",
        "[0-9]{2}[01][0-9][0-3][0-9][ -]?[1-8][0-9]{6}",
        "rrn|resident registration|jumin",
        is_korean,
    ),
    Form(
        "pii.za_id",
        "",
        "[0-9]{2}[01][0-9][0-3][0-9][ -]?[0-9]{4}[ -]?[01][0-9][0-9]",
        "id|identity|identification|rsa|south african?",
        is_south_african,
    ),
    Form("pii.sg_nric", "[STFGM][0-9]{7}[A-Z]", "[STFGM][0-9]{7}[A-Z]", "nric|fin|uin", is_nric),
    Form("pii.tw_id", "[A-Z][1289][0-9]{8}", "", "", is_taiwanese, 40),
    Form("pii.hk_id", r"[A-Z]{1,2}[0-9]{6}\([0-9A]\)", "", "", is_hong_kong, 40),
    Form(
        "pii.th_id",
        "[1-8]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9]",
        "[1-8][ -]?[0-9]{4}[ -]?[0-9]{5}[ -]?[0-9]{2}[ -]?[0-9]",
        "thai|national id",
        is_thai,
        50,
    ),
    Form("pii.il_id", "", "[0-9]{9}", "teudat zehut|israeli? id|tz", is_israeli),
    Form(
        "pii.my_nric",
        "",
        "[0-9]{2}[01][0-9][0-3][0-9][ -]?[0-9]{2}[ -]?[0-9]{4}",
        "mykad|nric|kad pengenalan",
        is_malaysian,
    ),
    Form("pii.id_nik", "", "[1-9][0-9]{7}[01][0-9]{7}", "nik|ktp|induk kependudukan", is_indonesian),
)

DETECTOR = Detector(
    name="ids_asia_africa_oceania",
    version=2,
    kinds={
        "pii.in_aadhaar": "An Indian Aadhaar number with its checksum, beside a word that says so.",
        "pii.in_pan": "An Indian person's permanent account number.",
        "pii.au_tfn": "An Australian tax file number with its checksum, beside a word that says so.",
        "pii.au_medicare": "An Australian Medicare card's number with its checksum, beside a word that says so.",
        "pii.au_abn": "An Australian business number with its checksum, beside a word that says so.",
        "pii.cn_resident_id": "A Chinese resident's identity number with its date and checksum.",
        "pii.jp_my_number": "A Japanese individual number with its checksum, beside a word that says so.",
        "pii.kr_rrn": "A Korean resident registration number with its date.",
        "pii.za_id": "A South African identity number with its date and checksum, beside a word that says so.",
        "pii.sg_nric": "An identity number from Singapore (NRIC, FIN) with its check letter.",
        "pii.tw_id": "An identity number from Taiwan with its checksum.",
        "pii.hk_id": "A Hong Kong identity card's number with its check character.",
        "pii.th_id": "A Thai identity number with its checksum.",
        "pii.il_id": "An Israeli identity number with its checksum, beside a word that says so.",
        "pii.my_nric": "A Malaysian identity number with its date, beside a word that says so.",
        "pii.id_nik": "An Indonesian identity number with its date, beside a word that says so.",
    },
    patterns=tuple(pattern for form in _FORMS for pattern in form.patterns()),
)
