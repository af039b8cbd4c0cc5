"""Passports and driving licences: each country writes its numbers its own way, so the words beside them decide."""

from gptgate.detectors.checksums import is_varied, plain
from gptgate.detectors.context import NUMBER_END, beside
from gptgate.detectors.pattern import EDGE, Detector, Pattern

_BETWEEN = r"[ \t\r\n|:=\"'`#.,()\[\]{}<>/*_-]{1,16}"
_GAP = rf"(?:[_ -]?(?:numbers?|num|nummer|numer|no|nr|id))?(?:{_BETWEEN}[A-Za-z\x80-\xf4]{{1,12}}){{0,3}}{_BETWEEN}"

_PASSPORT_WORDS = (
    r"passports?|passeports?|reisepass(?:nummer|nr)?|pasaportes?|passaport[oe]s?|paspoort(?:nummer)?|paszport[a-z]{0,3}"
    r"|passnummer|passnr"
)
_LICENCE_WORDS = (
    r"driv(?:er|ers|er's|ing)[ _-]?licen[cs]e|licen[cs]e number|dl[ _-]?(?:no|number|nr|num|#)"
    r"|f[u\x80-\xf4]{1,2}hrerschein(?:nummer|nr)?|fuehrerschein(?:nummer|nr)?|permis de conduire"
    r"|(?:permiso|carn[e\x80-\xf4]{1,2}|licencia) de conducir|patente di guida|n[.] ?patente"
    r"|carta de condu[c\x80-\xf4]{1,2}[a\x80-\xf4]{1,2}o|carteira de motorista|cnh|rijbewijs(?:nummer|nr)?"
    r"|praw[oa] jazdy"
)
_FEWEST_DIGITS = 5
_SIGN = "[A-Za-z0-9]"


def is_paper(match: bytes) -> bool:
    """Whether enough of it are digits, not all of them the same."""
    digits = [char for char in plain(match) if char.isdigit()]
    return len(digits) >= _FEWEST_DIGITS and is_varied("".join(digits))


def is_machine_line(match: bytes) -> bool:
    """Whether there is a name in the line, between its fillers."""
    return b"<<" in match.rstrip(b"<")


DETECTOR = Detector(
    name="identity_papers",
    version=1,
    kinds={
        "pii.passport": "A passport's number beside a word that says so, or the lines at its foot for machines.",
        "pii.driving_licence": "A driving licence's number beside a word that says so.",
    },
    patterns=(
        beside(
            "pii.passport",
            _PASSPORT_WORDS,
            # Letters before digits, digits alone, and the forms of France, the Netherlands and Germany.
            "[A-Z]{1,3}[ ]?[0-9]{6,8}|[0-9]{8,9}|[0-9]{2}[ ]?[A-Z]{2}[ ]?[0-9]{5}|[0-9]{2} [0-9]{7}"
            "|[A-Z]{2}[A-Z0-9]{6}[0-9]|[A-Z][A-Z0-9]{7}[0-9]",
            50,
            is_paper,
            _GAP,
        ),
        Pattern(
            kind="pii.passport",
            left=EDGE,
            body=r"P[A-Z<][A-Z]{3}[A-Z<]{39}(?:[\r\n ]{1,2}[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{6}[0-9][MFX<][0-9]{6}[0-9]"
            r"[A-Z0-9<]{16})?",
            points=60,
            right="[^A-Za-z0-9<]",
            accept=is_machine_line,
        ),
        Pattern(
            kind="pii.driving_licence",
            prefix=f"(?:{_LICENCE_WORDS}){_GAP}",
            body=f"{_SIGN}{{6,18}}|{_SIGN}{{1,6}}(?:[-/]{_SIGN}{{2,6}}){{1,4}}|[A-Z]{{5}}[0-9 ]{{7}}{_SIGN}{{4,6}}"
            "|[A-Z]?[0-9]{2,4}(?:[ ][0-9]{2,4}){2,4}",
            points=50,
            right=NUMBER_END,
            ignore_case=True,
            trigger=_LICENCE_WORDS,
            accept=is_paper,
        ),
    ),
)
