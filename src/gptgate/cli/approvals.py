"""`gptgate approvals`: see which requests wait for a person, and decide."""

import time
from typing import Annotated

import typer

from gptgate.cli.failure import CommandError
from gptgate.cli.folder import require_database, writing
from gptgate.cli.known import say_none_fits
from gptgate.cli.options import DEFAULT_FOLDER, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import clean
from gptgate.cli.times import future_ms, show_ms, to_seconds
from gptgate.cli.who import decider, system_user
from gptgate.core.approvals import Approval, ApprovalState
from gptgate.storage.approvals import ApprovalStore, read_approvals

COLUMNS = (
    Column("id", "id"),
    Column("state", "state"),
    Column("app", "app"),
    Column("model", "model"),
    Column("rules", "rules", fold=True),
    Column("end_user", "end user", fold=True),
    Column("key_id", "key"),
    Column("created", "asked", show=to_seconds),
    Column("expires", "expires", show=to_seconds),
    Column("decided_by", "decided by", fold=True),
    Column("decided"),
    Column("used_by"),
    Column("used"),
    Column("endpoint"),
    Column("digest"),
)

app = typer.Typer(no_args_is_help=True, help="See which requests wait for a person, and decide.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The approval's id, which the refused caller was told.")]
As = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="Who decides. Default: the user of the operating system.")
]


@app.command("list")
def list_approvals(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are rejected, used or expired.")] = False,
    app_name: Annotated[str | None, typer.Option("--app", help="Only requests of this app.")] = None,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """List the requests that wait, and permits that were not used yet, newest first.

    Holds no word of any request; its record does, as the app allows.
    """
    require_database(data)
    found = read_approvals(data, _now_ms())
    alive = [one for one in found if everything or one.state in (ApprovalState.PENDING, ApprovalState.APPROVED)]
    rows = [_row(one) for one in alive if app_name in (None, one.subject.app)]
    print_records(output, COLUMNS, rows)
    if not rows:
        what = "approval" if everything else "approval that waits, or may still be used,"
        say_none_fits(what, output, data, None, {"--app": app_name})


@app.command("show")
def show(approval_id: Id, data: Data = DEFAULT_FOLDER) -> None:
    """Show one approval. What the request said, as far as it is kept: `gptgate audit show ID`, with the same id."""
    require_database(data)
    found = next((one for one in read_approvals(data, _now_ms()) if one.id == approval_id), None)
    if found is None:
        raise CommandError(f"there is no approval {clean(approval_id)}", hint="gptgate approvals list --all")
    for name, value in _row(found).items():
        if value:
            shown = " ".join(value) if isinstance(value, list) else str(value)
            print(f"{name + ':':12} {clean(shown)}")


@app.command("approve")
def approve(
    approval_id: Id,
    expires: Annotated[str, typer.Option(help="How long the permit may wait to be used: 1h, 30m, 7d.")] = "1h",
    by: As = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Let the same request of the same app to the same model pass, once. A running gateway sees it at once."""
    now_ms = _now_ms()
    expires_ms = future_ms("--expires", expires, now_ms)
    decided = _decide(data, approval_id, approve=True, by=by, now_ms=now_ms, expires_ms=expires_ms)
    print(f"approval {decided.id}: may pass once until {show_ms(expires_ms)}; approved by {decided.decided_by}")


@app.command("reject")
def reject(approval_id: Id, by: As = None, data: Data = DEFAULT_FOLDER) -> None:
    """Refuse the request for good, or take a permit back that was not used yet. Until the approval expires, the same
    request asks nobody again."""
    decided = _decide(data, approval_id, approve=False, by=by, now_ms=_now_ms(), expires_ms=0)
    print(f"approval {decided.id}: rejected by {decided.decided_by}")


def _decide(data: Data, approval_id: str, *, approve: bool, by: str | None, now_ms: int, expires_ms: int) -> Approval:
    require_database(data)
    name = decider(by)
    with writing(data), ApprovalStore(data) as store:
        return store.decide(
            clean(approval_id), approve=approve, by=name, user=system_user(), now_ms=now_ms, expires_ms=expires_ms
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _row(approval: Approval) -> dict[str, object]:
    subject = approval.subject
    times = {"decided": approval.decided_ms, "used": approval.used_ms}
    return {
        "id": approval.id,
        "state": approval.state.value,
        "app": subject.app,
        "model": subject.model,
        "rules": list(subject.rules),
        "end_user": approval.end_user,
        "key_id": approval.key_id,
        "created": show_ms(approval.created_ms),
        "expires": show_ms(approval.expires_ms),
        "decided_by": approval.decided_by,
        **{name: show_ms(moment) if moment else None for name, moment in times.items()},
        "used_by": approval.used_by,
        "endpoint": subject.endpoint,
        "digest": subject.digest,
    }
