"""Pseudonyms and the way back."""

import json

import pytest

from gptgate.core.ports import Cut
from gptgate.core.snapshot import Effect
from gptgate.policy import pseudonym
from gptgate.policy.pseudonym import SessionPseudonyms
from gptgate.policy.redact import Rewriting

REWRITING = Rewriting(b"a secret of the installation")
JANE, JOHN = "jane@example.com", 'the "john"\n@example.com'


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """What a test before this one made ready is made again."""
    pseudonym._patterns_of.cache_clear()


@pytest.fixture
def pseudonyms() -> SessionPseudonyms:
    return REWRITING.pseudonyms("demo", "session")


def test_a_value_has_one_pseudonym_in_all_requests_of_a_session(pseudonyms: SessionPseudonyms) -> None:
    name = pseudonyms.name("pii.email", JANE)
    assert name == pseudonyms.name("pii.email", JANE)
    assert name == Rewriting(b"a secret of the installation").pseudonyms("demo", "session").name("pii.email", JANE)
    assert name.startswith("[email:")
    assert len(name) == len("[email:]") + 12


@pytest.mark.parametrize(
    ("secret", "app", "session"),
    [(b"x", "demo", "session"), (b"s", "d", "emosession"), (b"s", "demo", "other"), (b"s", "other", "session")],
)
def test_nothing_is_recognised_in_another_session(secret: bytes, app: str, session: str) -> None:
    name = Rewriting(b"s").pseudonyms("demo", "session").name("pii.email", JANE)
    assert Rewriting(secret).pseudonyms(app, session).name("pii.email", JANE) != name


def test_a_history_of_one_release_is_restored_by_the_next(pseudonyms: SessionPseudonyms) -> None:
    assert pseudonyms.name("pii.email", JANE) == "[email:cvqvcvpdqckn]"


def test_a_pseudonym_is_of_a_kind_and_says_the_last_word_of_it(pseudonyms: SessionPseudonyms) -> None:
    of_two = [pseudonyms.name(kind, "123456782") for kind in ("pii.id.number", "secret.number")]
    assert [name.partition(":")[0] for name in of_two] == ["[number", "[number"]
    assert of_two[0] != of_two[1]


def test_a_pseudonym_without_brackets_is_over_with_its_last_letter(pseudonyms: SessionPseudonyms) -> None:
    inside = pseudonyms.name("pii.email", JANE)[1:-1]
    assert pseudonyms.restorer(False).feed(inside) == JANE


def test_only_values_of_the_own_request_are_restored(pseudonyms: SessionPseudonyms) -> None:
    name = pseudonyms.name("pii.email", JANE)
    assert pseudonyms.restore(f"to {name}!", False) == f"to {JANE}!"
    later = REWRITING.pseudonyms("demo", "session")
    later.name("pii.email", JOHN)
    assert later.restore(f"to {name}!", False) == f"to {name}!"


def test_a_value_in_json_is_escaped(pseudonyms: SessionPseudonyms) -> None:
    name = pseudonyms.name("pii.email", JOHN)
    restored = pseudonyms.restore(json.dumps({"to": name, name: [f"<{name}>"]}), True)
    assert json.loads(restored) == {"to": JOHN, JOHN: [f"<{JOHN}>"]}


def test_case_and_lost_brackets_do_not_matter(pseudonyms: SessionPseudonyms) -> None:
    name = pseudonyms.name("pii.email", JANE)
    inside = name[1:-1]
    for written, read in [
        (name.upper(), JANE),
        (inside, JANE),
        (f"`{inside}`,", f"`{JANE}`,"),
        (f"[see {inside}]", f"[see {JANE}]"),
        (f"[{inside}", f"[{JANE}"),
        (f"{inside}]", f"{JANE}]"),
        (f"{name}{name}", JANE + JANE),
    ]:
        assert pseudonyms.restore(written, False) == read


def test_what_is_no_pseudonym_stays(pseudonyms: SessionPseudonyms) -> None:
    name = pseudonyms.name("pii.email", JANE)
    inside = name[1:-1]
    for text in [f"my{inside}", f"my_{inside}", name[:-2], name.replace("email", "mail"), "[email:", inside[:-1]]:
        assert pseudonyms.restore(text, False) == text


def test_letters_that_only_fold_to_ascii_are_other_letters(pseudonyms: SessionPseudonyms) -> None:
    for number in range(100):
        name = pseudonyms.name("pii.email", str(number))
        if "k" in name:
            break
    other = name.replace("k", "\u212a")  # the Kelvin sign, whose lower case is k
    assert other != name
    assert pseudonyms.restore(other, False) == other


def test_what_is_held_back_is_shorter_than_a_pseudonym(pseudonyms: SessionPseudonyms) -> None:
    name = pseudonyms.name("pii.email", JANE)
    restorer = pseudonyms.restorer(False)
    for char in f"a [[ {name} emailemail:[email:bcdf":
        restorer.feed(char)
        assert len(restorer.pending) < len(name)
    assert restorer.pending == "[email:bcdf"
    assert restorer.finish() == "[email:bcdf"
    assert restorer.pending == ""


def test_two_values_with_one_pseudonym_are_refused(pseudonyms: SessionPseudonyms) -> None:
    name = pseudonyms.name("pii.email", JANE)
    pseudonyms._values[name[1:-1]] = "another"
    with pytest.raises(ValueError, match="one pseudonym"):
        pseudonyms.name("pii.email", JANE)


def test_texts_are_rewritten_with_the_pseudonyms_they_are_restored_with(pseudonyms: SessionPseudonyms) -> None:
    text = f'{{"to": "{JANE}", "n": 4111111111111111}}'
    start, number = text.index(JANE), text.index("4111")
    cuts = [
        Cut(start, start + len(JANE), "pii.email", Effect.PSEUDONYMISE),
        Cut(number, number + 16, "pii.payment_card", Effect.PSEUDONYMISE),
    ]
    sent = REWRITING.text(text, cuts, True, pseudonyms)
    assert JANE not in sent
    assert "4111" not in sent
    assert json.loads(pseudonyms.restore(sent, True)) == {"to": JANE, "n": "4111111111111111"}


def test_a_value_in_plain_text_is_not_escaped(pseudonyms: SessionPseudonyms) -> None:
    assert pseudonyms.restore(f"to {pseudonyms.name('pii.email', JOHN)}", False) == f"to {JOHN}"
