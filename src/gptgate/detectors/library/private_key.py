"""Private keys as text (RFC 7468, RFC 1421 headers, OpenSSH and OpenPGP armour), and in the form of PuTTY."""

from gptgate.detectors.pattern import ANY, ESCAPED, Detector, Pattern

_LINE_END = rf"(?:[\r\n]|{ESCAPED})"
_INDENT = "[ \\t>|#*/\"'+,]"
_NAME = "(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?"
_HEADER = f"-----BEGIN {_NAME}-----"
_FIELD = rf"[A-Z][A-Za-z-]{{2,24}}:[ \t][A-Za-z0-9 ,.:;()/@<>_+=-]{{1,120}}{_LINE_END}"
_BASE64 = "[A-Za-z0-9+/=]"
_BREAK = rf"(?:{_INDENT}{{0,8}}{_LINE_END}{_INDENT}{{0,8}})"
_BODY = (
    rf"(?:{_BREAK}{{1,4}}(?:{_FIELD}{_BREAK}{{0,2}}){{0,4}}|[ \t]{{1,4}}){_INDENT}{{0,8}}{_BASE64}{{16}}"
    rf"(?:{_BASE64}|{_BREAK}|[ \t]{{1,4}}{_BASE64}{{24}})*"
)

DETECTOR = Detector(
    name="private_key",
    version=2,
    kinds={
        "secret.private_key": "A private key in PEM, OpenSSH or OpenPGP armour, whole or cut off, or in PuTTY's form."
    },
    patterns=(
        Pattern(
            kind="secret.private_key",
            left=ANY,
            body=f"{_HEADER}{_BODY}(?:(?:[ ]{_BASE64}{{1,24}})?[ ]?-----END {_NAME}-----)?",
            right=ANY,
            points=80,
            trigger="PRIVATE KEY(?: BLOCK)?-----",
            most=16 * 1024,
        ),
        Pattern(
            kind="secret.private_key",
            body=r"PuTTY-User-Key-File-[0-9]:[ -~\r\n\x80-\xf4]*Private-Lines:[ ]?[0-9]{1,4}[\r]?[\n]"
            rf"{_BASE64}{{16}}(?:{_BASE64}|[\r]?[\n]{_BASE64})*",
            right="[^A-Za-z0-9+/=]",
            points=80,
            trigger="PuTTY-User-Key-File-[0-9]:",
            most=16 * 1024,
            is_sketched=True,
        ),
    ),
)
