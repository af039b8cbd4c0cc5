"""Cookies that stand for somebody who is logged in: in headers, on command lines, and by the names of servers."""

import re

from gptgate.detectors.forms import NAMED_POINTS, after
from gptgate.detectors.pattern import ESCAPED, Detector, Pattern
from gptgate.detectors.randomness import is_random

_KIND = "secret.session_cookie"
_NAME = "[A-Za-z0-9_.!#$%&*+^|~-]{1,80}"
_VALUE = "[A-Za-z0-9_.!#$%&*+^|~/:@()=-]"
_VALUE_END = "[^A-Za-z0-9_.!#$%&*+^|~/:@()=-]"
_GIVES = r"""["'\\]{0,3}[ \t]{0,2}[:=,][ \t]{0,4}["'\\]{0,3}"""
_SESSIONS = (
    r"(?:jsessionid|phpsessid|asp\.net_sessionid|aspsessionid[a-z]{8}|connect\.sid|laravel_session|_gitlab_session|sessionid"
    r"|(?:__(?:secure|host)-)?(?:next-auth|authjs)\.session-token|\.aspnetcore\.[a-z.]{4,40}|wordpress_logged_in_[a-f0-9]{32})"
)
_PART = re.compile(rb"[A-Za-z0-9]{12,}")
_PAIR = re.compile(rb"[^=; ]+=([^; ]+)")


def is_session(value: bytes) -> bool:
    """Whether a cookie's value, or a part of it, was drawn by a machine. What it is signed with stands beside it."""
    return is_random(value) or any(map(is_random, _PART.findall(value)))


def holds_session(cookies: bytes) -> bool:
    """Whether one of the cookies in a header (``a=b; c=d``) is one."""
    return any(map(is_session, _PAIR.findall(cookies)))


DETECTOR = Detector(
    name="cookies",
    version=2,
    kinds={_KIND: "A cookie with a value that looks random: whoever has it may be taken for who is logged in."},
    patterns=(
        after(
            _KIND,
            rf"(?:set-cookie2?|document\.cookie){_GIVES}{_NAME}=",
            f"{_VALUE}{{16}}{_VALUE}*",
            _VALUE_END,
            r"(?:set-|\.)cookie",
            is_session,
            most=2048,
        ),
        # Of the request's header all of it: which of the names is the one, nobody outside can know.
        Pattern(
            kind=_KIND,
            left=rf"(?:{ESCAPED}|[^A-Za-z0-9.-])",
            prefix=rf"(?:cookie{_GIVES}|(?:-b|--cookie)[ =]{{1,2}}[\"']?)",
            body=f"{_NAME}={_VALUE}*(?:;[ ]?{_NAME}={_VALUE}*)*",
            points=NAMED_POINTS,
            right=_VALUE_END,
            ignore_case=True,
            trigger=r"(?:[^.-]cookie[\"'\\]{0,3}[ \t]{0,2}[:=,]|-b[ =]|-cookie[ =])",
            most=4096,
            accept=holds_session,
        ),
        after(
            _KIND,
            rf"{_SESSIONS}{_GIVES}",
            f"{_VALUE}{{16}}{_VALUE}*",
            _VALUE_END,
            _SESSIONS,
            is_session,
            most=2048,
        ),
    ),
)
