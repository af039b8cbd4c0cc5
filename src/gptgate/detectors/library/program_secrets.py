"""Secrets where programs keep or take them: manifests, files of passwords, command lines, tables of users.

The program's own syntax says what the value is, so less must speak for the value itself than elsewhere.
"""

import re

from gptgate.detectors.forms import after
from gptgate.detectors.library.formless import is_chosen, is_value
from gptgate.detectors.pattern import EDGE, Detector, Pattern
from gptgate.detectors.randomness import is_cased, is_placeholder, is_varied

_SIGNS = re.compile(rb"[A-Za-z0-9][!@#$%^&*?+=][A-Za-z0-9]")
_REFERENCE = re.compile(rb"[$<{%]|.*[>}%]$|[A-Z_]+$")
"""Another place that holds the value: a variable, a template."""

_ENCODED = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")
_YAML_VALUE = re.compile(rb"(?m)^[ \t]*(?:[A-Za-z0-9_.\"'/-]+:[ \t]+)?[\"']?([!-~]+?)[\"']?[ \t\r]*$")

_TEXT = r"[ -~\t\x80-\xf4]"
_INDENTED = rf"[ \t]{{1,16}}[!-~]{_TEXT}*"
_BLOCK = rf"[!-~]{_TEXT}*(?:[\r]?[\n]{_INDENTED})*"
_KIND_SECRET = r"""["']?kind["']?:[ \t]{1,4}["']?secret["']?[ \t]{0,4}"""  # noqa: S105 - a pattern
_LINES = rf"(?:[ \t]*[A-Za-z#\"']{_TEXT}*[\r]?[\n])*"
_FEW_LINES = r"(?:[ \t]{0,8}[A-Za-z#\"'][ -~\t]{0,100}[\r]?[\n]){0,8}"
_DATA = r"(?:string)?data:[ \t]{0,4}[\r]?[\n][ \t]{1,16}"
_LONGEST_MANIFEST = 2048

_PASSWORD = r"[A-Za-z0-9_+/=.~!@#$%^*|?&,:;(){}\[\]<>-]{6,64}"  # noqa: S105 - a pattern
_KEY = "[A-Za-z0-9_+/=.~!@#%^*|:-]{10,160}"
_QUOTE = r"""["'\\]{0,2}"""
_VALUE_END = r"[^A-Za-z0-9_+/=~!@#$%^*|?&-]"
_LINE = "[!-~ ]"


def is_given(value: bytes) -> bool:
    """Whether a password is meant, where a program's syntax says that one stands there."""
    known = is_chosen(value) or (len(value) >= 8 and (is_cased(value) or _SIGNS.search(value) is not None))
    return known and not is_placeholder(value) and _REFERENCE.match(value) is None


def is_manifest(block: bytes) -> bool:
    """Whether some value is base64 as Kubernetes has it, or a text that looks like a secret."""
    return any(
        (_ENCODED.fullmatch(value) is not None and not is_placeholder(value) and not value.isalpha()) or is_given(value)
        for value in _YAML_VALUE.findall(block)
    )


def is_kept(value: bytes) -> bool:
    """Whether what a file of passwords holds is no filler."""
    return not is_placeholder(value) and _REFERENCE.match(value) is None


def _command(start: str, value: str = _PASSWORD, trigger: str = "") -> Pattern:
    """A password after the option of a program (the pattern `start`, which ends at the value or its quote)."""
    return after("secret.command_line", f"{start}{_QUOTE}", value, _VALUE_END, trigger or start, is_given)


_HASHES = (
    r"\$(?:1|apr1)\$[A-Za-z0-9./]{1,8}\$[A-Za-z0-9./]{22}",
    r"\$2[abxy]\$[0-9]{2}\$[A-Za-z0-9./]{53}",
    r"\$[56]\$(?:rounds=[0-9]{4,9}\$)?[A-Za-z0-9./]{1,32}\$[A-Za-z0-9./]{43,86}",
    r"\$y\$[A-Za-z0-9./]{2,8}\$[A-Za-z0-9./]{2,86}\$[A-Za-z0-9./]{43}",
    r"\$argon2(?:id|i|d)\$(?:v=[0-9]{1,3}\$)?m=[0-9]{1,8},t=[0-9]{1,4},p=[0-9]{1,3}\$[A-Za-z0-9+/]{8,64}\$[A-Za-z0-9+/]{16,86}",
)

