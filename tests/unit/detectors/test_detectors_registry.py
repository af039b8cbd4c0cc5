import re

from gptgate.core.finding import Origin
from gptgate.detectors import DETECTORS, KINDS, WHOLE_DETECTORS, canary, echo, known
from gptgate.detectors.registry import VIEWS
from gptgate.detectors.signals import signal_kinds

LONG = {"private_key": 16 * 1024, "web_token": 8 * 1024, "cookies": 4 * 1024}
"""Detectors whose matches may be very long."""


def test_names_are_those_of_the_registry() -> None:
    assert [detector.name for detector in DETECTORS.values()] == list(DETECTORS)
    assert [detector.name for detector in WHOLE_DETECTORS.values()] == list(WHOLE_DETECTORS)


def test_every_kind_is_described_in_one_line() -> None:
    patterns = {pattern.kind for detector in DETECTORS.values() for pattern in detector.patterns}
    seen_whole = {kind for detector in WHOLE_DETECTORS.values() for kind in detector.kinds}
    watched = {*known.KINDS, *canary.KINDS, *echo.KINDS}
    assert set(KINDS) == patterns | seen_whole | watched | set(signal_kinds(VIEWS))
    for kind, line in KINDS.items():
        assert re.fullmatch(r"(pii|secret|attack|exfil|unsafe|obfuscation|unscannable)\.[a-z0-9_]+", kind)
        assert re.fullmatch(r"[A-Z][^\n]{10,100}\.", line)


def test_each_kind_belongs_to_one_detector() -> None:
    kinds = [kind for detector in DETECTORS.values() for kind in detector.kinds]
    assert len(kinds) == len(set(kinds))


def test_the_promised_kinds_exist() -> None:
    providers = (
        "openai anthropic aws_access_key github gitlab google_api_key slack stripe huggingface sendgrid npm"
        " gptgate_key private_key"
    )
    forms = "override role developer_mode extraction template delimiter fake_result"
    assert set(KINDS) >= {
        "pii.email",
        "pii.payment_card",
        *(f"attack.{form}" for form in forms.split()),
        *(f"secret.{provider}" for provider in providers.split()),
    }


def test_only_attacks_and_what_is_asked_or_answered_spare_trusted_configuration() -> None:
    for detector in DETECTORS.values():
        trusted = {Origin.SYSTEM, Origin.DEVELOPER} <= detector.origins
        assert trusted == all(not kind.startswith(("attack.", "exfil.", "unsafe.")) for kind in detector.kinds)


def test_matches_are_bounded() -> None:
    assert {name: DETECTORS[name].longest for name in LONG} == LONG
    assert all(detector.longest <= 2048 for name, detector in DETECTORS.items() if name not in LONG)
