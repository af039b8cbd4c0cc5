"""Passwords and keys of no known provider: what stands beside them says what they are."""

import binascii
import re

from gptgate.detectors.forms import BEFORE_VALUE, GIVES, after
from gptgate.detectors.library import told_passwords
from gptgate.detectors.library.formless import has_form, is_chosen, is_value
from gptgate.detectors.pattern import Detector
from gptgate.detectors.randomness import entropy, is_cased, is_placeholder, is_random, is_wordy

_SIGN_INSIDE = re.compile(rb"[A-Za-z][!@#$%^*&][A-Za-z]")
_REFERENCE = re.compile(rb"%.*%|[$].*|.*@.*[.].*")
"""A variable, or an address of mail."""

_WORD = "[A-Za-z0-9_.-]"
_OWNERS = (
    "api|app|auth|access|account|admin|aws|bot|bearer|client|clear_?text|consumer|csrf|db|database|deploy|encryption|env"
    "|ftp|id|jwt|login|master|mysql|oauth|personal|pg|postgres|private|proxy|redis|refresh|root|secret|security|service"
    "|session|shared|signing|smtp|ssh|storage|user|webhook|write"
)
_TOKEN_NAMES = (
    f"(?:{_OWNERS})[_. -]?(?:key|tokens?|auth|credentials?|secrets?)|tokens?|secrets?|credentials?|apikeys?|auth"
)
_PASSWORD_NAMES = f"(?:(?:(?:{_OWNERS})[_.-]?)?(?:pass(?:word|wd|w|phrase|code)|pwd?)|(?:{_OWNERS})[_.-]pass)"
_GIVES_QUOTED = r"""["'`\]\)\\]{0,4}[ \t]{0,4}(?:[?:]{0,3}=>?|:|,|[ ]value=)[ \t]{0,4}\\?["']"""
_VALUE_CHARS = "[A-Za-z0-9_+/=.~!@#%^*|:-]"
_CHOSEN_CHARS = "[A-Za-z0-9_+/=.~!@#$%^*|?&-]"
_URL_CHARS = "[A-Za-z0-9_+.~!#$%^&*=@-]"
_NAME_CHARS = "[A-Za-z0-9_.~%+@-]"
_HEADER_CHARS = "[A-Za-z0-9_+/=.~@|:-]"
_PAIR_CHARS = "[A-Za-z0-9_.,@{}!#$%^&*+=~/-]"
_DATABASE_NAMES = (
    "postgres postgresql mysql mariadb mongodb redis rediss amqp amqps mssql sqlserver clickhouse cockroachdb oracle"
    " db2 snowflake neo4j bolt cloudinary cassandra couchdb elasticsearch nats kafka influxdb"
).split()
_WEB_NAMES = (
    "http https ftp ftps sftp sftps ssh git svn ldap ldaps smtp smtps imap imaps socks5 socks5h ws wss rtsp".split()
)
_DATABASES = rf"(?:{'|'.join(_DATABASE_NAMES)})(?:\+[a-z0-9_]{{1,16}})?"
_WEB = f"(?:{'|'.join(_WEB_NAMES)})"
_SLASHES = r":(?:\\?/){2}"
SCHEMES = frozenset((*_DATABASE_NAMES, *_WEB_NAMES))
"""Of addresses in which a name and a password may stand before the host."""


def is_quoted(value: bytes) -> bool:
    """Whether a quoted password without digits is meant: several words in one, or signs among the letters."""
    is_meant = is_cased(value) or _SIGN_INSIDE.search(value) is not None
    return is_meant and not is_chosen(value) and not is_placeholder(value) and _REFERENCE.fullmatch(value) is None


def is_pair(value: bytes) -> bool:
    """Whether a name and a password (``name:password``) hold a password that is meant."""
    name, _, password = (part.strip(b"\"'{}") for part in value.partition(b":"))
    secret = password or name
    digits = sum(byte in b"0123456789" for byte in secret)
    is_mixed = 0 < digits < len(secret) or is_cased(secret)
    return len(secret) >= 8 and is_mixed and not is_placeholder(secret)


_LINK_WORDS = frozenset(
    b"pass pwd pw user root admin postgres guest mysql redis test token x-oauth-basic mypassword".split()
)
"""What stands for a password in addresses that explain something."""
_WEAK = frozenset(b"hunter2 letmein qwerty123 admin123 12345678 iloveyou dragon monkey".split())
"""Examples of bad passwords. Before the name of a host they are one that opens it."""


_VARIABLE = re.compile(rb"\$[A-Z][A-Z0-9_]+")


def is_stand_in(value: bytes) -> bool:
    """Whether this is a word for a password, or the name of a variable: more than a filler of one letter."""
    return value.lower() in _LINK_WORDS or _VARIABLE.fullmatch(value) is not None or is_wordy(value)


def is_link_password(value: bytes) -> bool:
    """Whether what stands before the host of an address is a password that is meant."""
    is_meant = len(set(value)) > 2 and not is_stand_in(value) and not is_placeholder(value)
    return value.lower() in _WEAK or is_meant


def is_basic(value: bytes) -> bool:
    """Whether these are the credentials of HTTP's basic authentication (RFC 7617)."""
    try:
        name, colon, password = binascii.a2b_base64(value).partition(b":")
    except binascii.Error:
        name = colon = password = b""
    secret = password or name
    is_pair_of_text = bool(colon and secret) and secret.isascii()
    return not is_placeholder(secret) if is_pair_of_text else len(value) >= 24 and is_random(value)


