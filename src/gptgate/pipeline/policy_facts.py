"""What the rules may see of a request besides its findings."""

import re

import msgspec
from msgspec import Struct

from gptgate.core.errors import InvalidField
from gptgate.core.facts import ChatRequest, Grant, PolicyFacts, RawRequest
from gptgate.core.snapshot import Stage
from gptgate.core.wire import Dialect

SESSION_HEADER = "x-gptgate-session"
SESSION_IN_USER = "_session_"
ACCOUNT_IN_USER = "_account_"
MAX_AGENT_USER = 1024
END_USER_HEADER = "x-gptgate-end-user"
TAG_HEADERS = "x-gptgate-tag-"
TAG = re.compile(r"[a-z][a-z0-9-]{0,31}")
MAX_TAGS = 4
MAX_TAG_VALUE = 64
MAX_NAME = 256
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class _AgentUser(Struct):
    """What coding agents write as JSON into Anthropic's `metadata.user_id`."""

    session_id: str
    account_uuid: str = ""
    device_id: str = ""


_AGENT_USER = msgspec.json.Decoder(_AgentUser)


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
    return (_named_in_body(request)[0] or raw.headers.get(END_USER_HEADER, ""))[:MAX_NAME]


def named_session(raw: RawRequest, request: ChatRequest | None) -> str:
    """The session that the header names, else the body; what the application says, not verified."""
    return (raw.headers.get(SESSION_HEADER, "") or _named_in_body(request)[1])[:MAX_NAME]


def _named_in_body(request: ChatRequest | None) -> tuple[str, str]:
    """The end user and the session that the body names, each ``""`` where it names none.

    Coding agents write both into Anthropic's `metadata.user_id`: today as JSON (`_AgentUser`), before that as
    ``user_..._account_..._session_ID``. The end user is what stays the same from session to session: a budget or a
    limit of a user would begin anew with each session otherwise.
    """
    if request is None:
        return "", ""
    user = request.end_user
    if request.dialect is not Dialect.ANTHROPIC:
        return user, ""
    if user[:1] == "{" and len(user) <= MAX_AGENT_USER:
        try:
            agent = _AGENT_USER.decode(user)
        except (msgspec.DecodeError, RecursionError):
            return user, ""
        return agent.account_uuid or agent.device_id or user, agent.session_id
    head, _, session = user.partition(SESSION_IN_USER)
    return head if session and ACCOUNT_IN_USER in head else user, session


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
