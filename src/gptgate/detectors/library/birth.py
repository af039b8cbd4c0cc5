"""Dates of birth: dates that a calendar has, beside words that say that somebody was born."""

import re
from collections.abc import Mapping

from gptgate.detectors.checksums import is_date
from gptgate.detectors.context import beside
from gptgate.detectors.pattern import Detector

_MONTHS: Mapping[int, str] = {
    1: "january januar janvier enero gennaio janeiro januari stycznia styczen jan ene gen sty",
    2: "february februar fevrier février febrero febbraio fevereiro februari lutego luty feb fev fév lut",
    3: "march marz märz mars marzo março marco maart marca marzec mar mär mrz mrt",
    4: "april avril abril aprile kwietnia kwiecien apr avr abr kwi",
    5: "may mai mayo maggio maio mei maja maj mag",
    6: "june juni juin junio giugno junho czerwca czerwiec jun giu cze",
    7: "july juli juillet julio luglio julho lipca lipiec jul lug lip",
    8: "august août aout agosto augustus sierpnia sierpien aug ago sie",
    9: "september septembre septiembre settembre setembro wrzesnia września wrzesien sep sept set wrz",
    10: "october oktober octobre octubre ottobre outubro pazdziernika października oct okt ott out paz",
    11: "november novembre noviembre novembro listopada listopad nov lis",
    12: "december dezember décembre decembre diciembre dicembre dezembro grudnia grudzien dec dez déc dic gru",
}
_NUMBER_OF: Mapping[str, int] = {name: number for number, names in _MONTHS.items() for name in names.split()}

_FIRST_YEAR, _LAST_YEAR = 1900, 2035
_PART = re.compile(r"[0-9]+|[^\W\d_]+")

_WORDS = (
    r"date[ _-]?of[ _-]?birth|birth[ _-]?dates?|birthdays?|d[.]?o[.]?b[.]?|was born|born"
    r"|geburtsdatum|geburtstag|geboren|geb[.]?|date de naissance|n[e\x80-\xf4]{1,2}e?[ ]le"
    r"|fecha de nacimiento|nacid[oa]|data di nascita|nat[oa] (?:il|a)|data de nascimento|nascid[oa]"
    r"|geboortedatum|data urodzenia|urodzon[ya]|ur[.]"
)
_BETWEEN = r"[ \t\r\n|:=\"'`.,;()\[\]{}<>/*_?!-]{1,16}"
_GAP = rf"(?:{_BETWEEN}[A-Za-z\x80-\xf4]{{1,16}}){{0,3}}{_BETWEEN}"
_NAME = r"[A-Za-z\x80-\xf4]{3,14}"
_FORMS = (
    "(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2}"
    "|[0-9]{1,2}(?:[./-][0-9]{1,2}[./-]| [0-9]{1,2} |[.] [0-9]{1,2}[.] )(?:(?:19|20)[0-9]{2}|[0-9]{2})"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|er|[.])?[ -](?:of |de )?{_NAME}[.]?,?[ -](?:de |del )?(?:19|20)[0-9]{{2}}"
    rf"|{_NAME}[.]? [0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}"
)


def is_birth_date(match: bytes) -> bool:
    """Whether day, month and year make a date on which somebody alive can have been born."""
    parts = [part.lower() for part in _PART.findall(match.decode("utf-8", "replace"))]
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
    month = next((_NUMBER_OF[part] for part in parts if part in _NUMBER_OF), 0)
    if month and len(numbers) == 2:
        options = [(month, numbers[0], numbers[1])]
    elif len(numbers) == 3 and numbers[0] >= _FIRST_YEAR:
        options = [(numbers[1], numbers[2], numbers[0])]
    elif len(numbers) == 3:
        one, other, year = numbers
        options = [(one, other, year), (other, one, year)]
    else:
        return False
    return any(_is_day(*option) for option in options)


def _is_day(month: int, day: int, year: int) -> bool:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    is_known = _FIRST_YEAR <= year <= _LAST_YEAR or year < 100
    return is_known and is_date(str(month), str(day)) and (is_leap or (month, day) != (2, 29))


DETECTOR = Detector(
    name="birth",
    version=1,
    kinds={"pii.date_of_birth": "A date of birth, beside a word that says so."},
    patterns=(beside("pii.date_of_birth", _WORDS, _FORMS, 30, is_birth_date, _GAP),),
)
