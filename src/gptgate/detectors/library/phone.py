"""Telephone numbers: what the numbering plans of the world allow (phonenumbers), written as people write them."""

import re

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber, is_possible_number, is_valid_number

from gptgate.detectors.checksums import is_varied
from gptgate.detectors.context import beside
from gptgate.detectors.pattern import ESCAPED, Detector, Pattern

for _region in {region for regions in COUNTRY_CODE_TO_REGION_CODE.values() for region in regions}:
    # Read now: otherwise the first number of each country would read a file while a request waits.
    PhoneMetadata.metadata_for_region(_region, None)

_NATIONAL = (1, 44, 49, 33, 34, 39, 31, 48, 55, 91, 61, 81, 52, 32, 41, 43, 351, 353, 46, 45, 47, 358, 420, 54, 27, 64)
"""Country codes whose national forms are recognised, the most frequent first."""

_WITH_ZERO = frozenset({44, 49, 33, 39, 31, 91, 61, 81, 32, 41, 43, 353, 46, 358, 27, 64})
"""Countries where a national number begins with a zero that is not dialled from abroad (in Italy it is)."""

_DATE = re.compile(
    rb"(?:19|20)[0-9]{2}[ ./-]([0-9]{1,2})[ ./-]([0-9]{1,2})(?:[ .].*)?"
    rb"|([0-9]{1,2})[ ./-]([0-9]{1,2})[ ./-](?:19|20)?[0-9]{2}"
)
_IN_FOURS = re.compile(rb"[0-9]{4}(?:[ -][0-9]{4})+(?:[ -][0-9]{1,4})?[)]?")
_EXTENSION = re.compile(rb"[ ]?(?:x|ext[.]?)[ ]?[0-9]+")


def is_written_out(match: bytes) -> bool:
    """Whether a number that is written as telephone numbers are is one: from abroad, at home, or in America.

    In America, and where an extension follows, the form says enough: hardly anything else is written so.
    """
    number = _EXTENSION.sub(b"", match.lower())
    if number[:1] == b"+":
        return _is_international(number)
    if number[:2] == b"00" and number[:4] not in (b"001-", b"001 ", b"001."):
        # Accounts are written in fours; and what a plan does not have is no number here.
        return _IN_FOURS.fullmatch(number) is None and _is_international(number, is_strict=True)
    if number == match and (match[:1] == b"0" or match[:2] == b"(0") and match[:3] != b"001":
        return not _is_date(match) and any(_is_given_out(code, _digits(match)) for code in _WITH_ZERO)
    return is_varied(_digits(number))


def is_called(match: bytes) -> bool:
    """Whether digits beside a word for a telephone are a number of some country, no date, and not found without it."""
    if _is_date(match) or (_is_written_out(match) and is_written_out(match)):
        return False
    digits = _digits(match)
    if match[:2] == b"00" and _is_international(match):
        return True
    return _is_grouped(match) or any(_is_given_out(code, digits) for code in _NATIONAL)


def is_labelled(match: bytes) -> bool:
    """Whether digits on a line that ends in a word for a telephone are a number, and not found without it."""
    is_long = 9 <= len(match) <= 13 and is_varied(_digits(match))
    return (
        (is_long or _is_grouped(match))
        and not _is_date(match)
        and not (_is_written_out(match) and is_written_out(match))
    )


def _is_grouped(match: bytes) -> bool:
    """Groups as telephone numbers have them, of a number that no plan needs to have: plans differ and change."""
    digits = _digits(match)
    signs = sum(match.count(sign) for sign in b" -(./")
    return (7 if signs == 1 else 6) <= len(digits) <= 13 and signs > 0 and is_varied(digits)


def _is_date(match: bytes) -> bool:
    date = _DATE.fullmatch(match)
    if date is None:
        return False
    one, other = (int(part) for part in date.groups() if part)
    return 0 < min(one, other) <= 12 and max(one, other) <= 31


def _is_international(match: bytes, *, is_strict: bool = False) -> bool:
    """A zero in brackets is not dialled from abroad. Groups make up for a range that is not known to be given out."""
    digits = _digits(match.replace(b"(0)", b"")).removeprefix("00")
    for size in (1, 2, 3):
        code = int(digits[:size] or "0")
        if code in COUNTRY_CODE_TO_REGION_CODE:
            number = PhoneNumber(country_code=code, national_number=int(digits[size:] or "0"))
            is_grouped = not is_strict and any(sign in match for sign in b" -(")
            return _is_given_out(code, digits[size:]) or (is_grouped and is_possible_number(number))
    return False


def _digits(match: bytes) -> str:
    return re.sub(rb"[^0-9]", b"", match).decode()


def _is_given_out(code: int, digits: str) -> bool:
    if not 6 <= len(digits) <= 14 or not is_varied(digits[-7:]):
        return False
    national = digits[1:] if code in _WITH_ZERO and code != 39 and digits[0] == "0" else digits
    if code == 1 and len(digits) == 11:
        national = digits.removeprefix("1")
    return is_valid_number(
        PhoneNumber(country_code=code, national_number=int(national), italian_leading_zero=national[0] == "0" or None)
    )


