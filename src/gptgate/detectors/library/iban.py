"""International bank account numbers (ISO 13616: country, length, modulo 97) and bank codes (ISO 9362) by context."""

from gptgate.detectors.checksums import is_varied, mod_97, plain
from gptgate.detectors.context import beside
from gptgate.detectors.pattern import Detector, Pattern

_LENGTHS: dict[int, str] = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL SD FK",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK MN",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}

_COUNTRIES = frozenset(
    "AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN "
    "CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ES ET FI FJ FO FR GA GB GD GE GG GH GI GL GM GN GR GT GU GY HK HN "
    "HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KM KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD "
    "ME MG MK ML MM MN MO MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NZ OM PA PE PG PH PK PL PR PS PT PY QA RO RS RU "
    "RW SA SC SD SE SG SI SK SL SM SN SO SR ST SV SY TD TG TH TJ TM TN TR TT TW TZ UA UG US UY UZ VA VE VG VN XK YE ZA "
    "ZM ZW".split()
)


def is_iban(match: bytes) -> bool:
    """Whether country, length and checksum agree."""
    text = plain(match)
    return text[:2] in _LENGTHS[len(text)].split() and is_varied(text[4:]) and mod_97(text[4:] + text[:4]) == 1


def is_bank_code(match: bytes) -> bool:
    """Whether the country in it is one."""
    return match[4:6].decode().upper() in _COUNTRIES


_SIGN = r"[ ./_|\t\r\n-]"
_CAPITALS_BEFORE = frozenset({"NO"})
"""Countries that are a word before other numbers: ``NO 1234567890123``."""


def _forms() -> str:
    """Each country's length: together or in fours, so that the word behind a number in fours is none of its groups;
    and in any groups, where but for a bank's letters all are digits."""
    forms = []
    for size, countries in _LENGTHS.items():
        names = "|".join(f"[{one[0]}{one[0].lower()}][{one[1]}{one[1].lower()}]" for one in countries.split())
        groups, rest = divmod(size - 4, 4)
        fours = f"(?:{_SIGN}[A-Za-z0-9]{{4}}){{{groups}}}" + (f"{_SIGN}[A-Za-z0-9]{{{rest}}}" if rest else "")
        forms.append(f"(?:{names})[0-9]{{2}}(?:[A-Za-z0-9]{{{size - 4}}}|{fours})")
        capitals = "|".join(one for one in countries.split() if one not in _CAPITALS_BEFORE)
        if capitals:
            forms += (_in_groups(capitals, "", size - 4), _in_groups(capitals, f"[A-Z]{{4}}{_SIGN}?", size - 8))
    french = f"(?:FR|MC){_BEFORE}(?:{_SIGN}?[0-9]){{10}}(?:{_SIGN}?[A-Z0-9]){{11}}(?:{_SIGN}?[0-9]){{2}}"
    italian = f"(?:IT|SM){_BEFORE}{_SIGN}?[A-Z](?:{_SIGN}?[0-9]){{10}}{_SIGN}?[A-Z0-9]{{12}}"
    return "|".join([*forms, french, italian])


_BEFORE = f"{_SIGN}?[0-9]{{2}}"


def _in_groups(countries: str, bank: str, digits: int) -> str:
    return f"(?:{countries}){_BEFORE}{_SIGN}?{bank}[0-9](?:{_SIGN}?[0-9]){{{digits - 1}}}"


DETECTOR = Detector(
    name="iban",
    version=2,
    kinds={
        "pii.iban": "An international bank account number with its country's length and a valid checksum.",
        "pii.bank_code": "A bank's code (BIC, SWIFT) beside a word that says so.",
    },
    patterns=(
        Pattern(
            kind="pii.iban",
            body=_forms(),
            trigger=f"[A-Za-z]{{2}}[0-9]{{2}}{_SIGN}?[A-Za-z0-9]{{4}}{_SIGN}?[A-Za-z0-9]{{3}}"
            f"|[A-Z]{{2}}{_BEFORE}(?:{_SIGN}?[A-Z]){{0,4}}(?:{_SIGN}?[0-9]){{7}}",
            points=60,
            accept=is_iban,
        ),
        beside(
            "pii.bank_code",
            "bic|swift|bic/swift|swift/bic|swift[ -]?code|bic[ -]?code|bank identifier code",
            "[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
            10,
            is_bank_code,
            r"[ \t\r\n|:=\"'#.()\[\]{}/_-]{1,16}(?:(?:code|is|no|nr|number)[ \t:=\"'.|]{1,8}){0,2}",
        ),
    ),
)
