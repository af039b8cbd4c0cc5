"""`gptgate budget`: what budgets have left, and changes of it."""

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from gptgate.cli.budget_accounts import account_name, changed_accounts, configured_amount, slot_at
from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import load_config, require_database, writing
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import clean
from gptgate.cli.times import show_ms, to_seconds
from gptgate.cli.who import decider, system_user
from gptgate.config.problem import did_you_mean
from gptgate.config.types import Wrong, parse_amount
from gptgate.core.budgets import BudgetSpec, Dimension, TopUp, Unit, Window
from gptgate.core.facts import Usage
from gptgate.core.money import NANO_PER_USD, format_usd
from gptgate.core.snapshot import Snapshot
from gptgate.cost.account import Account as LedgerAccount
from gptgate.cost.amounts import NOT_NAMED, shown
from gptgate.cost.windows import Slots
from gptgate.storage.corrections import BILLED, UNUSED, reconcile
from gptgate.storage.spending import Spending, add_top_up, set_amount

COLUMNS = (
    Column("budget", "budget"),
    Column("account", "account", fold=True),
    Column("mode", "mode"),
    Column("unit", "unit"),
    Column("window", "window"),
    Column("since", "since", show=to_seconds),
    Column("amount", "amount", right=True),
    Column("spent", "spent", right=True),
    Column("left", "left", right=True),
    Column("percent", "%", right=True),
    Column("changed", "changed"),
    Column("configured", "configured", right=True),
)
NAMES = (
    Column("budget", "budget"),
    Column("scope", "scope", fold=True),
    Column("unit", "unit"),
    Column("amount", "amount", right=True),
    Column("window", "window"),
    Column("over", "over"),
    Column("time_zone", "time zone"),
    Column("mode", "mode"),
    Column("thresholds", "thresholds", fold=True),
    Column("match", "match", fold=True),
)
LENGTHS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))

app = typer.Typer(no_args_is_help=True, help="See what budgets have left, and change it.")

Name = Annotated[str, typer.Argument(metavar="BUDGET", help="The budget's name; `apps` for the apps' own budgets.")]

Account = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[VALUE]...",
        help=f"The account: a value for each dimension of the budget's scope; `{NOT_NAMED}` where requests name none.",
    ),
]
By = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="Who does it. Default: the user of the operating system.")
]


@app.command("list")
def list_budgets(output: Output = Format.TABLE, data: Data = DEFAULT_FOLDER, config: Config = None) -> None:
    """List the configured budgets. `apps` stands for the apps' own monthly budgets."""
    rows = [
        {
            "budget": budget.name,
            "scope": [dimension.value for dimension in budget.scope] or ["global"],
            "unit": budget.unit.value,
            "amount": "by app" if budget.amount is None else _number(budget.unit, budget.amount),
            "window": budget.window.value,
            "over": _length(budget.over_ms),
            "time_zone": None if budget.rolling or budget.window is Window.LIFETIME else budget.time_zone,
            "mode": budget.mode.value,
            "thresholds": [f"{percent}%" for percent in budget.thresholds],
            "match": [f"{dimension.value}={value}" for dimension, values in budget.match for value in values],
        }
        for budget in load_config(data, config).budgets
    ]
    print_records(output, NAMES, rows)


@app.command("show")
def show(name: Name, output: Output = Format.TABLE, data: Data = DEFAULT_FOLDER, config: Config = None) -> None:
    """Show every account of a budget that has spent something in the window, or was changed in it, from the durable
    records.

    Requests that are under way are not among them: what they hold comes back, in part, when they end. Where an amount
    was changed by `set` or `top-up`, it says so, and which one is configured.
    """
    require_database(data)
    budget = _find(name, load_config(data, config))
    now_ms = _now_ms()
    with closing(Spending(data)) as spending:
        spent = _accounts(budget, spending, now_ms)
        changed = changed_accounts(budget, spending.top_ups(), now_ms)
    rows = [_row(budget, key, spent.get(key, 0), changed.get(key), now_ms) for key in sorted({*spent, *changed})]
    print_records(output, COLUMNS, rows)


