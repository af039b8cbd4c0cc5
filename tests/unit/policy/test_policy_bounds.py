"""What is odd about a condition: comparisons that always or never hold, and literals that stand alone."""

import pytest

from gptgate.policy.bounds import comparisons, oddities


def compared(text: str) -> list[tuple[str, str, int]]:
    return [(one.fact, one.sign, one.number) for one in comparisons(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time.hour < 5", [("time.hour", "<", 5)]),
        ("time.hour <= 5", [("time.hour", "<=", 5)]),
        ("time.hour > 5", [("time.hour", ">", 5)]),
        ("time.hour >= 5", [("time.hour", ">=", 5)]),
        ("time.hour == 5", [("time.hour", "==", 5)]),
        ("time.hour != 5", [("time.hour", "!=", 5)]),
        ("5 < time.hour", [("time.hour", ">", 5)]),
        ("5 <= time.hour", [("time.hour", ">=", 5)]),
        ("5 > time.hour", [("time.hour", "<", 5)]),
        ("5 >= time.hour", [("time.hour", "<=", 5)]),
        ("5 == time.hour", [("time.hour", "==", 5)]),
        ("5 != time.hour", [("time.hour", "!=", 5)]),
        ("true && 5 < time.hour", [("time.hour", ">", 5)]),
        ("risk.parts.attack > 5", [("risk.parts.attack", ">", 5)]),
        ("time.hour > -5", [("time.hour", ">", -5)]),
        ("time.hour > 0x11", [("time.hour", ">", 17)]),
        ("time.hour > 0X10", [("time.hour", ">", 16)]),
        ("time.hour > 0x10u", [("time.hour", ">", 16)]),
        ("time.hour > 5u", [("time.hour", ">", 5)]),
        ("time.hour > 5U", [("time.hour", ">", 5)]),
        ("time.hour > 5 && true", [("time.hour", ">", 5)]),
        ("(time.hour > 5) == true", [("time.hour", ">", 5)]),
        ("1 < time.hour && time.hour < 5", [("time.hour", ">", 1), ("time.hour", "<", 5)]),
        ("4 - 5 < time.hour", []),
        ("4 + 5 < time.hour", []),
        ("time.hour < 4 + 5", []),
        ("time.hour + 1 < 5", []),
        ("1 + time.hour < 5", []),
        ("-time.hour < 5", []),
        ("time.hour < request.media", []),
        ("time.hour < -request.media", []),
        ("time.hour - 5 > 3", []),
        ("time.hour 5", []),
        ("5 time.hour", []),
        ("time.hour <", []),
        ("time.hour < -", []),
        ("session < 5", []),
        ("risk.other < 5", []),
        ("time.hour[0] < 5", []),
        ("time.hour in [5, 6]", []),
        ("time.hour < '5'", []),
        ("[time.hour, 5] == [1, 2]", []),
    ],
)
def test_a_number_that_is_written_out_is_compared(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert compared(text) == expected


def codes(text: str) -> list[str]:
    return [code for code, _ in oddities(text)]


@pytest.mark.parametrize(
    ("fact", "least", "most"), [("time.hour", 0, 23), ("time.weekday", 1, 7), ("risk.parts.pii", 0, 90)]
)
def test_the_edges_of_what_a_number_can_be(fact: str, least: int, most: int) -> None:
    always, never = ["always_true"], ["never_true"]
    for text, expected in (
        (f"{fact} < {least}", never),
        (f"{fact} < {least + 1}", []),
        (f"{fact} < {most}", []),
        (f"{fact} < {most + 1}", always),
        (f"{fact} <= {least - 1}", never),
        (f"{fact} <= {least}", []),
        (f"{fact} <= {most - 1}", []),
        (f"{fact} <= {most}", always),
        (f"{fact} > {most}", never),
        (f"{fact} > {most - 1}", []),
        (f"{fact} > {least}", []),
        (f"{fact} > {least - 1}", always),
        (f"{fact} >= {most + 1}", never),
        (f"{fact} >= {most}", []),
        (f"{fact} >= {least + 1}", []),
        (f"{fact} >= {least}", always),
        (f"{fact} == {least}", []),
        (f"{fact} == {most + 1}", never),
        (f"{fact} == {least - 1}", never),
        (f"{fact} != {most}", []),
        (f"{fact} != {most + 1}", always),
    ):
        assert codes(text) == expected, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("usage.spent_nano >= 0", ["always_true"]),
        ("usage.spent_nano < 0", ["never_true"]),
        ("usage.spent_nano > 10 && usage.spent_nano < 10", ["never_true"]),
        ("time.hour > 10 && time.hour < 12", []),
        ("time.hour > 10 && time.hour < 11", ["never_true"]),
        ("time.hour >= 10 && time.hour <= 10", []),
        ("time.hour >= 10 && time.hour <= 9", ["never_true"]),
        ("time.hour == 10 && time.hour == 11", ["never_true"]),
        ("time.hour == 10 && time.hour != 10", []),
        ("time.hour > 10 && time.weekday < 2", []),
        ("time.hour != 30 && time.hour > 10 && time.hour < 5", ["always_true", "never_true"]),
        ("time.hour > 30 && time.hour > 10 && time.hour < 5", ["never_true"]),
        ("time.hour != 10 && time.hour == 11", []),
        ("time.hour > 10 || time.hour < 5", []),
        ("(time.hour > 10 ? time.hour < 5 : true)", []),
        ("!(time.hour > 10) && time.hour > 5 && time.hour < 12", []),
        ("!(time.hour > 10 && time.hour < 5)", []),
        ("session != '' && time.hour > 10 && time.hour < 5", ["never_true"]),
        ("true && request.stream", ["always_true"]),
        ("request.stream || true", ["always_true"]),
        ("!false && request.stream", ["always_false"]),
        ("(true) && request.stream", ["always_true"]),
        ("(true || request.stream) && request.stream", ["always_true"]),
        ("request.stream == true", []),
        ("true == request.stream", []),
        ("request.stream != false", []),
        ("session == 'true'", []),
        ("'true' in kinds", []),
        ("true", ["constant"]),
        ("", []),
    ],
)
def test_what_cannot_depend_on_the_request_is_odd(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("request.stream &&\n  time.hour > 30", "line 2, column 3: time.hour > 30 is never true: time.hour is 0 to 23"),
        ("30 > time.hour", "line 1, column 6: time.hour < 30 is always true: time.hour is 0 to 23"),
        (
            "usage.spent_nano < 0",
            "line 1, column 1: usage.spent_nano < 0 is never true: usage.spent_nano is 0 or more",
        ),
        ("request.stream &&\n false", "line 2, column 2: 'false' stands there by itself, whatever the request"),
        (
            "time.hour < 5 && time.hour > 5",
            "can never fire: what it asks of time.hour cannot hold at once (|| says either)",
        ),
    ],
)
def test_what_is_odd_is_said_with_its_place(text: str, message: str) -> None:
    assert [said for _, said in oddities(text)] == [message]
