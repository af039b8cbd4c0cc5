"""The section `audit`: what it becomes, and what is refused when it is loaded."""

import pytest

from gptgate.audit.signing import Signer
from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.core.beside import WitnessKind, WitnessSpec
from gptgate.core.snapshot import SecretRef
from gptgate_verify.note import COSIGNATURE

WITNESS = Signer("witness.example/w", b"\x09" * 32, COSIGNATURE).key
LOG = Signer("log.example/one", b"\x07" * 32).key


def load(*witnesses: str) -> tuple[WitnessSpec, ...]:
    items = "".join(f"    - {{{one}}}\n" for one in witnesses)
    return load_text(f"version: 1\naudit:\n  witnesses:\n{items}", "f.yaml", ()).witnesses


def test_a_witness_becomes_its_spec_whatever_the_order() -> None:
    second = f'name: second, kind: tlog, url: "https://W.example:8082/audit/v1", key: "{WITNESS}", timeout: 3s'
    first = "name: copies, kind: file, path: /mnt/archive, every: 1h"
    hook = 'name: hook, kind: webhook, url: "http://127.0.0.1:9/in/v1/", credential: "env:S"'
    found = load(second, hook, first)
    assert [one.name for one in found] == ["copies", "hook", "second"]
    assert found[0] == WitnessSpec(
        name="copies",
        kind=WitnessKind.FILE,
        path="/mnt/archive",
        url="",
        key="",
        credential=None,
        every_ms=3_600_000,
        timeout_ms=10_000,
    )
    assert (found[1].url, found[1].credential) == ("http://127.0.0.1:9/in/v1/", SecretRef("env", "S"))
    assert (found[2].url, found[2].key, found[2].timeout_ms) == ("https://w.example:8082/audit/v1", str(WITNESS), 3000)
    assert load(first, hook, second) == found


@pytest.mark.parametrize(
    ("witness", "problem"),
    [
        ("name: a, kind: file", "path: is missing: file needs it"),
        ("name: a, kind: file, path: relative", "is not an absolute path"),
        ('name: a, kind: file, path: /a, url: "http://a"', "url: has no effect: file has none"),
        ('name: a, kind: webhook, url: "http://a"', "credential: is missing: webhook needs it"),
        ('name: a, kind: webhook, url: "ftp://a", credential: "env:S"', "must begin with http"),
        ('name: a, kind: tlog, url: "http://a"', "key: is missing: tlog needs it"),
        ('name: a, kind: tlog, url: "http://a", key: nonsense', "is not the public key"),
        (f'name: a, kind: tlog, url: "http://a", key: "{LOG}"', "is the key of a log"),
        ("name: a, kind: file, path: /a, every: 1ms", "is not between"),
        ("name: a, kind: pigeon", "is not one of: file, webhook, tlog"),
    ],
)
def test_what_a_witness_lacks_or_cannot_use_is_refused(witness: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(witness)
    assert problem in str(caught.value)