@app.command("top-up")
def top_up(
    name: Name,
    account: Account = None,
    add: Annotated[str, typer.Option("--add", help="How much, in the budget's unit, such as 12.50.")] = "",
    by: By = None,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Add to one account of a budget, for the window in force. A running gateway sees it within a second."""
    _has_value("--add", add)
    budget, key = _account_of(name, account, data, config)
    amount = _amount("--add", budget.unit, add)
    if not amount:
        raise CommandError("--add: an amount above 0", exit_code=USAGE)
    who = decider(by)
    with writing(data):
        add_top_up(data, TopUp.given(budget, key, _now_ms(), amount), who, system_user())
    print(f"budget {budget.name}: {shown(budget.unit, amount)} more for {account_name(key)}, by {clean(who)}")


@app.command("set")
def set_account(
    name: Name,
    account: Account = None,
    amount: Annotated[
        str, typer.Option("--amount", help="How much it is now, in the budget's unit, such as 12.50.")
    ] = "",
    configured: Annotated[
        bool, typer.Option("--configured", help="What is configured, without what was set or added.")
    ] = False,
    by: By = None,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Set the amount of one account of a budget, for the window in force. A running gateway sees it within a second.

    With `--configured` it is what the configuration says again, now and when that changes.
    """
    if configured and amount:
        raise CommandError("--amount and --configured exclude each other", exit_code=USAGE)
    if not configured:
        _has_value("--amount", amount, ", or --configured")
    budget, key = _account_of(name, account, data, config)
    own, now_ms, who = configured_amount(budget, key) or 0, _now_ms(), decider(by)
    wanted = own if configured else _amount("--amount", budget.unit, amount)

    def change(before: list[TopUp]) -> TopUp:
        changed = changed_accounts(budget, before, now_ms).get(key)
        in_force = own if changed is None else changed.limit(own, slot_at(budget, now_ms))
        set_to = None if configured else wanted
        return TopUp.given(budget, key, now_ms, wanted - in_force, set_to, configured=configured)

    with writing(data):
        set_amount(data, who, change, system_user())
    now = shown(budget.unit, wanted) + (", as configured," if configured else "")
    print(f"budget {budget.name}: {now} for {account_name(key)} in this window, by {clean(who)}")


@app.command("reconcile")
def reconcile_request(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    usd: Annotated[str | None, typer.Option("--usd", help="What the provider billed for it.")] = None,
    input_tokens: Annotated[int, typer.Option(min=0, max=10**9, help="How many input tokens it had.")] = 0,
    output_tokens: Annotated[int, typer.Option(min=0, max=10**9, help="How many output tokens it had.")] = 0,
    unused: Annotated[bool, typer.Option("--unused", help="The provider billed nothing for it.")] = False,
    beyond: Annotated[
        bool, typer.Option("--beyond-reservation", help="It is right that it cost more than was reserved for it.")
    ] = False,
    by: By = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Correct what a request cost whose usage was unknown, so that its reservation stayed spent, or whose provider
    reported more than was reserved for it.

    Once for each request. Budgets of the windows in force, and reports, count the correction from then on; a running
    gateway within a second. The request's record stays as it was.
    """
    require_database(data)
    if unused == (usd is not None) or (unused and (input_tokens or output_tokens)):
        raise CommandError("say what was billed, with --usd and the tokens, or --unused alone", exit_code=USAGE)
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    nano = 0 if usd is None else _amount("--usd", Unit.USD, usd)
    who = decider(by)
    source = UNUSED if unused else BILLED
    with writing(data):
        before = reconcile(data, request, _now_ms(), source, usage, nano, who, user=system_user(), is_beyond=beyond)
    print(f"request {request}: {shown(Unit.USD, nano)} instead of {shown(Unit.USD, before)}, by {clean(who)}")


def _account_of(
    name: str, account: list[str] | None, data: Path, config: Path | None
) -> tuple[BudgetSpec, tuple[str, ...]]:
    """A budget and an account of it whose amount can be changed for the window in force."""
    require_database(data)
    snapshot = load_config(data, config)
    budget = _find(name, snapshot)
    key = tuple(["" if value == NOT_NAMED else value for value in account or ()])
    if len(key) != len(budget.scope):
        wanted = " ".join(dimension.value.upper() for dimension in budget.scope) or "(nothing: one account for all)"
        raise CommandError("the account does not fit the budget's scope", hint=f"it is: {wanted}", exit_code=USAGE)
    _check_known(budget, key, snapshot)
    if configured_amount(budget, key) is None:
        raise CommandError(f"{account_name(key)} has no budget here, so there is nothing to add to")
    if budget.rolling:
        window = "the window of a session" if budget.window is Window.SESSION else "a rolling window"
        raise CommandError(
            f"{window} has no end until which a change could hold",
            hint="change the budget's amount in the configuration, and run: gptgate config apply",
        )
    return budget, key


def _check_known(budget: BudgetSpec, key: tuple[str, ...], snapshot: Snapshot) -> None:
    """Refuse names that the configuration does not have. Keys, end users and sessions are not in it."""
    names: dict[Dimension, tuple[str, ...]] = {
        Dimension.TEAM: snapshot.teams,
        Dimension.APP: tuple(snapshot.apps),
        Dimension.MODEL: tuple(snapshot.models),
        Dimension.PROVIDER: tuple(snapshot.providers),
    }
    for dimension, value in zip(budget.scope, key, strict=True):
        known = names.get(dimension)
        if known is not None and value not in known:
            raise CommandError(f"no {dimension.value} is called {clean(value)}", hint=did_you_mean(value, known))


def _find(name: str, snapshot: Snapshot) -> BudgetSpec:
    budgets = snapshot.budgets
    for budget in budgets:
        if budget.name == name:
            return budget
    hint = "there are: " + ", ".join(budget.name for budget in budgets)
    if name in snapshot.apps:
        hint = f"{clean(name)} is an app, whose own budget is an account of the budget {budgets[0].name}; {hint}"
    raise CommandError(f"no budget is called {clean(name)}", hint=hint)


def _accounts(budget: BudgetSpec, spending: Spending, now_ms: int) -> dict[tuple[str, ...], int]:
    slots = Slots(budget)
    found: dict[tuple[str, ...], int] = {(name,): 0 for name in budget.amounts}
    for key, slot_ms, amount in spending.of(budget, slots.first(now_ms)):
        if budget.guard and not dict(zip(budget.scope, key, strict=True))[Dimension.SESSION]:
            continue  # A guard of sessions does not count what names none.
        if slots.rolling or slots.slot(slot_ms) == slots.slot(now_ms):
            found[key] = found.get(key, 0) + amount
    return found


def _row(
    budget: BudgetSpec, key: tuple[str, ...], spent: int, changed: LedgerAccount | None, now_ms: int
) -> dict[str, object]:
    configured = limit = configured_amount(budget, key)
    how: list[str] = []
    if configured is not None and changed is not None:
        slot = slot_at(budget, now_ms)
        limit = changed.limit(configured, slot)
        how = [word for word, told in (("set", slot in changed.set_to), ("top-up", changed.added.get(slot))) if told]
    unit = budget.unit
    return {
        "budget": budget.name,
        "account": account_name(key),
        "mode": budget.mode.value,
        "unit": unit.value,
        "window": budget.window.value,
        "since": None if budget.window is Window.LIFETIME else show_ms(Slots(budget).first(now_ms)),
        "amount": None if limit is None else _number(unit, limit),
        "spent": _number(unit, spent),
        "left": None if limit is None else _number(unit, limit - spent),
        "percent": spent * 100 // limit if limit else None,
        "changed": how,
        "configured": _number(unit, configured) if how and configured is not None else None,
    }


def _length(over_ms: int) -> str | None:
    """A length of time in the largest unit that leaves no rest; None for 0."""
    return next((f"{over_ms // size}{unit}" for unit, size in LENGTHS if over_ms and over_ms % size == 0), None)


def _number(unit: Unit, amount: int) -> str:
    return format_usd(amount) if unit is Unit.USD else str(amount)


def _has_value(option: str, text: str, instead: str = "") -> None:
    """Refuse an option that was forgotten, or whose value was: then it has taken the next option for it."""
    if not text or text.startswith("--"):
        what = f"the value of {option}" if text else option
        raise CommandError(f"{what} is missing", hint=f"such as {option} 12.50{instead}", exit_code=USAGE)


def _amount(option: str, unit: Unit, text: str) -> int:
    try:
        nano = parse_amount(text)
    except Wrong as wrong:
        raise CommandError(f"{option}: {wrong.message}", hint=wrong.hint, exit_code=USAGE) from None
    if unit is not Unit.USD and nano % NANO_PER_USD:
        raise CommandError(f"{option}: this budget's unit is counted in whole numbers", exit_code=USAGE)
    amount = nano if unit is Unit.USD else nano // NANO_PER_USD
    if amount >= 2**63:
        raise CommandError(f"{option}: not an absurd amount", exit_code=USAGE)
    return amount


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
