"""Telephone numbers: what the numbering plans of the world allow (phonenumbers), written as people write them."""

import re
from collections.abc import Callable

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from gptgate.detectors.checksums import is_varied
from gptgate.detectors.context import beside, in_utf8
from gptgate.detectors.numbering import lengths, plan, plans
from gptgate.detectors.pattern import ESCAPED, Detector, Pattern

_NATIONAL = (
    *(1, 44, 49, 33, 34, 39, 31, 48, 55, 91, 61, 81, 52, 32, 41, 43, 351, 353, 46, 45, 47, 358, 420, 54, 27, 64),
    *(86, 7, 82, 90, 62, 84, 66, 63, 60, 380, 40, 36, 30, 972, 57, 56, 20, 234, 971),
)
"""Country codes whose national forms are recognised, the most frequent first."""

_WITH_ZERO = frozenset({44, 49, 33, 39, 31, 91, 61, 81, 32, 41, 43, 353, 46, 358, 27, 64})
"""Countries where a national number begins with a zero that is not dialled from abroad (in Italy it is)."""

_KEEPS_ZERO = frozenset({39})

_DATE = re.compile(
    rb"(?:19|20)[0-9]{2}[ ./-]([0-9]{1,2})[ ./-]([0-9]{1,2})(?:[ .].*)?"
    rb"|([0-9]{1,2})[ ./-]([0-9]{1,2})[ ./-](?:19|20)?[0-9]{2}"
)
_CODES = {str(code): code for code in COUNTRY_CODE_TO_REGION_CODE}
_SIGNS = bytes(set(range(256)) - set(b"0123456789"))
_IN_FOURS = re.compile(rb"[0-9]{4}(?:[ -][0-9]{4})+(?:[ -][0-9]{1,4})?[)]?")
_COUNTED = re.compile(
    rb"[1-9][0-9]{0,2}(?:[ .][0-9]{3})*[ .]000|(?:1[89]|20)[0-9]{2}[ /-](?:1[89]|20)[0-9]{2}"
    rb"|[1-9][0-9]{3}(?:[ -][0-9]{4}){2,4}"
)
"""Thousands, years from and to, and what accounts and lists have in fours."""

_EXTENSION = re.compile(rb"[ ]?(?:x|ext[.]?)[ ]?[0-9]+")


def is_written_out(match: bytes) -> bool:
    """Whether a number that is written as telephone numbers are is one: from abroad, at home, or in America.

    In America, and where an extension follows, the form says enough: hardly anything else is written so.
    """
    number = _EXTENSION.sub(b"", match.lower()) if b"x" in match or b"X" in match else match
    if number[:1] == b"+":
        return _is_international(number)
    if number[:2] == b"00" and number[:4] not in (b"001-", b"001 ", b"001."):
        # Accounts are written in fours; and what a plan does not have is no number here.
        return _IN_FOURS.fullmatch(number) is None and _is_international(number, is_strict=True)
    local = [given_out for is_form, given_out in _local if is_form(match)]
    if local:
        return any(_is_at_home(_digits(match), given_out) for given_out in local)
    if number == match and (match[:1] == b"0" or match[:2] == b"(0") and match[:3] != b"001":
        return not _is_date(match) and _is_at_home(_digits(match), _with_zero)
    return is_varied(_digits(number))


def is_called(match: bytes) -> bool:
    """Whether digits beside a word for a telephone are a number of some country, no date, and not found without it."""
    if _is_date(match) or _COUNTED.fullmatch(match) or (_is_written_out(match) and is_written_out(match)):
        return False
    digits = _digits(match)
    if match[:1] == b"+":
        return 8 <= len(digits) <= 15 and is_varied(digits[-7:]) and _country(digits) is not None
    if match[:2] == b"00" and _is_international(match):
        return True
    return _is_grouped(match) or _is_at_home(digits, _at_home)


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
    digits = _digits(match.replace(b"(0)", b"") if b"(" in match else match).removeprefix("00")
    country = _country(digits)
    if country is None:
        return False
    code, national = country
    if code not in _KEEPS_ZERO:
        national = national.removeprefix("0")
    if not 6 <= len(digits) - len(str(code)) <= 14 or not is_varied(national[-7:]):
        return False
    is_grouped = not is_strict and any(sign in match for sign in b" -(")
    return (is_grouped and len(national) in lengths(code)) or plan(code)(national.encode()) is not None


