"""An API key → who calls."""

import hmac
from typing import Any

import msgspec
import pytest

from gptgate.auth import authenticate as module
from gptgate.auth.authenticate import KeyAuthenticator
from gptgate.auth.directory import KeyTable
from gptgate.auth.keys import GeneratedKey, generate, hash_secret
from gptgate.core.errors import (
    AddressNotAllowed,
    ClientError,
    InvalidKey,
    KeyExpired,
    KeyRevoked,
    MissingKey,
)
from gptgate.core.keys import KeyRecord
from gptgate.core.snapshot import AppSpec, Limits

NOW = 1_790_000_000_000
KEY = generate(bytes(range(48)))
OTHER = generate(bytes(range(100, 148)))
FORGED = generate(bytes(range(16)) + b"x" * 32)
"""A well-formed key with the id of KEY and another secret."""

APP = AppSpec(
    name="shop",
    team="web",
    models=(),
    limits=Limits(),
    key_limits=Limits(),
    monthly_budget_nano=None,
    content="redacted",
)
RECORD = KeyRecord(
    id=KEY.id,
    app="shop",
    name="first",
    secret_hash=KEY.secret_hash,
    created_ms=NOW - 1000,
    models=("small",),
    endpoints=("chat",),
)


def caller(**changes: object) -> KeyAuthenticator:
    return KeyAuthenticator(KeyTable([msgspec.structs.replace(RECORD, **changes)]), {"shop": APP})


def bearer(key: GeneratedKey) -> dict[str, str]:
    return {"authorization": f"Bearer {key.text}"}


def refused(headers: dict[str, str], peer: str = "192.0.2.1", now: int = NOW, **changes: object) -> ClientError:
    with pytest.raises(ClientError) as caught:
        caller(**changes).authenticate(headers, peer, now)
    return caught.value


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY.text}"},
        {"authorization": f"bearer  {KEY.text} "},
        {"x-api-key": KEY.text},
        {"x-api-key": f" {KEY.text} "},
        {"x-api-key": KEY.text, "authorization": f"Bearer {KEY.text}"},
        {"x-api-key": "", "authorization": f"Bearer {KEY.text}"},
    ],
)
def test_a_key_is_accepted_in_either_header(headers: dict[str, str]) -> None:
    principal = caller().authenticate(headers, "192.0.2.1", NOW)
    assert (principal.team, principal.app, principal.key_id) == ("web", APP, KEY.id)
    assert (principal.models, principal.endpoints) == (("small",), ("chat",))


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"x-api-key": " "}])
def test_no_key_is_missing(headers: dict[str, str]) -> None:
    assert isinstance(refused(headers), MissingKey)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer sk-gate-nonsense"},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {KEY.text}"},
        {"authorization": KEY.text},
        {"x-api-key": "sk-ant-whatever"},
        {"x-api-key": "\xff\xfe"},
        bearer(OTHER),
        bearer(FORGED),
        {"x-api-key": OTHER.text, "authorization": f"Bearer {KEY.text}"},
        {"x-api-key": "\xff", "authorization": f"Bearer {KEY.text}"},
    ],
)
def test_whatever_is_wrong_with_a_key_the_caller_reads_the_same(headers: dict[str, str]) -> None:
    error = refused(headers)
    assert type(error) is InvalidKey
    assert error.message == (
        "the API key is not valid; this gateway takes keys of its own, which begin with 'sk-gate-'"
    )


def test_a_key_whose_app_is_gone_is_not_valid() -> None:
    error = refused(bearer(KEY), app="closed")
    assert type(error) is InvalidKey
    assert error.message == refused(bearer(FORGED)).message


@pytest.mark.parametrize("now", [NOW - 1, NOW, NOW + 1])
def test_a_key_ends_at_its_time_and_not_before(now: int) -> None:
    for field, kind in (("expires_ms", KeyExpired), ("revoked_ms", KeyRevoked)):
        authenticator = caller(**{field: NOW})
        if now < NOW:
            assert authenticator.authenticate(bearer(KEY), "192.0.2.1", now).key_id == KEY.id
        else:
            with pytest.raises(kind):
                authenticator.authenticate(bearer(KEY), "192.0.2.1", now)


def test_a_key_that_is_both_revoked_and_expired_is_revoked() -> None:
    assert isinstance(refused(bearer(KEY), expires_ms=1, revoked_ms=1), KeyRevoked)


@pytest.mark.parametrize("state", [{"expires_ms": 1}, {"revoked_ms": 1}, {"networks": ("10.0.0.0/8",)}])
def test_the_state_of_a_key_is_told_only_to_who_knows_the_secret(state: dict[str, Any]) -> None:
    assert type(refused(bearer(FORGED), **state)) is InvalidKey
    assert type(refused(bearer(KEY), **state)) is not InvalidKey


@pytest.mark.parametrize(("peer", "allowed"), [("10.1.1.1", True), ("::ffff:10.1.1.1", True), ("11.0.0.1", False)])
def test_a_key_may_be_bound_to_networks(peer: str, allowed: bool) -> None:
    if allowed:
        assert caller(networks=("10.0.0.0/8",)).authenticate(bearer(KEY), peer, NOW).key_id == KEY.id
    else:
        assert isinstance(refused(bearer(KEY), peer, networks=("10.0.0.0/8",)), AddressNotAllowed)


@pytest.mark.parametrize(("peer", "network"), [("", "10.0.0.0/8"), ("10.0.0.1", "broken")])
def test_an_address_that_cannot_be_judged_is_refused(peer: str, network: str) -> None:
    assert isinstance(refused(bearer(KEY), peer, networks=(network,)), AddressNotAllowed)


@pytest.mark.parametrize("key", [KEY, OTHER, FORGED])
def test_known_and_unknown_ids_cost_the_same_comparison(key: GeneratedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    class Counting:
        @staticmethod
        def compare_digest(left: bytes, right: bytes) -> bool:
            compared.append((len(left), len(right)))
            return hmac.compare_digest(left, right)

    monkeypatch.setattr(module, "hmac", Counting)
    if key is KEY:
        caller().authenticate(bearer(key), "192.0.2.1", NOW)
    else:
        refused(bearer(key))
    assert compared == [(32, 32)]


def test_no_error_holds_any_part_of_the_secret() -> None:
    secret = KEY.text.split("-")[3]
    states: list[dict[str, Any]] = [
        {"expires_ms": 1},
        {"revoked_ms": 1},
        {"networks": ("10.0.0.0/8",)},
        {"app": "gone"},
    ]
    states.append({"secret_hash": hash_secret("other")})
    for state in states:
        error = refused(bearer(KEY), **state)
        for shown in (error.message, error.detail, repr(error), str(error)):
            assert secret[:6] not in shown
            assert KEY.text not in shown
        assert error.__context__ is None or secret[:6] not in repr(error.__context__)
