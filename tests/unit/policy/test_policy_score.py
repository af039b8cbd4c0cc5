"""The risk score."""

import pytest

from gptgate.core.finding import Finding, Origin
from gptgate.policy.score import assess


def found(kind: str, points: int) -> Finding:
    return Finding(kind, Origin.USER, "/messages/0/content", 0, 4, "test", points)


def test_nothing_found_is_nothing() -> None:
    inspection = assess(())
    assert (inspection.findings, inspection.score, inspection.parts) == ((), 0, ())


def test_a_guard_that_failed_has_no_points() -> None:
    inspection = assess((), ("external.w",))
    assert (inspection.score, inspection.parts, inspection.failures) == (0, (), ("external.w",))


def test_one_finding_counts_in_full() -> None:
    assert assess((found("pii.email", 30),)).parts == (("pii", 30),)


def test_others_of_a_category_count_a_quarter_of_their_sum_rounded_down() -> None:
    inspection = assess((found("pii.email", 30), found("pii.card", 40), found("pii.email", 9)))
    assert inspection.parts == (("pii", 40 + 39 // 4),)
    assert inspection.score == 49


def test_categories_add_up_and_are_sorted() -> None:
    inspection = assess((found("secret.aws", 50), found("pii.email", 20)))
    assert inspection.parts == (("pii", 20), ("secret", 50))
    assert inspection.score == 70


def test_a_category_is_capped_at_90_and_the_score_at_100() -> None:
    inspection = assess(tuple(found("secret.aws", 100) for _ in range(9)))
    assert (inspection.score, inspection.parts) == (90, (("secret", 90),))
    both = assess((*inspection.findings, found("pii.card", 40)))
    assert (both.score, both.parts) == (100, (("pii", 40), ("secret", 90)))


@pytest.mark.parametrize(("kind", "category"), [("media", "media"), ("pii.card.visa", "pii"), ("pii.", "pii")])
def test_the_category_stands_before_the_first_dot(kind: str, category: str) -> None:
    assert assess((found(kind, 5),)).parts == ((category, 5),)


def test_a_finding_without_weight_is_a_part_all_the_same() -> None:
    assert assess((found("media.image", 0),)).parts == (("media", 0),)
