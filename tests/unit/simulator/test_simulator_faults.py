import pytest

from gptgate.simulator.faults import Faults, UnknownFault, parse_faults
from gptgate.simulator.rules import split_faults


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("", Faults()),
        ("latency=200ms", Faults(latency_ms=200)),
        ("latency=2s", Faults(latency_ms=2000)),
        ("status=429 retry-after=1", Faults(status=429, retry_after="1")),
        ("hang", Faults(hang=0)),
        ("hang=3", Faults(hang=3)),
        ("cut=5", Faults(cut=5)),
        ("malformed no-usage", Faults(malformed=True, no_usage=True)),
        ("wrong-usage redirect", Faults(wrong_usage=True, redirect=True)),
        ("no-bound running-usage", Faults(no_bound=True, running_usage=True)),
        ("times=2 status=500", Faults(times=2, status=500)),
        ("chunk=3 delay=5ms", Faults(chunk=3, delay_ms=5)),
    ],
)
def test_a_line_orders_faults(line: str, faults: Faults) -> None:
    assert parse_faults(line, Faults()) == faults


@pytest.mark.parametrize(
    "word",
    "lag=1ms latency latency=5 latency=-5ms status=200 status=600 status=x times=0 chunk=0 malformed=1 hang=0 cut= "
    "retry-after cut=9999999999 delay=٣ms".split(),
)
def test_a_mistyped_order_is_refused_by_name(word: str) -> None:
    with pytest.raises(UnknownFault, match=r"unknown fault|does not take"):
        parse_faults(word, Faults())


def test_orders_add_to_the_defaults() -> None:
    assert parse_faults("chunk=3", Faults(latency_ms=5)) == Faults(latency_ms=5, chunk=3)


def test_fault_lines_are_taken_out_of_the_text_wherever_they_stand() -> None:
    text, faults = split_faults("fault: hang\necho: a\n  fault: chunk=2\nb", Faults())
    assert text == "echo: a\nb"
    assert faults == Faults(hang=0, chunk=2)


def test_a_text_that_only_mentions_a_fault_orders_none() -> None:
    assert split_faults("echo: fault: hang", Faults()) == ("echo: fault: hang", Faults())
