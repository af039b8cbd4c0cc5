"""Telephone numbers: what the numbering plans of the world allow (phonenumbers), written as people write them."""

import re

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber, is_possible_number

from gptgate.detectors.checksums import is_varied
from gptgate.detectors.context import NUMBER_END, beside
from gptgate.detectors.numbering import is_given_out
from gptgate.detectors.pattern import ESCAPED, Detector, Pattern

for _region in {region for regions in COUNTRY_CODE_TO_REGION_CODE.values() for region in regions}:
    # Read now: otherwise the first number of each country would read a file while a request waits.
    PhoneMetadata.metadata_for_region(_region, None)

_NATIONAL = (1, 44, 49, 33, 34, 39, 31, 48, 55, 91, 61, 81, 52, 32, 41, 43, 351, 353, 46, 45, 47, 358, 420, 54, 27, 64)
"""Country codes whose national forms are recognised, the most frequent first."""

_WITH_ZERO = frozenset({44, 49, 33, 39, 31, 91, 61, 81, 32, 41, 43, 353, 46, 358, 27, 64})
"""Countries where a national number begins with a zero that is not dialled from abroad (in Italy it is)."""

_DATE = re.compile(
    rb"(?:19|20)[0-9]{2}[ ./-][0-9]{1,2}[ ./-][0-9]{1,2}(?:[ .].*)?|[0-9]{1,2}[ ./-][0-9]{1,2}[ ./-](?:19|20)?[0-9]{2}"
)
_NO_DIGITS = bytes(set(range(0x100)) - set(b"0123456789"))


def is_written_out(match: bytes) -> bool:
    """Whether a number that is written as telephone numbers are is one: from abroad, at home, or in America.

    In America the form says enough: hardly anything else is written so.
    """
    if match[:1] == b"+":
        return _is_international(match)
    if match[:1] == b"0" or match[:2] == b"(0":
        return _DATE.fullmatch(match) is None and any(_is_given_out(code, _digits(match)) for code in _WITH_ZERO)
    return is_varied(_digits(match))


def is_called(match: bytes) -> bool:
    """Whether digits beside a word for a telephone are a number of some country, no date, and not found without it."""
    if _DATE.fullmatch(match) is not None or (_is_written_out(match) and is_written_out(match)):
        return False
    digits = _digits(match)
    if match[:2] == b"00" and _is_international(match):
        return True
    is_grouped = any(sign in match for sign in b" -(") and 7 <= len(digits) <= 13 and is_varied(digits)
    return is_grouped or any(_is_given_out(code, digits) for code in _NATIONAL)


def _is_international(match: bytes) -> bool:
    """A zero in brackets is not dialled from abroad. Groups make up for a range that is not known to be given out."""
    digits = _digits(match.replace(b"(0)", b"")).removeprefix("00")
    for size in (1, 2, 3):
        code = int(digits[:size] or "0")
        if code in COUNTRY_CODE_TO_REGION_CODE:
            if _is_given_out(code, digits[size:]):
                return True
            is_grouped = any(sign in match for sign in b" -(")
            return is_grouped and is_possible_number(
                PhoneNumber(country_code=code, national_number=int(digits[size:] or "0"))
            )
    return False


def _digits(match: bytes) -> str:
    return match.translate(None, _NO_DIGITS).decode()


def _is_given_out(code: int, digits: str) -> bool:
    if not 6 <= len(digits) <= 14 or not is_varied(digits[-7:]):
        return False
    national = digits[1:] if code in _WITH_ZERO and code != 39 and digits[0] == "0" else digits
    if code == 1 and len(digits) == 11:
        national = digits.removeprefix("1")
    national = "0" + str(int(national)) if national[0] == "0" else national
    return is_given_out(code, national)


_KIND = "pii.phone"
_POINTS = 20
_LEFT = rf"(?:[^A-Za-z0-9.+-]|{ESCAPED})"
_SIGN = "[ ./-]"
_WORDS = (
    r"(?:tele|cell|smart|mobile |home |work |office )?phones?|tel|telefon[a-z]{0,8}"
    r"|t[e\x80-\xff]{1,2}l[e\x80-\xff]{1,2}phone|tel[e\x80-\xff]{1,2}fono"
    r"|mobile|mob|mobil|handy|cell|cellulare|celular|m[o\x80-\xff]{1,2}vil|portable|call"
    r"|ring|dial|answering|fax|whatsapp|sms|text me|contact|reach|hotline|rufnummer|numer telefonu"
    r"|telemovel|gsm|denwa|msisdn"
)
_BETWEEN = r"[ \t\r\n|:=\"'`.,;()\[\]{}<>/*_?!\\-]{1,24}"
_GAP = rf"(?:{_BETWEEN}[A-Za-z\x80-\xff]{{1,12}}){{0,3}}{_BETWEEN}"
_RUN = rf"(?:\([0-9]{{1,5}}\){_SIGN}{{0,2}}|[0-9]{{2,6}}{_SIGN}?)(?:[0-9]{{2,6}}{_SIGN}){{0,4}}[0-9]{{2,11}}"

_FORMS = "|".join(
    (
        rf"\+[1-9][0-9]{{0,3}}(?:{_SIGN}{{0,2}}\(?[0-9]{{1,5}}\)?){{1,6}}",
        r"(?:(?:00)?1[ .-])?(?:\([1-9][0-9]{2}\)[ ]?|[1-9][0-9]{2}[.-])[0-9]{3}[ .-][0-9]{4}"
        r"(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,5})?",
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
    version=1,
    kinds={_KIND: "A telephone number that a country's numbering plan has."},
    patterns=(
        Pattern(
            kind=_KIND,
            left=_LEFT,
            body=_FORMS,
            points=_POINTS,
            right=NUMBER_END,
            accept=is_written_out,
            trigger=_LEFT + r"(?:\+[1-9][0-9 ./(-]|(?:(?:00)?1[ .-])?\([0-9]{2,6}\)[ ]?[0-9]{2}"
            r"|(?:(?:00)?1[ .-])?[1-9][0-9]{2}[.-][0-9]{3}[ .-][0-9]{4}|0[1-9][0-9]{0,3}[ ./-][0-9 ]{2})",
        ),
        beside(_KIND, _WORDS, _RUN, _POINTS, is_called, _GAP),
    ),
)
