"""The form of API keys."""

import hashlib
import zlib
from collections.abc import Callable

import pytest

from gptgate.auth.keys import RANDOM_BYTES, generate, hash_secret, parse

RANDOM = bytes(range(48))


def test_a_generated_key_has_the_documented_form() -> None:
    key = generate(RANDOM)
    head, checksum = key.text.rsplit("-", 1)
    prefix, id, secret = head.rsplit("-", 2)
    assert (prefix, id) == ("sk-gate", key.id)
    assert len(id) == 12
    assert set(id) <= set("abcdefghijklmnopqrstuvwxyz0123456789")
    assert len(secret) == 43
    assert secret.isalnum()
    assert secret.isascii()
    assert len(checksum) == 6
    assert key.secret_hash == hashlib.sha256(secret.encode()).digest()


def test_the_checksum_is_the_crc32_of_all_before_it_in_base_62() -> None:
    head, checksum = generate(RANDOM).text.rsplit("-", 1)
    value = 0
    for digit in checksum:
        value = value * 62 + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".index(digit)
    assert value == zlib.crc32(head.encode())


def test_what_was_generated_is_parsed() -> None:
    key = generate(RANDOM)
    parsed = parse(key.text)
    assert parsed is not None
    assert parsed.id == key.id
    assert hash_secret(parsed.secret) == key.secret_hash


def test_all_256_bits_go_into_the_secret() -> None:
    secrets = {generate(bytes(16) + bits.to_bytes(32, "big")).text for bits in (0, 1, 2**255, 2**256 - 1)}
    assert len(secrets) == 4
    assert all(parse(text) is not None for text in secrets)


def test_id_and_secret_come_from_different_bytes() -> None:
    first, second = generate(bytes(16) + b"s" * 32), generate(b"i" * 16 + b"s" * 32)
    assert first.id != second.id
    assert first.secret_hash == second.secret_hash


def test_too_little_randomness_makes_no_key() -> None:
    with pytest.raises(ValueError, match="random"):
        generate(bytes(RANDOM_BYTES - 1))


def test_every_changed_character_is_noticed() -> None:
    text = generate(RANDOM).text
    for position, old in enumerate(text):
        for new in "0aA-":
            if new != old:
                assert parse(text[:position] + new + text[position + 1 :]) is None


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "0", lambda t: t + "\n", lambda t: " " + t, str.upper, lambda _: ""]
)
def test_any_other_length_or_case_is_no_key(change: Callable[[str], str]) -> None:
    assert parse(change(generate(RANDOM).text)) is None


def test_digits_of_other_scripts_are_no_key() -> None:
    text = generate(RANDOM).text
    assert parse(text[:8] + "٣" * 12 + text[20:]) is None


def test_neither_key_nor_secret_is_shown_by_repr() -> None:
    key = generate(RANDOM)
    parsed = parse(key.text)
    assert parsed is not None
    for shown in (repr(key), str(key), repr(parsed), f"{parsed}"):
        assert parsed.secret not in shown
        assert parsed.secret[:8] not in shown
        assert repr(key.secret_hash) not in shown
        assert key.id in shown
