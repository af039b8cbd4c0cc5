"""The section `counters`."""

from gptgate.config.reader import Reader, Section
from gptgate.core.beside import CountersSpec
from gptgate.core.budgets import BudgetMode, Unit

MOST = 2**53 - 1
"""The largest amount that the scripts of the counters compare exactly: more than nine million dollars.
No amount of another unit can be so large."""


def check_counters(root: Section, reader: Reader) -> None:
    """Report every budget that shared counters could not hold to the last digit, and certificates for a connection that
    has none."""
    if "counters" not in root.written:
        return
    found = root.section("counters").fields
    url, key = found.get("url"), found.get("key")
    for file in (found.get("ca"), found.get("cert"), key):
        if file is not None and url is not None and not url.value.startswith("rediss://"):
            message, hint = "only a connection with TLS has certificates", "begin counters.url with rediss://"
            reader.report(file.line, file.path, message, hint)
    if key is not None and found.get("cert") is None:
        reader.report(key.line, key.path, "has no effect without the certificate that it belongs to", "write cert: too")
    amounts = [app.section("budget").fields.get("monthly_usd") for app in root.sections("apps")]
    dollars = [item for item in root.sections("budgets") if item.get("unit") is Unit.USD]
    hard = [item for item in dollars if item.get("mode") == BudgetMode.HARD]
    for amount in (*amounts, *(item.fields.get("amount") for item in hard)):
        if amount is not None and amount.value > MOST:
            message = "more dollars than shared counters can hold to the last digit: 9007199"
            reader.report(amount.line, amount.path, message, "mode: soft, or no counters")


def build_counters(root: Section) -> CountersSpec | None:
    """None where the section is absent."""
    found = root.get("counters")
    if not isinstance(found, Section):
        return None
    return CountersSpec(
        url=found.get("url"),
        user=found.get("user") or "",
        credential=found.get("credential"),
        ca=found.get("ca") or "",
        cert=found.get("cert") or "",
        key=found.get("key") or "",
        prefix=found.get("prefix"),
        timeout_ms=found.get("timeout"),
    )
