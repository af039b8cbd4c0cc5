"""What the queries take and give."""

from msgspec import Struct

from gptgate.core.events import End, Intent


class SearchFilters(Struct, frozen=True, kw_only=True):
    """Conditions that all hold; None is not stated. Times are Unix milliseconds, `since_ms` <= at < `until_ms`.

    `model` is the asked, the chosen or the answering one, `rule` and `kind` (of a finding, exact) stand on either side,
    `effect` is the final one, `config` is how the digest of the configuration begins, scores are those of the request,
    both bounds among them. `state` is an `EndState` or ``open`` for a request that has no end yet. All of `tags` must
    be there. `beyond` is a size of the log: a request fits that has an entry which a log of that size does not have.
    `overrun`: it took more than was reserved for it.
    """

    app: str | None = None
    team: str | None = None
    key_id: str | None = None
    end_user: str | None = None
    model: str | None = None
    rule: str | None = None
    effect: str | None = None
    state: str | None = None
    code: str | None = None
    kind: str | None = None
    config: str | None = None
    min_score: int | None = None
    max_score: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    request_id: str | None = None
    session: str | None = None
    tags: dict[str, str] | None = None
    beyond: int | None = None
    overrun: bool | None = None


class AuditRow(Struct, frozen=True, kw_only=True):
    """One request in a list. `effect` is the final one; `rules` and `kinds` are those of both sides, each once; `limit`
    is the limit, guard or budget that refused. `corrected_nano` is what somebody corrected the cost to, None where
    nobody did.

    While a request has no end: `state` is ``open``, numbers are 0, `answered_model`, `code`, `limit`, `usage_source`
    empty.
    """

    seq: int
    id: str
    at_ms: int
    team: str
    app: str
    key_id: str
    end_user: str
    client: str
    endpoint: str
    stream: bool
    model: str
    provider: str
    upstream_model: str
    answered_model: str
    effect: str
    score: int
    state: str
    status: int
    code: str
    rules: tuple[str, ...]
    kinds: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    cost_nano: int
    corrected_nano: int | None
    usage_source: str
    session: str
    tags: dict[str, str]
    limit: str


class FoundTexts(Struct, frozen=True):
    """Requests whose kept texts hold the words; of all that were looked at, how many texts were opened and how many
    requests had none."""

    rows: list[AuditRow]
    opened: int
    without: int


class AuditRecord(Struct, frozen=True, kw_only=True):
    """Everything that is kept of one request. The contents are texts, sealed ones where the reader has no key to open
    them, and None when not kept."""

    seq: int
    intent: Intent
    end: End | None
    request_content: bytes | None
    answer_content: bytes | None


class UsageRow(Struct, frozen=True, kw_only=True):
    """Sums over one group; `group` has a value for each name that was grouped by, in that order.

    `cost_nano` is all that is spent; `unknown_nano` is the part of it that no provider's usage backs (reservations
    that stay spent, and estimates). `refused` of the `requests` were never sent. `fees_nano` is the part of it for
    tools that providers ran, of requests that nobody corrected.
    """

    group: tuple[str, ...]
    requests: int
    refused: int
    input_tokens: int
    output_tokens: int
    cost_nano: int
    unknown_nano: int
    fees_nano: int