def _country(digits: str) -> tuple[int, str] | None:
    """The country's code that the digits begin with, and what stands behind it."""
    for size in (1, 2, 3):
        code = _CODES.get(digits[:size])
        if code is not None:
            return code, digits[size:]
    return None


def _digits(match: bytes) -> str:
    return match.translate(None, _SIGNS).decode()


def _is_at_home(digits: str, given_out: Callable[[bytes], object]) -> bool:
    return 6 <= len(digits) <= 14 and is_varied(digits[-7:]) and given_out(digits.encode()) is not None


def _dialled_first(code: int) -> str:
    return "1" if code == 1 else "0" if code in _WITH_ZERO and code not in _KEEPS_ZERO else ""


_at_home = plans(_NATIONAL, _dialled_first)
_with_zero = plans(sorted(_WITH_ZERO), _dialled_first)

_KIND = "pii.phone"
_POINTS = 20
_LEFT = rf"(?:{ESCAPED}|[^A-Za-z0-9.+-])"
_SIGN = "[ ./-]"
_WORDS = (
    r"(?:tele|cell|smart|mobile |home |work |office )?phones?|tel|telefon[a-z]{0,8}"
    r"|t[e\x80-\xf4]{1,2}l[e\x80-\xf4]{1,2}phone|tel[e\x80-\xf4]{1,2}fono"
    r"|mobile|mob|mobil|handy|cell|cellulare|celular|m[o\x80-\xf4]{1,2}vil|portable|call"
    r"|ring|dial|answering|fax|whatsapp|sms|(?:can|or|and|to|please) text|text (?:me|us|him|her|them)|contact"
    r"|reach|reached (?:at|on|under|by|via|through)|message (?:me |us )?(?:at|on)|bel (?:mij|me)|hotline|rufnummer"
    r"|numer telefonu|kontakt|landline"
    r"|telemovel|gsm|denwa|msisdn|reachable (?:at|on|under|by|via|through)|joignable|erreichbar|raggiungibile"
    r"|bereikbaar|appele[rz]|anrufen|llam[ae]r?"
    r"|ligue|chiamare|chiama(?:mi|temi)|bellen|zadzwo\xc5\x84|my numbers?"
    r"|(?:his|her|our|their|your|meine|mon|il mio|mi|meu|mijn|m\xc3\xb3j)"
    r" (?:new |neue )?(?:num(?:ber|mer)s?|n[u\x80-\xf4]{1,2}m[e\x80-\xf4]{1,2}ro|numero|numer)"
)
_FOREIGN_WORDS = in_utf8(
    *("телефон", "Телефон", "тел.", "Тел.", "номер", "Номер", "мобильный", "Мобильный", "τηλέφωνο", "Τηλέφωνο"),
    *("电话", "電話", "手机", "手機", "携帯", "전화", "휴대폰", "핸드폰", "연락처"),
    *("هاتف", "جوال", "טלפון", "फोन", "फ़ोन", "मोबाइल"),
)
"""What a telephone is called where there is no Latin alphabet. The number may stand right behind it."""

_BETWEEN = r"[ \t\r\n|:=\"'`.,;()\[\]{}<>/*_?!\\-]{1,24}"
_GAP = rf"(?:{_BETWEEN}[A-Za-z\x80-\xf4]{{1,12}}){{0,3}}{_BETWEEN}"
_RUN = (
    rf"(?:\+?(?:\([0-9]{{1,5}}\){_SIGN}{{0,2}}|[0-9]{{2,6}}{_SIGN}?)(?:[0-9]{{2,6}}{_SIGN}){{0,4}}[0-9]{{2,11}}"
    # A digit alone is what is dialled first in Russia, America, Thailand, and at home in Hungary.
    r"|[178][ -]\(?[0-9]{3}\)?[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}|0[ -][0-9]{4}[ -][0-9]{4}"
    r"|06[ -][1-9]/[0-9]{3}[ -]?[0-9]{3,4})"
)

_EXTENDED = r"[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6}"
_LABELS = "(?:office|fax|mobile|home|work|cell|direct|landline|switchboard|phone|telephone|tel|whatsapp)"
_SAID_AFTER = (
    rf"(?:[ ]?[-(]?[ ]?{_LABELS}[ ]?[\r\n,;:\\|)\xff]"
    rf"| is (?:my|his|her|our|their) (?:new )?(?:{_LABELS}|number)[^A-Za-z0-9])"
)
_END = rf"(?:[^A-Za-z0-9.-]|[.-][^A-Za-z0-9]|-{_LABELS})"

