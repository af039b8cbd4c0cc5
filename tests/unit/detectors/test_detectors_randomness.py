import pytest

from gptgate.detectors.randomness import entropy, is_password, is_placeholder, is_random, is_varied


def test_entropy_counts_in_64ths_of_a_bit() -> None:
    assert entropy(b"") == entropy(b"aaaa") == 0
    assert entropy(b"ab") == 64
    assert entropy(bytes(range(256))) == 8 * 64
    assert 63 * 3 < entropy(b"7d4e1f09b3a865c2") <= 4 * 64


@pytest.mark.parametrize(
    "value", [b"xxxxxxxxxxxx", b"000000000", b"abcdefghijkl", b"CHANGEME1", b"your_key_here", b"12345678", b"..."]
)
def test_placeholders(value: bytes) -> None:
    assert is_placeholder(value)
    assert not is_random(value)
    assert not is_password(value)


@pytest.mark.parametrize("value", [b"aB3dE5gH7jK9mN1p", b"7d4e1f09b3a865c2", b"Lj2^5O%xi214"])
def test_what_a_machine_drew(value: bytes) -> None:
    assert is_random(value)
    assert not is_placeholder(value)


@pytest.mark.parametrize(
    "value", [b"claude-3-opus-20240229", b"internationalization", b"my-service-account-2", b"2024-01-01T00:00:00Z"]
)
def test_what_a_person_wrote(value: bytes) -> None:
    assert not is_random(value)


def test_a_token_is_judged_by_its_end() -> None:
    assert is_varied(b"prefix_aB3dE5gH7jK9mN1p")
    assert not is_varied(b"prefix_XXXXXXXXXXXXXXXX")
