"""Private keys as text (RFC 7468, RFC 1421 headers, OpenSSH and OpenPGP armour), and in the form of PuTTY.

Keys are pasted out of files, source code, JSON, quotes and the output of tools. So between two lines may stand what
these put there: quotes, signs of comments, escapes that were escaped again, the numbers of lines, or nothing at all.
"""

from gptgate.detectors.pattern import ANY, Detector, Pattern

_LINE_END = r"(?:[\r\n]|\\+[nrt])"
_FILL = r"""[ \t>|#*/"'+,;\\\[\]]*"""
_NAME = "(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?"
_HEADER = f"-----BEGIN {_NAME}-----"
_FIELD = r"[A-Z][A-Za-z-]{2,24}:[ \t][A-Za-z0-9 ,.:;()/@<>_+=-]+"
_BASE64 = "[A-Za-z0-9+/=]"
_NEXT_STRING = r"""[ \t]*\\*["'][ \t]*[,+.]?[ \t]*\\*["']"""
_BREAK = rf"(?:(?:{_FILL}{_LINE_END})+{_FILL}|{_NEXT_STRING})"
_NUMBER = r"(?:[A-Za-z0-9_./-]+:)?[0-9]{1,6}(?:[ \t]*(?:[:|.)-]|\xe2\x86\x92|\xe2\x94\x82)|[\t]|[ ]+)[ \t]*"
"""Before a line: ``12:``, as searches, editors and listings number them, with a file's name or without."""
_NEXT = rf"(?:(?:{_BREAK}(?:{_NUMBER}{_FILL})?)+|[ \t]*)"
_LINES = (
    rf"(?:{_BREAK}(?:{_NUMBER})?{_FIELD})*{_NEXT}{_BASE64}{{16}}{_BASE64}*"
    rf"(?:{_BREAK}{_NUMBER}{_FILL}{_BASE64}{{16}}|{_BREAK}{_BASE64}|[ \t]+{_BASE64}{{24}}|{_BASE64})*"
)
_FOOTER = rf"(?:{_NEXT}{_BASE64}+)?{_NEXT}-----END {_NAME}-----"

DETECTOR = Detector(
    name="private_key",
    version=3,
    kinds={
        "secret.private_key": "A private key in PEM, OpenSSH or OpenPGP armour, whole or cut off, or in PuTTY's form."
    },
    patterns=(
        Pattern(
            kind="secret.private_key",
            left=ANY,
            # With its last line where there is one: what goes on behind a key that is cut off may look like a line.
            body=f"{_HEADER}(?:{_LINES}{_FOOTER}|{_LINES})",
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