_LOCAL: dict[str, tuple[int, ...]] = {
    "0[1-9][0-9]-[0-9]{3}-[0-9]{4}": (82, 972),
    "0[1-9][0-9] [0-9]{3}(?: [0-9]{2}){2}": (41, 90),
    "0[1-9][0-9]?-[0-9]{2,3} [0-9]{2,3} [0-9]{2}": (46,),
    "06-(?:1/[0-9]{3}[ -]?[0-9]{4}|[2-9][0-9]/[0-9]{3}[ -]?[0-9]{3,4})": (36,),
}
"""How numbers are written at home in a few countries, by code, and parts of other things elsewhere."""

_FORMS = "|".join(
    (
        rf"\+[1-9][0-9]{{0,3}}(?:{_SIGN}{{0,2}}\(?[0-9]{{1,5}}\)?){{1,6}}(?:{_EXTENDED})?",
        rf"00[1-9][0-9]{{0,2}}{_SIGN}(?:{_SIGN}{{0,2}}\(?[0-9]{{1,5}}\)?){{2,6}}",
        r"(?:(?:00)?1[ .-])?(?:\([1-9][0-9]{2}\)[ ]?|[1-9][0-9]{2}[.-])[0-9]{3}[ .-][0-9]{4}"
        rf"(?:{_EXTENDED})?",
        rf"(?:(?:00)?1[ .-])?(?:\([0-9]{{3}}\)[ ]?|[0-9]{{3}}[.-])[0-9]{{3}}[ .-][0-9]{{4}}{_EXTENDED}",
        rf"\(0[1-9][0-9]{{0,4}}\)[ ]?(?:[0-9]{{2,8}}{_SIGN}){{0,4}}[0-9]{{2,8}}",
        # At home in Brazil and in Russia.
        r"\([1-9][0-9]\)[ ]?9[0-9]{4}-[0-9]{4}",
        r"8[ -]?\(?[3489][0-9]{2}\)?[ -]?[0-9]{3}[ -][0-9]{2}[ -][0-9]{2}",
        "0[1-9](?:[ .-][0-9]{2}){4}",
        "0[1-9]-[0-9]{4}-[0-9]{4}",
        "0[1-9][0-9][ -][0-9]{4}[ -][0-9]{4}",
        "0[1-9][0-9]{2}[ -][0-9]{3}[ -][0-9]{3,4}",
        "0[1-9][0-9]{3}[ -][0-9]{6}",
        "0[1-9][0-9]{1,3}/[ ]?[0-9]{5,9}",
        *_LOCAL,
    )
)
"""Written as telephone numbers are and as little else is: one pattern, so that no form finds a part of another's."""

_is_written_out = re.compile(_FORMS.encode()).fullmatch
_local = [
    (re.compile(form.encode()).fullmatch, plans(codes, lambda code: "06" if code == 36 else "0"))
    for form, codes in _LOCAL.items()
]

DETECTOR = Detector(
    name="phone",
    version=4,
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
            r"|(?:(?:00)?1[ .-])?[0-9]{3}[.-][0-9]{3}[ .-][0-9]{4}|0[1-9][0-9]{0,3}[ ./-][0-9 ][0-9 /]"
            r"|8[ -]?\(?[3489][0-9]{2}\)?[ -]?[0-9]{3}[ -][0-9]{2})",
        ),
        beside(_KIND, _WORDS, _RUN, _POINTS, is_called, _GAP),
        Pattern(
            kind=_KIND,
            prefix=rf"(?:{_FOREIGN_WORDS})(?:[ \t:=.,;()\[\]<>*_-]|[\xc3-\xf4][\x80-\xbf]{{1,3}}){{0,8}}",
            body=_RUN,
            points=_POINTS,
            left=r"[\x00-\xff]",
            right=_END,
            trigger=_FOREIGN_WORDS,
            accept=is_called,
        ),
        Pattern(
            kind=_KIND,
            left=rf"(?:{ESCAPED}|[^A-Za-z0-9.+/-])",
            body=_RUN,
            points=_POINTS,
            right=_SAID_AFTER,
            ignore_case=True,
            trigger=f"[0-9]{_SAID_AFTER}",
            accept=is_labelled,
        ),
    ),
)
