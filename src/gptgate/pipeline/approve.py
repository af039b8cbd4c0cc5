"""Step 6c: a request that a rule holds up passes once when a person has approved these very bytes."""

from hashlib import sha256

from gptgate.core.approvals import Approval, ApprovalState, Subject
from gptgate.core.errors import ApprovalRequired
from gptgate.core.facts import Decision, Grant, RawRequest
from gptgate.core.snapshot import Effect
from gptgate.pipeline.services import Services
from gptgate.pipeline.soundness import sound


async def claim_approval(
    services: Services, raw: RawRequest, grant: Grant, decision: Decision, end_user: str
) -> Approval | None:
    """The permit that this request uses up; None when it needs none.

    Raises ApprovalRequired, which names the approval to wait for.
    """
    if decision.effect is not Effect.REQUIRE_APPROVAL:
        return None
    subject = Subject(
        app=grant.principal.app.name,
        endpoint=raw.endpoint.value,
        model=grant.model.name,
        digest=sha256(raw.body).hexdigest(),
        rules=decision.approval_for,
    )
    permit = await services.approvals.claim(subject, raw.id, raw.at_ms)
    if permit is not None:
        return sound(Approval, permit)
    asked = Approval(
        id=raw.id,
        subject=subject,
        key_id=grant.principal.key_id,
        end_user=end_user,
        state=ApprovalState.PENDING,
        created_ms=raw.at_ms,
        expires_ms=raw.at_ms,
    )
    raise _held_up(decision, await services.approvals.ask(asked, raw.at_ms))


def _held_up(decision: Decision, approval: Approval | None) -> ApprovalRequired:
    """The refusal, in the first rule's own words where it has some."""
    unnamed = f"Policy rule '{decision.approval_for[0]}' wants" if decision.public else "This request needs"
    why = decision.message or f"{unnamed} an approval."
    if approval is None:
        return ApprovalRequired(f"{why} Too many requests of its app wait for theirs.")
    if approval.state is ApprovalState.REJECTED:
        return ApprovalRequired(f"{why} Approval {approval.id} was rejected.", param=approval.id)
    return ApprovalRequired(
        f"{why} Approval: {approval.id}. Once it is given, the same request passes once.", param=approval.id
    )
