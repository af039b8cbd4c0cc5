"""Street addresses as a number of countries write them: a word for a street, a name and a number.

Precision first: names begin with capitals, and words that much else is called (``Way``, ``Platz``) need a postal code
or a flat behind them.
"""

import re

from gptgate.detectors.pattern import EDGE, Detector, Pattern

_KIND = "pii.address"
_POINTS = 20
_LETTER = r"[A-Za-z\x80-\xf4'-]"
_CAPITAL = r"(?:[A-Z]|[\xc3-\xc5][\x80-\xbf])"
_NAME = rf"{_CAPITAL}{_LETTER}{{1,24}}"
_NUMBER = "[0-9]{1,4}(?:[ ]?[A-Za-z])?(?:[-/][0-9]{1,4})?"
_COMMA = r"(?:,[ ]?|[ ]|,?[\r]?[\n][ ]{0,4})"
_END = "[^A-Za-z0-9]"

_ENGLISH = (
    "Street|Avenue|Road|Boulevard|Blvd[.]?|Lane|Drive|Crescent|Terrace|Parkway|Highway"
    "|St[.]|Ave[.]?|Rd[.]?|Ln[.]?|Dr[.]"
)
_ENGLISH_WEAK = (
    "Court|Ct[.]?|Place|Pl[.]?|Way|Square|Sq[.]?|Circle|Cir[.]?|Close|Gardens|Grove|Mews|Row|Walk|Hill|St|Dr"
)
_FLAT = r"(?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Floor|#)[.]?[ ]?[A-Z]?[0-9]{1,5}[A-Z]?"
_TOWN = rf"{_NAME}(?:[ ]{_NAME}){{0,2}}"
_CODE = "(?:[A-Z]{2}[ ][0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]?[ ][0-9][A-Z]{2}|[A-Z]{2,3}[ ][0-9]{4}|[A-Z]{2})"
_TAIL = rf"(?:{_COMMA}{_FLAT}(?:{_COMMA}{_TOWN}{_COMMA}{_CODE})?|{_COMMA}{_TOWN}{_COMMA}{_CODE})"
_HOUSE = rf"[0-9]{{1,5}}[A-Za-z]?[ ](?:[NSEW][.]?[ ])?(?:(?:{_NAME}|[0-9]{{1,3}}(?:st|nd|rd|th))[ ]){{1,3}}"

_POSTAL = rf"(?:,[ ]?|[ ]|[\r]?[\n][ ]{{0,4}})(?:[A-Z]{{1,2}}-)?[0-9]{{4,5}}(?:[ ]?[A-Z]{{2}})?[ ]{_NAME}"
_GERMAN = rf"(?:{_CAPITAL}{_LETTER}{{1,30}}|{_NAME}[ -])(?:[Ss]tra(?:\xc3\x9f|ss)e|[Ss]tr[.]|[Aa]llee|[Gg]asse)"
_GERMAN_WEAK = rf"{_CAPITAL}{_LETTER}{{2,30}}(?:weg|platz|ring|damm|ufer|hof|berg|markt)"
_DUTCH = rf"{_CAPITAL}{_LETTER}{{2,30}}(?:straat|laan|gracht|kade|steenweg|singel)"

_ROMANCE = (
    r"(?:Calle|C/|Avenida|Avda[.]?|Paseo|Via|Viale|Piazza|Corso|Vicolo|Largo|Rua|Travessa|Pra[c\x80-\xf4]{1,2}a|Estrada"
    r"|Carrera|Plaza|Rue|Avenue|Boulevard)"
)
_PARTICLE = "(?:de la|de los|de las|de|del|della|delle|dei|degli|da|do|dos|das|du|des|di|la|el|d'|l')"
_ROMANCE_NAME = rf"(?:{_PARTICLE}[ ]?)?{_NAME}(?:[ ](?:{_PARTICLE}[ ])?{_NAME}){{0,3}}"
_FRENCH = (
    r"(?:rue|avenue|boulevard|bd|place|chemin|impasse|all[e\x80-\xf4]{1,2}e|quai|route|cours|square|Rue|Avenue|Bd)"
)


def is_house(match: bytes) -> bool:
    """Whether the number before the street is no year, or something behind the street says that it is an address."""
    number = re.match(rb"[0-9]+", match)
    return number is None or not 1900 <= int(number[0]) < 2100 or re.search(rb"[,\n]|[^0-9][0-9]", match) is not None


def _address(body: str, trigger: str) -> Pattern:
    return Pattern(kind=_KIND, left=EDGE, body=body, points=_POINTS, right=_END, trigger=trigger, accept=is_house)


DETECTOR = Detector(
    name="street",
    version=1,
    kinds={_KIND: "A street with a house number, as one of a dozen countries writes it, or a post office box."},
    patterns=(
        _address(f"{_HOUSE}(?:{_ENGLISH})(?:{_TAIL})?", f"[ ](?:{_ENGLISH}){_END}"),
        _address(f"{_HOUSE}(?:{_ENGLISH_WEAK}){_TAIL}", f"[ ](?:{_ENGLISH_WEAK})[, \\r\\n]"),
        _address(f"{_GERMAN}[ ]{_NUMBER}(?:{_POSTAL})?", r"(?:tra(?:\xc3\x9f|ss)e|tr[.]|llee|asse)[ ][0-9]"),
        _address(f"{_GERMAN_WEAK}[ ]{_NUMBER}{_POSTAL}", "(?:weg|platz|ring|damm|ufer|hof|berg|markt)[ ][0-9]"),
        _address(f"{_DUTCH}[ ]{_NUMBER}(?:{_POSTAL})?", "(?:straat|laan|gracht|kade|steenweg|singel)[ ][0-9]"),
        _address(
            rf"{_ROMANCE}[ ]{_ROMANCE_NAME},?[ ](?:n[.o]{{0,2}}[ ]?)?{_NUMBER}(?:{_POSTAL})?",
            f"{_ROMANCE}[ ](?:{_PARTICLE}[ ]?)?[A-Z\\xc3-\\xc5]",
        ),
        _address(
            rf"[0-9]{{1,4}}(?:[ ](?:bis|ter))?,?[ ]{_FRENCH}[ ]{_ROMANCE_NAME}(?:{_POSTAL})?",
            f"[0-9,srSR][ ]{_FRENCH}[ ]",
        ),
        _address(
            rf"(?:ul|al|pl|os)[.][ ](?:{_NAME}[ ]){{1,3}}[0-9]{{1,4}}[A-Za-z]?(?:/[0-9]{{1,4}})?",
            f"{EDGE}(?:ul|al|pl|os)[.][ ][A-Z\\xc3-\\xc5]",
        ),
        _address(
            "(?:P[.]?[ ]?O[.]?[ ]Box|Postfach|Apartado|Casella Postale)[ ][0-9]{2,6}",
            "(?:Box|Postfach|Apartado|Postale)[ ][0-9]",
        ),
    ),
)
