"""Passwords that a sentence tells, in many languages: ``das Passwort für den Server lautet …``, ``密码是…``.

Most sentences about a password tell none (``the password is wrong``), so the value must look like one.
"""

import re

from gptgate.detectors.forms import after
from gptgate.detectors.library.formless import is_chosen
from gptgate.detectors.pattern import EDGE
from gptgate.detectors.phrase import translated
from gptgate.detectors.randomness import is_placeholder

_SAYINGS = (
    ("(passwort|kennwort|zugangscode|wlan-schlüssel)", "(ist|lautet|heißt|wäre|war)"),
    ("(mot de passe|mdp|code d'accès)", "(est|sera|était)"),
    ("(contraseña|clave de acceso|clave del wi-?fi|(mi|tu|su|nuestra) clave)", "(es|era|será)"),
    ("(senha|palavra-passe)", "(é|era|será)"),
    ("(parola d'ordine|parola)", "(è|e'|era|este)"),
    ("password", "(è|e'|era|ist|lautet|est|es|é)"),
    ("(wachtwoord|toegangscode)", "(is|luidt|was)"),
    ("hasło", "(to|jest|brzmi)"),
    ("heslo", "(je|zní|znie)"),
    ("(lösenordet|lösenord|passordet|passord|adgangskoden|adgangskode|kodeordet|kodeord)", "(är|er)"),
    ("(salasana|salasanasi)", "on"),
    ("(jelszó|jelszava|jelszavam)", "(ez|a következő)"),
    ("(şifreniz|şifrem|şifre)", "(şu|şöyle)"),
    ("(пароль|парола)", "(это|це|-|е)"),
    ("(κωδικός|συνθηματικό)", "είναι"),
    ("mật khẩu", "là"),
    ("(kata sandinya|kata sandi|kata laluan)", "(adalah|ialah)"),
    ("(पासवर्ड)", "(है|-)"),
    ("(كلمة المرور|كلمة السر)", "(هي|هو)"),
    ("(הסיסמה|הסיסמא|סיסמה)", "(היא|הוא)"),
)
"""What people call a password, and what they say between it and its value."""
_SHARED = "(password|passphrase|passcode)"
"""What `credentials` knows with a sign behind, or with ``is``: something stands between."""
_UNSPACED = (
    ("(密码|密碼|口令)", "(是|为|為)"),
    ("パスワード", "(は|が)"),
    ("(비밀번호|패스워드|비번)", "(는|은|가|이)"),
)
"""The same where no space need stand between."""

_OF = (
    "(for|to|of|on|für|zu|zum|zur|von|vom|beim|im|de|du|des|pour|del|para|do|da|di|della|per|voor|van|för|till|til|od|pro"
    "|k|ke|для|от|від|до|cho|của|untuk|για|του|της)"
)
_WORD = r"[ ][A-Za-z0-9\x80-\xf4._'-]{1,16}"
_OWNER = rf"(?:[ ]{translated(_OF, {})}(?:{_WORD}){{1,3}}|[ ]\([A-Za-z0-9 ._-]{{1,24}}\))"
"""What it is the password of: ``for the staging server``, ``(staging)``."""
_GAP = r"[ \t]{1,4}"
_SIGN = r"(?:\\?[\"'`])?[ \t]{0,4}(?:[:=]>?|->)[ \t]{0,4}"
_BREAK = r"(?:[ \t]{0,4}(?:[\r]?[\n]){1,2}[ \t]{0,4}|[ \t]{0,2}<(?:b|strong|code|i|em|tt|pre|kbd|span)>)"
"""The value stands on a line of its own, or in an element."""
_QUOTES = (
    r"(?:[\"'`*<(\[]|\\[\"']|\xe2\x80[\x9a\x9c\x9e\xb9]|\xc2[\xab\xbb]|\xe3\x80[\x8c\x8e]){0,3}"
    r"(?:[ ]|\xc2\xa0|\xe2\x80\xaf)?"
)
_VALUE = "[A-Za-z0-9_+/=.~!@#$%^*|?&-]{6,64}"
_END = r"[^A-Za-z0-9_+/=~!@#$%^*|?&(\[\xc3-\xca\xd0-\xd3-]"
"""Nor does a letter of the alphabets of Europe go on: ``30-tägig`` is a word."""