DETECTOR = Detector(
    name="program_secrets",
    version=1,
    kinds={
        "secret.manifest": "The data of a Kubernetes Secret.",
        "secret.password_file": "A password or key in a file that programs read: .netrc, .pgpass, .npmrc, redis.conf.",
        "secret.command_line": "A password or key on a command line, in a Dockerfile or in an SQL statement.",
        "secret.password_hash": "The hash of a password, as systems keep it.",
        "secret.application_key": "The secret key of a web application (Django, WordPress).",
    },
    patterns=(
        Pattern(
            kind="secret.manifest",
            prefix=rf"{_KIND_SECRET}[\r]?[\n]{_LINES}{_DATA}",
            body=_BLOCK,
            right=r"[\r\n\xff]",
            points=60,
            ignore_case=True,
            trigger=r"kind[\"']?:[ \t]{1,4}[\"']?secret",
            most=_LONGEST_MANIFEST,
            accept=is_manifest,
        ),
        Pattern(
            kind="secret.manifest",
            prefix=_DATA,
            body=_BLOCK,
            right=rf"[\r]?[\n]{_FEW_LINES}[ \t]{{0,8}}{_KIND_SECRET}",
            points=60,
            ignore_case=True,
            trigger=r"kind[\"']?:[ \t]{1,4}[\"']?secret",
            most=_LONGEST_MANIFEST,
            accept=is_manifest,
        ),
        after(
            "secret.password_file",
            r"(?:machine[ \t]{1,4}[A-Za-z0-9.-]{1,80}|default)[ \t\r\n]{1,8}login[ \t]{1,4}[!-~]{1,80}[ \t\r\n]{1,8}"
            r"password[ \t]{1,4}",
            "[!-~]{4,100}",
            r"[ \t\r\n\xff]",
            r"login[ \t]{1,4}[!-~]{1,80}[ \t\r\n]{1,8}password",
            is_kept,
        ),
        after(
            "secret.password_file",
            r"[A-Za-z0-9.*_-]{1,80}:[0-9]{4,5}:[A-Za-z0-9_*-]{1,40}:[A-Za-z0-9_*.-]{1,40}:",
            _PASSWORD,
            r"[ \t\r\n\xff]",
            r":[0-9]{4,5}:[A-Za-z0-9_*-]{1,40}:[A-Za-z0-9_*.-]{1,40}:",
            is_given,
        ),
        after(
            "secret.password_file",
            r"//[A-Za-z0-9./:_-]{3,120}/:_password[ \t]?=[ \t]?[\"']?",
            "[A-Za-z0-9+/]{8,160}={0,2}",
            "[^A-Za-z0-9+/=]",
            "/:_password",
            is_kept,
        ),
        after(
            "secret.password_file",
            rf"(?:requirepass|masterauth)[ \t]{{1,4}}{_QUOTE}",
            _PASSWORD,
            _VALUE_END,
            r"(?:requirepass|masterauth)[ \t]",
            is_given,
        ),
        after(
            "secret.password_file",
            rf"(?:(?:wpa_?)?psk|pre-?shared-?key)[ \t]{{0,4}}[=: ][ \t]{{0,4}}{_QUOTE}",
            _PASSWORD,
            _VALUE_END,
            r"(?:psk|pre-?shared-?key)[ \t]{0,4}[=: ]",
            is_given,
        ),
        after(
            "secret.password_file",
            r"jdbc:oracle:(?:thin|oci8?):[A-Za-z0-9_]{1,40}/",
            "[A-Za-z0-9_!#$%^*.-]{4,64}",
            "@",
            "jdbc:oracle:[a-z0-9]{3,4}:[A-Za-z0-9_]{1,40}/",
            is_kept,
        ),
        _command(r"sshpass[ ]{1,4}-p[ ]{0,2}"),
        _command(
            rf"(?:docker|podman|helm|oc|az|skopeo|buildah|nerdctl)(?:[ ]registry)?[ ]login[ ]{_LINE}{{0,160}}-p[ =]",
            trigger="[ ]login[ ]",
        ),
        _command(
            rf"(?:mysql|mariadb)(?:dump|admin)?[ ]{_LINE}{{0,120}}-p", trigger=r"(?:mysql|mariadb)(?:dump|admin)?[ ]"
        ),
        _command(rf"redis-cli[ ]{_LINE}{{0,120}}(?:-a|--pass)[ ]", trigger="redis-cli[ ]"),
        _command(r"net[ ]user[ ][A-Za-z0-9._\\-]{1,40}[ ]"),
        _command(
            "--(?:[a-z0-9]{1,20}-){0,3}(?:password|passwd|passphrase|pass|pwd)[ ]{1,2}",
            trigger="-(?:password|passwd|passphrase|pass|pwd)[ ]",
        ),
        _command(r"(?:setx|env|arg|setenv)[ ][A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|PASS|PWD)[ =]{1,2}"),
        _command(
            r"(?:identified[ ](?:with[ ][a-z0-9_'\"]{1,40}[ ])?(?:by|as)|password)[ ]{1,2}(?:password[ ])?['\"]",
            trigger=r"(?:identified[ ]|password[ ]{1,2}['\"])",
        ),
        Pattern(
            kind="secret.command_line",
            prefix="echo[ ](?:-n[ ])?[\"']?",
            body=_PASSWORD,
            points=60,
            right=rf"[\"']?[ ]{{0,2}}\|{_LINE}{{0,120}}--password-stdin",
            ignore_case=True,
            trigger="--password-stdin",
            accept=is_given,
        ),
        after(
            "secret.command_line",
            "--(?:[a-z0-9]{1,20}-){0,3}(?:key|token|secret)[ ]{1,2}" + _QUOTE,
            _KEY,
            "[^A-Za-z0-9_+/=.~!@#%^*|:-]",
            "-(?:key|token|secret)[ ]",
            is_value,
        ),
        after(
            "secret.command_line",
            r"(?:setx|env|arg|setenv)[ ][A-Z0-9_]{0,40}(?:KEY|TOKEN|SECRET|CREDENTIALS?)[ ]{1,2}" + _QUOTE,
            _KEY,
            "[^A-Za-z0-9_+/=.~!@#%^*|:-]",
            r"(?:setx|env|arg|setenv)[ ]",
            is_value,
        ),
        *(
            Pattern(kind="secret.password_hash", body=body, points=50, right="[^A-Za-z0-9./+]", accept=is_varied)
            for body in _HASHES
        ),
        Pattern(
            kind="secret.password_hash",
            body=r"pbkdf2_sha(?:1|256|512)\$[0-9]{4,7}\$[A-Za-z0-9]{8,64}\$[A-Za-z0-9+/]{27,86}={0,2}",
            points=50,
            right="[^A-Za-z0-9./+=]",
            accept=is_varied,
        ),
        Pattern(
            kind="secret.application_key",
            left=EDGE,
            body=r"django-insecure-[a-z0-9!@#$%^&*()_=+-]{24,64}",
            points=50,
            right=r"[^A-Za-z0-9!@#$%^&*(_=+-]",
            accept=is_varied,
        ),
        after(
            "secret.application_key",
            r"define\([ ]?['\"](?:secure_auth|auth|logged_in|nonce)_(?:key|salt)['\"],[ \t]{0,12}['\"]",
            "[ -&(-~]{32,80}",
            "['\"]",
            "_(?:key|salt)['\"],",
            is_kept,
        ),
    ),
)
