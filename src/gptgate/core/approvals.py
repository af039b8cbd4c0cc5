"""Approvals: a request that a rule held up, and the permit that a person gave for it, once."""

from enum import StrEnum

from msgspec import Struct


class ApprovalState(StrEnum):
    """PENDING: nobody has decided. APPROVED: may pass once, while nobody takes that back. USED: has passed. The last
    three are final."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    USED = "used"
    EXPIRED = "expired"


class Subject(Struct, frozen=True, kw_only=True):
    """What an approval is for: these very bytes, from this app, to this model, held up by these rules.

    `digest` is the sha256 (hex) of the body, `rules` are the ids of all rules that asked, in configuration order.
    """

    app: str
    endpoint: str
    model: str
    digest: str
    rules: tuple[str, ...]


class Approval(Struct, frozen=True, kw_only=True):
    """One approval. Its id is that of the request that was held up first, whose record tells the rest; it holds no
    word of that request. `decided_by` is who approved or rejected, `used_by` the request that passed by it.

    `expires_ms` is until when it may be decided on, then until when the permit may be used.
    """

    id: str
    subject: Subject
    key_id: str
    end_user: str
    state: ApprovalState
    created_ms: int
    expires_ms: int
    decided_by: str = ""
    decided_ms: int = 0
    used_by: str = ""
    used_ms: int = 0
