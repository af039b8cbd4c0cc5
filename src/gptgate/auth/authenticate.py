"""Step 1: an API key → who calls."""

import hmac
from collections.abc import Mapping

from gptgate.auth.keys import PREFIX, hash_secret, parse
from gptgate.auth.networks import address_in
from gptgate.core.errors import AddressNotAllowed, InvalidKey, KeyExpired, KeyRevoked, MissingKey
from gptgate.core.facts import Principal
from gptgate.core.keys import KeyRecord
from gptgate.core.ports import KeyDirectory
from gptgate.core.snapshot import AppSpec

_NO_HASH = bytes(32)
"""Compared with when there is no such key, so that an unknown id takes as long as a wrong secret."""

_INVALID = f"the API key is not valid; this gateway takes keys of its own, which begin with '{PREFIX}'"


class KeyAuthenticator:
    """Implements `Authenticator` with the gateway's own keys. Looks only at memory."""

    def __init__(self, directory: KeyDirectory, apps: Mapping[str, AppSpec]) -> None:
        """`apps` are those of the configuration in force; a new configuration takes a new authenticator."""
        self._directory = directory
        self._apps = apps

    def authenticate(self, headers: Mapping[str, str], peer: str, now_ms: int) -> Principal:
        """Who presents this key, in ``authorization: Bearer`` or ``x-api-key``, from this IP address, now.

        Raises MissingKey; InvalidKey, with one and the same public message whether the key is malformed, unknown, has a
        wrong secret, names an app that is gone, or two different keys were presented; and only to who knows the secret:
        KeyRevoked, KeyExpired, AddressNotAllowed. No error holds any part of what was presented but the public id.
        """
        parsed = parse(_presented(headers))
        if parsed is None:
            raise InvalidKey(_INVALID, detail="malformed, or the checksum does not match")
        record = self._directory.find(parsed.id)
        stored = _NO_HASH if record is None else record.secret_hash
        matches = hmac.compare_digest(hash_secret(parsed.secret), stored)
        if record is None or not matches:
            raise InvalidKey(_INVALID, detail=f"key {parsed.id}: unknown id or wrong secret")
        app = self._apps.get(record.app)
        if app is None:
            raise InvalidKey(_INVALID, detail=f"key {record.id}: no app {record.app!r} in the configuration")
        _check_state(record, peer, now_ms)
        return Principal(team=app.team, app=app, key_id=record.id, models=record.models, endpoints=record.endpoints)


def _presented(headers: Mapping[str, str]) -> str:
    api_key = headers.get("x-api-key", "").strip()
    authorization = headers.get("authorization", "").strip()
    if not authorization:
        if not api_key:
            raise MissingKey("send an API key as 'authorization: Bearer …' or as 'x-api-key'")
        return api_key
    scheme, _, bearer = authorization.partition(" ")
    bearer = bearer.strip()
    if scheme.lower() != "bearer":
        raise InvalidKey(_INVALID, detail="an authorization scheme other than Bearer")
    if api_key and not hmac.compare_digest(api_key.encode(), bearer.encode()):
        raise InvalidKey(_INVALID, detail="two different keys in one request")
    return bearer


def _check_state(record: KeyRecord, peer: str, now_ms: int) -> None:
    if record.revoked_ms and now_ms >= record.revoked_ms:
        raise KeyRevoked("the API key was revoked", detail=f"key {record.id}")
    if record.expires_ms and now_ms >= record.expires_ms:
        raise KeyExpired("the API key has expired", detail=f"key {record.id}")
    if record.networks:
        try:
            allowed = address_in(peer, record.networks)
        except ValueError as error:
            raise AddressNotAllowed(
                "the API key may not be used from this address", detail=f"key {record.id}: {error}"
            ) from None
        if not allowed:
            raise AddressNotAllowed("the API key may not be used from this address", detail=f"key {record.id}: {peer}")
