"""The kind that is meant, by the name that people have for it."""

import pytest

from gptgate.config.kind_names import CLASSIFIED, USUAL, near_kind
from gptgate.detectors.registry import KINDS

PREFIXES = [f"{category}.*" for category in {kind.partition(".")[0] for kind in KINDS}]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pii.card", "pii.payment_card"),
        ("pii.credit_card", "pii.payment_card"),
        ("card", "pii.payment_card"),
        ("pii.iban_code", "pii.iban"),
        ("pii.phone_number", "pii.phone"),
        ("pii.phone_numbre", "pii.phone"),
        ("pii.passport_number", "pii.passport"),
        ("pii.ssn", "pii.us_ssn"),
        ("pii.emial", "pii.email"),
        ("secrets.private_key", "secret.private_key"),
        ("attack.jailbreak", "attack.*"),
        ("pii.de_id_crad", "pii.de_id_card"),
    ],
)
def test_a_usual_name_leads_to_the_kind(text: str, kind: str) -> None:
    assert near_kind(text, [*KINDS, *PREFIXES]) == f'did you mean "{kind}"?'


def test_a_name_that_no_detector_could_find_leads_to_who_finds_it() -> None:
    assert near_kind("pii.person", [*KINDS, *PREFIXES]) == CLASSIFIED


def test_only_what_may_stand_there_is_named() -> None:
    assert "*" not in near_kind("attack.jailbreak", KINDS)
    assert near_kind("pii.card", ["pii.email"]) == ""
    assert near_kind("secret.card", KINDS) != 'did you mean "pii.payment_card"?'
    assert near_kind("zzz", KINDS) == ""


def test_every_usual_name_leads_to_a_kind_that_there_is() -> None:
    assert set(USUAL.values()) <= {*KINDS, *PREFIXES}
    assert not {f"{kind.partition('.')[0]}.{name}" for name, kind in USUAL.items()} & set(KINDS)
