"""Keyed tags."""

from gptgate.policy.tags import digest, tag


def test_a_tag_is_the_same_in_every_release() -> None:
    # What was hashed or pseudonymised once is recognised later, in histories that come back and between records.
    assert tag(b"key", 16, "pii.email", "jane@example.com") == "dgqdnknnmnkkfphr"
    assert tag(b"key", 4, "pii.email", "jane@example.com") == "dgqd"
    assert len(tag(b"key", 64, "x")) == 64


def test_parts_are_told_apart_by_their_lengths() -> None:
    assert (
        len({digest(b"key", *parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("1:a",), ("a",)]})
        == 6
    )


def test_any_text_has_a_tag() -> None:
    assert tag(b"key", 4, "\ud800") != tag(b"key", 4, "\udfff")