_METHOD = re.compile(
    rb"(?i)(?:sha|md|aes|des|argon|base|rot|utf|iso|pbkdf|oauth|rsa|crc|ntlmv|tls|win|http|mysql|office|windows)"
    rb"[-_]?[0-9]{1,4}(?:[-_./].*|[dikpu]{1,2}|encoded|gcm|cbc)?[0-9]?"
    rb"|(?:n?varchar|string|bcrypt|scrypt|char|text|int|uint)[-_]?[0-9]{0,4}[abxy]?"
)
"""How a password is kept, and where: ``SHA256-hashed``, ``Argon2id``, ``varchar255``."""
_COUNTED = re.compile(
    rb"(?:[A-Za-z]+-)?[0-9]{1,4}[-_.]?[A-Za-z]{3,}(?:-[A-Za-z]+)*[.!?]?"
    rb"|(?:[0-9][A-Z]{1,3}|[A-Z][A-Za-z]{1,3}[0-9])-[a-z]{5,}[.!?]?"
)
"""A measure: ``12-stellig``, ``90-day-old``, ``article-5-compliant``. A compound: ``2FA-fähig``, ``IPv6-tauglich``."""
_MEMBER = re.compile(
    rb"(?i)(?:self|this|user|account|login|form|form_?data|data|req|request|res|response|config|cfg|conf|env|settings"
    rb"|options|opts|args|params|props|state|input|body|session|ctx|context|credentials|creds)(?:[.][a-z_][a-z0-9_]*)+"
)
"""Code that takes it from where it is: ``user.password1``."""
_SIGN_INSIDE = re.compile(rb"[A-Za-z0-9][@#$%^+~][A-Za-z0-9]")
_MAIL = re.compile(rb".*@.*[.].*|[$%].*")


def is_told(value: bytes) -> bool:
    """Whether this can be the password that a sentence tells, rather than its next word."""
    if any(form.fullmatch(value) for form in (_METHOD, _COUNTED, _MEMBER, _MAIL)):
        return False
    has_sign = _SIGN_INSIDE.search(value) is not None and not value.isdigit()
    return is_chosen(value) or (has_sign and not is_placeholder(value))


def _spelt(text: str) -> str:
    return translated(text.replace(" ", "[ _-]{1,4}"), {})


def _any_of(*options: str) -> str:
    return f"(?:{'|'.join(options)})"


_NAMES = _any_of(*(_spelt(name) for name, _ in (*_SAYINGS, *_UNSPACED)))
_OWN_NAMES = _any_of(*(_spelt(name) for name, _ in (*_SAYINGS, *_UNSPACED) if name != "password"))
_APART = [(name, says) for name, says in _SAYINGS if name == "password" or "-" in says]
"""Whose names or sayings are too common beside those of others."""
_JOINED = [each for each in _SAYINGS if each not in _APART]
_JOINED_NAMES, _JOINED_SAYINGS = (_any_of(*map(_spelt, each)) for each in zip(*_JOINED, strict=True))
"""Of all these languages together: a pattern for each would take megabytes."""
_PREFIXES = (
    f"{_JOINED_NAMES}{_OWNER}?{_GAP}{_JOINED_SAYINGS}(?:{_GAP}|{_SIGN}|{_BREAK})",
    *(f"{_spelt(name)}{_OWNER}?{_GAP}{_spelt(says)}(?:{_GAP}|{_SIGN}|{_BREAK})" for name, says in _APART),
    *(f"{_spelt(name)}[ ]?{_spelt(says)}[ ]?(?:{_SIGN})?" for name, says in _UNSPACED),
    f"{_OWN_NAMES}{_OWNER}?{_SIGN}",
    f"{_spelt(_SHARED)}(?:{_OWNER}(?:{_GAP}is(?:{_GAP}|{_SIGN}|{_BREAK})|{_SIGN})|{_GAP}is(?:{_SIGN}|{_BREAK})|{_SIGN}{_BREAK})",
)

PATTERN = after(
    "secret.password",
    f"{_any_of(*_PREFIXES)}{_BREAK}?{_QUOTES}",
    _VALUE,
    _END,
    f"{EDGE}{_any_of(_NAMES, _spelt(_SHARED))}",
    is_told,
)
"""For the detector `credentials`."""
