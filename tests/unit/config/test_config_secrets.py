"""References are followed; what is wrong is said by the reference, never by the value."""

import os
from pathlib import Path

import pytest

from gptgate.config.problem import ConfigError
from gptgate.config.secrets import MAX_SECRET_BYTES, resolve
from gptgate.core.snapshot import SecretRef

CANARY = "sk-canary-secret-1234567890"


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTGATE_TEST_KEY", CANARY)
    assert resolve(SecretRef("env", "GPTGATE_TEST_KEY")) == CANARY


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_file_without_its_line_ending(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "key"
    path.write_bytes((CANARY + ending).encode())
    assert resolve(SecretRef("file", str(path))) == CANARY


def test_what_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GPTGATE_TEST_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"env:GPTGATE_TEST_KEY: the environment variable is not set"):
        resolve(SecretRef("env", "GPTGATE_TEST_KEY"))
    with pytest.raises(ConfigError, match=r"file:.*absent: the file cannot be read: No such file"):
        resolve(SecretRef("file", str(tmp_path / "absent")))
    with pytest.raises(ConfigError, match=r"vault:x: is neither env: nor file:"):
        resolve(SecretRef("vault", "x"))


@pytest.mark.parametrize(
    "value", ["", "\n", "  ", f"{CANARY}\nx-admin: 1", f"{CANARY}\r\n\r\n", f"{CANARY}\x7f", f"{CANARY}é", "a\tb"]
)
def test_what_cannot_be_a_header_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    path = tmp_path / "key"
    path.write_text(value, encoding="utf-8", newline="")
    monkeypatch.setenv("GPTGATE_TEST_KEY", value)
    for ref in (SecretRef("file", str(path)), SecretRef("env", "GPTGATE_TEST_KEY")):
        with pytest.raises(ConfigError) as caught:
            resolve(ref)
        assert str(ref) in str(caught.value)
        assert "canary" not in str(caught.value)


def test_a_pipe_is_no_secret_and_nobody_waits_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    with pytest.raises(ConfigError, match="the file cannot be read: it is not a regular file"):
        resolve(SecretRef("file", str(tmp_path / "key")))


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"a" * (MAX_SECRET_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        resolve(SecretRef("file", str(path)))
