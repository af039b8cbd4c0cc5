"""Numbers of persons and taxpayers in Russia, Ukraine, Kazakhstan, Latvia, Hungary and the countries of Yugoslavia."""

from gptgate.detectors.checksums import is_date, is_varied, plain, weighted
from gptgate.detectors.context import Form, in_utf8
from gptgate.detectors.pattern import Detector


def is_inn(match: bytes) -> bool:
    """The check digits of a Russian taxpayer: one of an organisation's ten digits, two of a person's twelve."""
    digits = plain(match)
    if len(digits) == 10:
        return is_varied(digits) and weighted(digits[:9], (2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(digits[9])
    return (
        is_varied(digits)
        and weighted(digits[:10], (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(digits[10])
        and weighted(digits[:11], (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(digits[11])
    )


def is_snils(match: bytes) -> bool:
    """The check number of a Russian pension account; accounts before 001-001-998 have none."""
    digits = plain(match)
    check = weighted(digits[:9], (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101 % 100
    return int(digits[:9]) > 1_001_998 and is_varied(digits[:9]) and check == int(digits[9:])


def is_ukrainian(match: bytes) -> bool:
    """The check digit of a Ukrainian taxpayer's number."""
    digits = plain(match)
    return is_varied(digits) and weighted(digits[:9], (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == int(digits[9])


def is_kazakh(match: bytes) -> bool:
    """Date and check digit of a Kazakh number."""
    digits = plain(match)
    check = weighted(digits[:11], (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)) % 11
    if check == 10:
        check = weighted(digits[:11], (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return is_date(digits[2:4], digits[4:6]) and check == int(digits[11])


def is_latvian(match: bytes) -> bool:
    """Date and check digit of a Latvian code; codes since 2017 begin with 32 and say neither."""
    digits = plain(match)
    if digits[:2] == "32":
        return is_varied(digits[2:])
    check = (1101 - weighted(digits[:10], (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 % 10
    return is_date(digits[2:4], digits[:2]) and check == int(digits[10])


def is_jmbg(match: bytes) -> bool:
    """Date and check digit of a number that Yugoslavia gave out, and its countries since."""
    digits = plain(match)
    check = -weighted(digits[:12], (7, 6, 5, 4, 3, 2)) % 11
    return is_date(digits[2:4], digits[:2]) and check == int(digits[12])


def is_taj(match: bytes) -> bool:
    """The check digit of a Hungarian insurance number."""
    digits = plain(match)
    return is_varied(digits) and weighted(digits[:8], (3, 7)) % 10 == int(digits[8])


def is_hungarian_tax_id(match: bytes) -> bool:
    """The check digit of a Hungarian person's tax number."""
    digits = plain(match)
    return weighted(digits[:9], (1, 2, 3, 4, 5, 6, 7, 8, 9)) % 11 == int(digits[9])


_FORMS = (
    Form("pii.ru_inn", "", "[0-9]{12}|[0-9]{10}", in_utf8("ИНН", "инн", "Инн"), is_inn, 40),
    Form(
        "pii.ru_snils",
        "[0-9]{3}-[0-9]{3}-[0-9]{3} [0-9]{2}",
        "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{2}",
        "snils|" + in_utf8("СНИЛС", "снилс", "Снилс"),
        is_snils,
    ),
    Form(
        "pii.ua_rnokpp",
        "",
        "[0-9]{10}",
        "rnokpp|ipn|"
        + in_utf8("РНОКПП", "рнокпп", "ІПН", "іпн", "ИПН", "ідентифікаційний код", "Ідентифікаційний код"),
        is_ukrainian,
    ),
    Form("pii.kz_iin", "", "[0-9]{6}[ -]?[0-9]{6}", "iin|" + in_utf8("ИИН", "иин", "ЖСН", "жсн"), is_kazakh),
    Form(
        "pii.lv_code",
        "",
        "[0-3][0-9][0-9]{4}[ -]?[0-9]{5}",
        r"personas kods|pers\. kods|p\.k\.|personal code",
        is_latvian,
    ),
    Form(
        "pii.jmbg",
        "",
        "[0-3][0-9][01][0-9]{10}",
        "jmbg|umcn|embg|emso|" + in_utf8("EMŠO", "emšo", "ЈМБГ", "ЕМБГ"),
        is_jmbg,
    ),
    Form("pii.hu_taj", "", "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", "taj", is_taj),
    Form(
        "pii.hu_tax_id",
        "",
        "8[0-9]{9}",
        r"ad[o\x80-\xf4]{1,2}azonos[i\x80-\xf4]{1,2}t[o\x80-\xf4]{1,2}|adoazonosito",
        is_hungarian_tax_id,
    ),
)

DETECTOR = Detector(
    name="ids_eurasia",
    version=1,
    kinds={
        "pii.ru_inn": "A Russian taxpayer's number (INN) with its checksum, beside a word that says so.",
        "pii.ru_snils": "A Russian pension account's number (SNILS) with its checksum.",
        "pii.ua_rnokpp": "A Ukrainian taxpayer's number with its checksum, beside a word that says so.",
        "pii.kz_iin": "A Kazakh IIN with its date and checksum, beside a word that says so.",
        "pii.lv_code": "A Latvian personal code with its date and checksum, beside a word that says so.",
        "pii.jmbg": "A JMBG or EMŠO (Yugoslavia's countries) with its date and checksum, beside a word that says so.",
        "pii.hu_taj": "A Hungarian TAJ with its checksum, beside a word that says so.",
        "pii.hu_tax_id": "A Hungarian person's tax number with its checksum, beside a word that says so.",
    },
    patterns=tuple(pattern for form in _FORMS for pattern in form.patterns()),
)
