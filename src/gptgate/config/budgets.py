"""The section `budgets`, and the `budget` of an app."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from gptgate.config.limits import matched_apps, matched_models
from gptgate.config.problem import did_you_mean, shown
from gptgate.config.reader import Reader, Section
from gptgate.config.schema_limits import EVERYBODY
from gptgate.core.budgets import (
    APP_MONTH,
    CALLERS_WORDS,
    LEAST_OUTPUT_TOKENS,
    SESSION_MS,
    BudgetMode,
    BudgetSpec,
    Dimension,
    Unit,
    Window,
)
from gptgate.core.limit import SESSION
from gptgate.core.money import NANO_PER_USD

CALENDAR = frozenset({Window.DAY, Window.WEEK, Window.MONTH})
MATCHES: dict[str, tuple[Dimension, str]] = {
    "teams": (Dimension.TEAM, "teams"),
    "apps": (Dimension.APP, "apps"),
    "models": (Dimension.MODEL, "models"),
    "providers": (Dimension.PROVIDER, "providers"),
}
"""Setting of `match` → the dimension it narrows down, and the section whose names it may use."""


def check_budgets(root: Section, reader: Reader) -> None:
    """Report every budget that contradicts itself or could not be enforced."""
    for budget in root.sections("budgets"):
        if budget.get("name") == APP_MONTH.name:
            message = "this name stands for the apps' own budgets"
            reader.report(budget.line_of("name"), f"{budget.path}.name", message)
        _check_scope(budget, reader)
        _check_window(budget, reader)
        amount = budget.fields.get("amount")
        if amount is not None and budget.get("unit") not in (None, Unit.USD) and amount.value % NANO_PER_USD:
            reader.report(amount.line, amount.path, "this unit is counted in whole numbers")
        _check_cut(budget, reader)
        if _check_names(budget, root, reader):
            _check_reach(budget, root, reader)


def _check_cut(budget: Section, reader: Reader) -> None:
    """A shorter answer is of use only where a longer one is refused."""
    if not budget.get("least_output_tokens"):
        return
    line, path = budget.line_of("least_output_tokens"), f"{budget.path}.least_output_tokens"
    if budget.get("mode") is BudgetMode.SOFT:
        reader.report(line, path, "has no meaning for a soft budget, which refuses nothing", "remove the line")
    elif budget.get("unit") is Unit.REQUESTS:
        message = "has no meaning for the unit requests: a shorter answer is one request too"
        reader.report(line, path, message, "remove the line")


def _check_names(budget: Section, root: Section, reader: Reader) -> bool:
    """Whether all names that a budget matches are known."""
    good = True
    for name, (dimension, section) in MATCHES.items():
        known = [item.get("name") for item in root.sections(section) if item.get("name") is not None]
        for item in budget.section("match").items(name):
            if item.value not in known:
                good = False
                hint = did_you_mean(item.value, known)
                reader.report(item.line, item.path, f"no {dimension.value} is called {shown(item.value)}", hint)
    return good


def _check_reach(budget: Section, root: Section, reader: Reader) -> None:
    """A budget that no request can fall under bounds nothing."""
    match = budget.section("match")
    for what, found in (("app", matched_apps(match, root)), ("model", matched_models(match, root))):
        if match.fields and not found:
            message = f"no {what} is matched, so the budget would never hold"
            reader.report(budget.line_of("match"), f"{budget.path}.match", message)
            return


def _check_scope(budget: Section, reader: Reader) -> None:
    scope = budget.items("scope")
    words = [item.value for item in scope]
    if EVERYBODY in words and len(words) > 1:
        message = f"{EVERYBODY} is one account for everybody; beside it nothing else can stand"
        reader.report(scope[0].line, f"{budget.path}.scope", message)
    if budget.get("window") is Window.SESSION and Dimension.SESSION not in words:
        message = "a window for each session, in a budget that does not count sessions apart"
        reader.report(budget.line_of("window"), f"{budget.path}.window", message, "scope: [app, session]")
    if budget.get("window") is Window.LIFETIME and CALLERS_WORDS.intersection(words):
        message = "callers make these values up, so accounts that never end would fill the memory"
        reader.report(budget.line_of("window"), f"{budget.path}.window", message, "window: rolling, with over: 30d")


def _check_window(budget: Section, reader: Reader) -> None:
    window = budget.get("window")
    if window is None:
        return
    over, zone = budget.fields.get("over"), budget.fields.get("time_zone")
    if window is Window.ROLLING and "over" not in budget.written:
        reader.report(budget.line, f"{budget.path}.over", "is missing: a rolling window has a length", "over: 7d")
    elif window is not Window.ROLLING and over is not None:
        reader.report(over.line, over.path, f"has no meaning for the window {shown(window.value)}", "window: rolling")
    if zone is None:
        return
    if window not in CALENDAR and "time_zone" in budget.written:
        reader.report(zone.line, zone.path, f"has no meaning for the window {shown(window.value)}", "remove the line")
        return
    try:
        ZoneInfo(zone.value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reader.report(zone.line, zone.path, f"no time zone is called {shown(zone.value)}", "such as Europe/Berlin")


def build_budgets(root: Section) -> tuple[BudgetSpec, ...]:
    """The apps' months, then the file's budgets by name."""
    limits = {app.get("name"): app.section("budget").get("monthly_usd") for app in root.sections("apps")}
    own = {name: nano for name, nano in sorted(limits.items()) if nano is not None}
    budgets = (_budget(item) for item in root.sections("budgets"))
    guards = _session_guards(root.section("guards").section("session"))
    return replace(APP_MONTH, amounts=own), *sorted(budgets, key=lambda budget: budget.name), *guards


def _session_guards(session: Section) -> Iterator[BudgetSpec]:
    """The guard of sessions is a budget for each thing that it bounds."""
    for unit in Unit:
        amount = session.get(unit.value)
        if amount is not None:
            yield BudgetSpec(
                name=f"{SESSION}.{unit.value}",
                scope=(Dimension.APP, Dimension.SESSION),
                unit=unit,
                amount=amount,
                window=Window.SESSION,
                over_ms=SESSION_MS,
                guard=SESSION,
            )


def _budget(item: Section) -> BudgetSpec:
    unit: Unit = item.get("unit")
    amount: int = item.get("amount")
    words = {value.value for value in item.items("scope")}
    match = item.section("match")
    mode, least = BudgetMode(item.get("mode")), item.get("least_output_tokens")
    if least is None:
        least = LEAST_OUTPUT_TOKENS if mode is BudgetMode.HARD and unit is not Unit.REQUESTS else 0
    return BudgetSpec(
        name=item.get("name"),
        scope=tuple(dimension for dimension in Dimension if dimension.value in words),
        unit=unit,
        amount=amount if unit is Unit.USD else amount // NANO_PER_USD,
        window=item.get("window"),
        over_ms=SESSION_MS if item.get("window") is Window.SESSION else item.get("over") or 0,
        time_zone=item.get("time_zone"),
        mode=mode,
        thresholds=tuple(sorted(value.value for value in item.items("thresholds"))),
        least_output_tokens=least,
        match=tuple(
            (dimension, tuple(sorted(value.value for value in match.items(name))))
            for name, (dimension, _) in MATCHES.items()
            if match.items(name)
        ),
    )
