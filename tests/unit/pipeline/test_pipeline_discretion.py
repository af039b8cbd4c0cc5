"""No secret gets into a record by the name of a user, a model or a field."""

from typing import Any

import pytest

from gptgate.core.errors import GateError, GuardFailed
from gptgate.core.finding import Finding, Origin
from gptgate.core.wire import Dialect
from gptgate.pipeline.discretion import MAX_KNOWN, REDACTED, Discretion
from gptgate.pipeline.gate import Gate
from pipeline_parts import INSPECTOR, Caller, chat, configured, principal_of, services

SNAPSHOT = configured()
SECRET = "sk-proj-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"


class Failing:
    """An inspector that fails in a way of its own."""

    digest = ""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault
        self.asked = 0

    def inspect(self, segments: Any) -> Any:
        self.asked += 1
        raise self._fault

    def stream(self, *given: Any) -> Any:
        raise self._fault


def finding(place: str) -> Finding:
    return Finding(kind="pii.email", origin=Origin.USER, place=place, start=0, end=1, detector="email", points=1)


@pytest.mark.parametrize("name", ["", "alice", "alice@example.com", "user-0815", "gpt-4o-2024-08-06", "Zoë 😀"])
def test_names_stay(name: str) -> None:
    discretion = Discretion(INSPECTOR)
    assert [discretion.name(name), discretion.name(name)] == [name, name]


@pytest.mark.parametrize("name", [SECRET, f"user {SECRET}", SECRET.replace("-", "-\u200b")])
def test_secrets_do_not(name: str) -> None:
    discretion = Discretion(INSPECTOR)
    assert [discretion.name(name), discretion.name(name)] == [REDACTED, REDACTED]


def test_a_harmless_name_is_looked_at_once_and_what_is_remembered_is_bounded() -> None:
    discretion = Discretion(INSPECTOR)
    for number in range(MAX_KNOWN + 10):
        discretion.name(f"user-{number}")
    assert len(discretion._harmless) <= MAX_KNOWN


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("/messages/0/content", "/messages/0/content"),
        (f"/x/{SECRET}/below", f"/x/{REDACTED}/below"),
        (f"/{SECRET}", f"/{REDACTED}"),
        ("/contacts/jane.doe@example.com/0", f"/contacts/{REDACTED}/0"),
        ("/cards/4111111111111111", f"/cards/{REDACTED}"),
        ("", ""),
    ],
)
def test_places_lose_the_keys_that_hold_something(place: str, shown: str) -> None:
    findings = (finding("/messages/0/content"), finding(place))
    assert [one.place for one in Discretion(INSPECTOR).places(findings)] == ["/messages/0/content", shown]


def test_findings_whose_places_are_harmless_are_the_same() -> None:
    findings = (finding("/a"), finding("/a"))
    assert Discretion(INSPECTOR).places(findings) is findings
    assert Discretion(INSPECTOR).places(()) == ()


@pytest.mark.parametrize("inspector", [None, Failing(GuardFailed("No answer."))])
def test_where_nobody_can_say_everything_is_taken_out(inspector: Any) -> None:
    discretion = Discretion(inspector)
    assert discretion.name("alice") == REDACTED
    assert discretion.name("") == ""
    assert [one.place for one in discretion.places((finding("/a/b"),))] == [f"/{REDACTED}/{REDACTED}"]


@pytest.mark.parametrize("fault", [GuardFailed("No answer."), RuntimeError("defect")])
async def test_a_broken_inspector_costs_the_name_and_not_the_record(fault: Exception) -> None:
    parts = services(SNAPSHOT, inspector=Failing(fault))
    with pytest.raises(GateError):
        await Gate(parts).serve(chat(Dialect.OPENAI, user=SECRET), principal_of(SNAPSHOT), Caller())
    (record,) = parts.store.records.values()
    assert record.end is not None
    assert record.intent.end_user == REDACTED