_KIND = "pii.phone"
_POINTS = 20
_LEFT = rf"(?:[^A-Za-z0-9.+-]|{ESCAPED})"
_SIGN = "[ ./-]"
_WORDS = (
    r"(?:tele|cell|smart|mobile |home |work |office )?phones?|tel|telefon[a-z]{0,8}"
    r"|t[e\x80-\xf4]{1,2}l[e\x80-\xf4]{1,2}phone|tel[e\x80-\xf4]{1,2}fono"
    r"|mobile|mob|mobil|handy|cell|cellulare|celular|m[o\x80-\xf4]{1,2}vil|portable|call"
    r"|ring|dial|answering|fax|whatsapp|sms|text me|contact|reach|hotline|rufnummer|numer telefonu"
    r"|telemovel|gsm|denwa|msisdn"
)
_BETWEEN = r"[ \t\r\n|:=\"'`.,;()\[\]{}<>/*_?!\\-]{1,24}"
_GAP = rf"(?:{_BETWEEN}[A-Za-z\x80-\xf4]{{1,12}}){{0,3}}{_BETWEEN}"
_RUN = rf"(?:\([0-9]{{1,5}}\){_SIGN}{{0,2}}|[0-9]{{2,6}}{_SIGN}?)(?:[0-9]{{2,6}}{_SIGN}){{0,4}}[0-9]{{2,11}}"

_EXTENDED = r"[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6}"
_LABELS = "(?:office|fax|mobile|home|work|cell|direct|landline|switchboard)"
_END = rf"(?:[^A-Za-z0-9.-]|[.-][^A-Za-z0-9]|-{_LABELS})"

_FORMS = "|".join(
    (
        rf"\+[1-9][0-9]{{0,3}}(?:{_SIGN}{{0,2}}\(?[0-9]{{1,5}}\)?){{1,6}}(?:{_EXTENDED})?",
        rf"00[1-9][0-9]{{0,2}}{_SIGN}(?:{_SIGN}{{0,2}}\(?[0-9]{{1,5}}\)?){{2,6}}",
        r"(?:(?:00)?1[ .-])?(?:\([1-9][0-9]{2}\)[ ]?|[1-9][0-9]{2}[.-])[0-9]{3}[ .-][0-9]{4}"
        rf"(?:{_EXTENDED})?",
        rf"(?:(?:00)?1[ .-])?(?:\([0-9]{{3}}\)[ ]?|[0-9]{{3}}[.-])[0-9]{{3}}[ .-][0-9]{{4}}{_EXTENDED}",
        rf"\(0[1-9][0-9]{{0,4}}\)[ ]?(?:[0-9]{{2,8}}{_SIGN}){{0,4}}[0-9]{{2,8}}",
        "0[1-9](?:[ .-][0-9]{2}){4}",
        "0[1-9]-[0-9]{4}-[0-9]{4}",
        "0[1-9][0-9][ -][0-9]{4}[ -][0-9]{4}",
        "0[1-9][0-9]{2}[ -][0-9]{3}[ -][0-9]{3,4}",
        "0[1-9][0-9]{3}[ -][0-9]{6}",
        "0[1-9][0-9]{1,3}/[ ]?[0-9]{5,9}",
    )
)
"""Written as telephone numbers are and as little else is: one pattern, so that no form finds a part of another's."""

_is_written_out = re.compile(_FORMS.encode()).fullmatch

DETECTOR = Detector(
    name="phone",
    version=2,
    kinds={_KIND: "A telephone number that a country's numbering plan has."},
    patterns=(
        Pattern(
            kind=_KIND,
            left=_LEFT,
            body=_FORMS,
            points=_POINTS,
            right=_END,
            ignore_case=True,
            accept=is_written_out,
            trigger=_LEFT + r"(?:\+[1-9][0-9 ./(-]|00[1-9][0-9]{0,2}[ ./-]|(?:(?:00)?1[ .-])?\([0-9]{2,6}\)[ ]?[0-9]{2}"
            r"|(?:(?:00)?1[ .-])?[0-9]{3}[.-][0-9]{3}[ .-][0-9]{4}|0[1-9][0-9]{0,3}[ ./-][0-9 ]{2})",
        ),
        beside(_KIND, _WORDS, _RUN, _POINTS, is_called, _GAP),
        Pattern(
            kind=_KIND,
            left=rf"(?:[^A-Za-z0-9.+/-]|{ESCAPED})",
            body=_RUN,
            points=_POINTS,
            right=rf"[ ]?[-(]?[ ]?{_LABELS}[ ]?[\r\n,;:\\|)\xff]",
            ignore_case=True,
            trigger=rf"[0-9][ ]?[-(]?[ ]?{_LABELS}[ ]?[\r\n,;:\\|)\xff]",
            accept=is_labelled,
        ),
    ),
)