def is_header(value: bytes) -> bool:
    """Whether this is a credential in a header made for one: less must speak for it than elsewhere."""
    digits = any(byte in b"0123456789" for byte in value)
    return digits and entropy(value) >= 3 * 64 and not has_form(value) and not is_placeholder(value)


DETECTOR = Detector(
    name="credentials",
    version=6,
    kinds={
        "secret.generic_assignment": "A value that looks random, given to a name such as api_key, token or secret.",
        "secret.password": "A password, given to a name such as password or db_pwd, or told in a sentence.",
        "secret.authorization": "The credentials of an authorization header.",
        "secret.basic_auth": "A name and password: HTTP basic authentication, or an option of curl.",
        "secret.url_password": "A password in an address.",
        "secret.connection_string": "A password in the address of a database or queue.",
    },
    patterns=(
        after(
            "secret.generic_assignment",
            rf"(?:{_TOKEN_NAMES})(?:[_.-]{_WORD}{{0,16}})?{GIVES}",
            f"{_VALUE_CHARS}{{10,160}}",
            "[^A-Za-z0-9_+/=.~!@#%^*|:-]",
            rf"(?:key|token|auth|credential|secret)s?{BEFORE_VALUE}",
            is_value,
        ),
        after(
            "secret.password",
            rf"{_PASSWORD_NAMES}(?:[_.-]{_WORD}{{0,16}})?{GIVES}",
            f"{_CHOSEN_CHARS}{{8,64}}",
            r"[^A-Za-z0-9_+/=.~!@#$%^*|?&(\[-]",
            rf"(?:pass(?:word|wd|w|phrase|code)?|pwd?){BEFORE_VALUE}",
            is_chosen,
        ),
        after(
            "secret.password",
            rf"""{_PASSWORD_NAMES}(?:[_.-]{_WORD}{{0,16}})?{_GIVES_QUOTED}""",
            f"{_CHOSEN_CHARS}{{8,64}}",
            "[\"']",
            rf"(?:pass(?:word|wd|w|phrase|code)?|pwd?){BEFORE_VALUE}",
            is_quoted,
        ),
        told_passwords.PATTERN,
        after(
            "secret.generic_assignment",
            rf"(?:{_TOKEN_NAMES})[ \t]{{0,4}}[:=]{{1,2}}[ \t]{{0,4}}[A-Za-z_.]{{1,40}}\([ ]{{0,2}}b?[\"']",
            f"{_VALUE_CHARS}{{10,160}}",
            "[\"']",
            r"(?:key|token|auth|credential|secret)s?[ \t]{0,4}[:=]{1,2}[ \t]{0,4}[A-Za-z_.]{1,40}\(",
            is_value,
        ),
        after(
            "secret.authorization",
            r"""authorization["'\\]{0,3}[ \t]{0,2}[:=,>][ \t]{0,4}["'\\]{0,3}"""
            r"""(?:(?:bearer|splunk|token|api-?key|api-?token|key|apikey|ssws)[ \t=:]{1,3}["'\\]{0,2})?""",
            f"{_HEADER_CHARS}{{16}}{_HEADER_CHARS}*",
            "[^A-Za-z0-9_+/=.~@|:-]",
            "authorization",
            is_header,
            most=2048,
        ),
        after(
            "secret.authorization",
            r"bearer[ \t]{1,3}",
            f"{_HEADER_CHARS}{{20}}{_HEADER_CHARS}*",
            "[^A-Za-z0-9_+/=.~@|:-]",
            rf"bearer[ \t]{{1,3}}{_HEADER_CHARS}{{20}}",
            is_value,
            most=2048,
        ),
        after(
            "secret.basic_auth",
            r"basic[ \t]{1,3}",
            "[A-Za-z0-9+/]{8,400}={0,2}",
            "[^A-Za-z0-9+/=]",
            r"basic[ \t]{1,3}[A-Za-z0-9+/]{8}",
            is_basic,
        ),
        after(
            "secret.basic_auth",
            r"""(?:-u|--user|--proxy-user)[ \t=]{1,3}["'\\]{0,2}""",
            rf"""[A-Za-z0-9_.@{{}}+!~%-]{{0,64}}["']{{0,2}}:["']{{0,2}}{_PAIR_CHARS}{{0,64}}""",
            "[^A-Za-z0-9_.,@{}!#$%^&*+=~/-]",
            r"(?:-u|--user|-user)[ \t=]",
            is_pair,
        ),
        after(
            "secret.url_password",
            f"{_WEB}{_SLASHES}{_NAME_CHARS}{{0,64}}:",
            f"{_URL_CHARS}{{3,128}}",
            "@",
            f"/{_NAME_CHARS}*:{_URL_CHARS}+@",
            is_link_password,
        ),
        after(
            "secret.connection_string",
            f"{_DATABASES}{_SLASHES}{_NAME_CHARS}{{0,64}}:",
            f"{_URL_CHARS}{{3,128}}",
            "@",
            f"/{_NAME_CHARS}*:{_URL_CHARS}+@",
            is_link_password,
        ),
    ),
)
