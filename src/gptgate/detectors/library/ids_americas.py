"""Numbers of persons and taxpayers in the Americas."""

from gptgate.detectors.checksums import is_date, is_varied, luhn, plain, weighted
from gptgate.detectors.context import Form
from gptgate.detectors.pattern import Detector

_ITIN_GROUPS = frozenset({*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)})
_CURP_LETTERS = "0123456789ABCDEFGHIJKLMN\xd1OPQRSTUVWXYZ"
_RFC_LETTERS = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ \xd1"


def is_ssn(match: bytes) -> bool:
    """Whether area, group and serial can have been given out."""
    digits = plain(match)
    return digits[:3] not in ("000", "666") and digits[3:5] != "00" and digits[5:] != "0000" and is_varied(digits)


def is_itin(match: bytes) -> bool:
    """Whether the group is one of those given out."""
    return int(plain(match)[3:5]) in _ITIN_GROUPS


def is_routing_number(match: bytes) -> bool:
    """The district and the checksum of an American bank's number (ABA)."""
    digits = plain(match)
    district = int(digits[:2])
    is_given_out = district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80
    return is_given_out and is_varied(digits) and weighted(digits, (3, 7, 1)) % 10 == 0


def is_sin(match: bytes) -> bool:
    """A Canadian number: Luhn."""
    digits = plain(match)
    return is_varied(digits) and luhn(digits)


def _brazilian(digits: str, weights: tuple[int, ...], size: int) -> bool:
    return is_varied(digits) and all(
        weighted(digits[:end], weights[-end:]) * 10 % 11 % 10 == int(digits[end]) for end in (size, size + 1)
    )


def is_cpf(match: bytes) -> bool:
    """Both check digits of a Brazilian person's number."""
    return _brazilian(plain(match), (11, 10, 9, 8, 7, 6, 5, 4, 3, 2), 9)


def is_cnpj(match: bytes) -> bool:
    """Both check digits of a Brazilian company's number."""
    return _brazilian(plain(match), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), 12)


def is_curp(match: bytes) -> bool:
    """Date and check digit of a Mexican population number."""
    text = plain(match)
    total = sum(_CURP_LETTERS.index(char) * (18 - at) for at, char in enumerate(text[:17]))
    return is_date(text[6:8], text[8:10]) and -total % 10 == int(text[17])


def is_rfc(match: bytes) -> bool:
    """Date and check character of a Mexican taxpayer's number (a person's)."""
    text = match.decode().upper().replace("-", "").replace(" ", "")
    total = sum(_RFC_LETTERS.index(char) * (13 - at) for at, char in enumerate(text[:12]))
    return is_date(text[6:8], text[8:10]) and "0A987654321"[total % 11] == text[12]


def is_cuit(match: bytes) -> bool:
    """The check digit of an Argentine taxpayer's number."""
    digits = plain(match)
    return -weighted(digits[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11 == int(digits[10])


def is_rut(match: bytes) -> bool:
    """The check character of a Chilean number."""
    text = plain(match)
    return is_varied(text[:-1]) and "0K987654321"[weighted(text[-2::-1], (2, 3, 4, 5, 6, 7)) % 11] == text[-1]


_FORMS = (
    Form(
        "pii.us_ssn",
        "[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}",
        "[0-8][0-9]{2}(?:[ ./_-]| - )?[0-9]{2}(?:[ ./_-]| - )?[0-9]{4}",
        "ssns?|ss#|soc(?:ial)?[ _-]?sec(?:urity)?|taxpayer",
        is_ssn,
        60,
    ),
    Form(
        "pii.us_itin",
        "9[0-9]{2}-[5-9][0-9]-[0-9]{4}",
        "9[0-9]{2}(?:[ ./_-]| - )?[5-9][0-9](?:[ ./_-]| - )?[0-9]{4}",
        "itin|ssn|social[ _-]?security|taxpayer|tax[ _-]?id",
        is_itin,
    ),
    Form("pii.us_routing_number", "", "[0-9]{4}-?[0-9]{4}-?[0-9]", "routing|aba|rtn", is_routing_number, 30),
    Form(
        "pii.ca_sin",
        "",
        "[0-9]{3}[ ./-]?[0-9]{3}[ ./-]?[0-9]{3}",
        "sin|nas|social[ _-]?insurance|assurance[ _-]?sociale",
        is_sin,
    ),
    Form(
        "pii.br_cpf",
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}[/-][0-9]{2}|[0-9]{9}-[0-9]{2}",
        r"[0-9]{3}[ .-]?[0-9]{3}[ .-]?[0-9]{3}[ ./-]?[0-9]{2}",
        r"cpf|cadastro|contribuinte|pessoa f[i\x80-\xf4]{1,2}sica",
        is_cpf,
    ),
    Form(
        "pii.br_cnpj",
        r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}",
        r"[0-9]{2}[ .-]?[0-9]{3}[ .-]?[0-9]{3}[ ./-]?[0-9]{4}[ .-]?[0-9]{2}",
        r"cnpj|cadastro|pessoa jur[i\x80-\xf4]{1,2}dica",
        is_cnpj,
        20,
    ),
    Form(
        "pii.mx_curp",
        "[A-Z]{4}[0-9]{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z][0-9]",
        "[A-Z]{4}[0-9]{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z][0-9]",
        "curp",
        is_curp,
    ),
    Form(
        "pii.mx_rfc",
        "[A-Z&]{4}[0-9]{6}[A-Z0-9]{2}[0-9A]",
        "[A-Z&]{4}[ -]?[0-9]{6}[ -]?[A-Z0-9]{2}[0-9A]",
        "rfc|contribuyentes?",
        is_rfc,
        40,
    ),
    Form(
        "pii.ar_cuit",
        "(?:2[034567]|3[034])-[0-9]{8}-[0-9]",
        r"(?:2[034567]|3[034])[ ./-]?[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ ./-]?[0-9]",
        "cui[tl]",
        is_cuit,
    ),
    Form(
        "pii.cl_rut",
        r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]",
        r"[0-9]{1,2}[ .]?[0-9]{3}[ .]?[0-9]{3}[ -]?[0-9K]",
        "rut|run|rol [u\\x80-\\xff]{1,2}nico",
        is_rut,
    ),
)

DETECTOR = Detector(
    name="ids_americas",
    version=3,
    kinds={
        "pii.us_ssn": "A US social security number in a range that is given out.",
        "pii.us_itin": "A US individual taxpayer identification number in a range that is given out.",
        "pii.us_routing_number": "An American bank's routing number with its checksum, beside a word that says so.",
        "pii.ca_sin": "A Canadian social insurance number with its checksum, beside a word that says so.",
        "pii.br_cpf": "A Brazilian CPF with its checksum.",
        "pii.br_cnpj": "A Brazilian CNPJ with its checksum.",
        "pii.mx_curp": "A Mexican CURP with its date and checksum.",
        "pii.mx_rfc": "A Mexican person's RFC with its date and checksum.",
        "pii.ar_cuit": "An Argentine CUIT or CUIL with its checksum.",
        "pii.cl_rut": "A Chilean RUT with its checksum.",
    },
    patterns=tuple(pattern for form in _FORMS for pattern in form.patterns()),
)
