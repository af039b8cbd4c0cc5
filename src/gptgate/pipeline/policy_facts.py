"""What the rules may see of a request besides its findings."""

import re

from gptgate.core.errors import InvalidField
from gptgate.core.facts import ChatRequest, Grant, PolicyFacts, RawRequest
from gptgate.core.snapshot import Stage
from gptgate.core.wire import Dialect

SESSION_HEADER = "x-gptgate-session"
SESSION_IN_USER = "_session_"
END_USER_HEADER = "x-gptgate-end-user"
TAG_HEADERS = "x-gptgate-tag-"
TAG = re.compile(r"[a-z][a-z0-9-]{0,31}")
MAX_TAGS = 4
MAX_TAG_VALUE = 64
MAX_NAME = 256
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def policy_facts(raw: RawRequest, request: ChatRequest, grant: Grant, spent_nano: int) -> PolicyFacts:
    """The facts of the request's side; those of the answer's differ in `stage` alone. `spent_nano` is what the app has
    spent this month."""
    principal, model = grant.principal, grant.model
    app = principal.app
    hour, weekday = clock_facts(raw.at_ms)
    return PolicyFacts(
        stage=Stage.REQUEST,
        request_id=raw.id,
        team=principal.team,
        app=app.name,
        key_id=principal.key_id,
        end_user=named_end_user(raw, request),
        endpoint=request.endpoint.value,
        dialect=request.dialect.value,
        stream=request.stream,
        max_output_tokens=request.max_output_tokens or 0,
        choices=request.choices,
        media=request.media,
        tools=request.tools,
        model=model.name,
        upstream_model=model.upstream_name,
        provider=grant.provider.name,
        location=model.location,
        session=named_session(raw, request),
        spent_nano=spent_nano,
        budget_nano=app.monthly_budget_nano or 0,
        hour=hour,
        weekday=weekday,
    )


def clock_facts(at_ms: int) -> tuple[int, int]:
    """Hour (0 to 23) and weekday (1 is Monday) of a Unix time in UTC."""
    return at_ms // HOUR_MS % 24, (at_ms // DAY_MS + 3) % 7 + 1  # the first of January 1970 was a Thursday, the fourth


def named_end_user(raw: RawRequest, request: ChatRequest | None) -> str:
    """The end user that the body names, else the header; what the application says, not verified."""
    return ((request.end_user if request else "") or raw.headers.get(END_USER_HEADER, ""))[:MAX_NAME]


def named_session(raw: RawRequest, request: ChatRequest | None) -> str:
    """The session that the header names, else the one that Anthropic's `metadata.user_id` ends with, as coding agents
    write it (``user_..._session_ID``); what the application says, not verified."""
    named = raw.headers.get(SESSION_HEADER, "")
    if not named and request is not None and request.dialect is Dialect.ANTHROPIC:
        named = request.end_user.partition(SESSION_IN_USER)[2]
    return named[:MAX_NAME]


def named_tags(raw: RawRequest) -> dict[str, str]:
    """The tags that the headers name; what the application says, not verified.

    Raises InvalidField for more than are counted, and for a name or a value that is none.
    """
    tags: dict[str, str] = {}
    for header, value in raw.headers.items():
        if header.startswith(TAG_HEADERS):
            name = header.removeprefix(TAG_HEADERS)
            if not TAG.fullmatch(name) or not value.isprintable() or not 0 < len(value) <= MAX_TAG_VALUE:
                what = f"a tag's name has up to 32 of a to z, 0 to 9 and -, its value up to {MAX_TAG_VALUE} characters"
                raise InvalidField(f"'{TAG_HEADERS}...': {what}.", param=header[:64])
            tags[name] = value
    if len(tags) > MAX_TAGS:
        raise InvalidField(f"'{TAG_HEADERS}...': at most {MAX_TAGS} tags are counted.", param=f"{TAG_HEADERS}*")
    return tags
