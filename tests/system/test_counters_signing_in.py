"""Gateways and the server of their counters: certificates, users and passwords."""

import contextlib
import ipaddress
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio.connection import AbstractConnection

from gptgate.compose import App
from gptgate.config.problem import ConfigError
from gptgate.core.errors import CountersUnavailable
from gptgate.shared.link import JOIN, Link, _hear_out
from gptgate.telemetry.log import LineWriter
from harness import CONFIG, free_port, running_gateway, write_config
from raw_client import CHAT, RawClient, post, prompt
from shared_parts import PROGRAM, WITHOUT, Server, ready, spec_of
from waiting import eventually

GUIDE = Path(__file__).parents[2] / "docs/how-to/run-with-valkey.md"
RIGHTS = (
    "on >right {pattern} +info +select +hello +evalsha +script|load +time "
    "+hget +hset +hdel +hmget +hgetall +hkeys +hexists +hincrby +get +set +exists +del +pexpire "
    "+sadd +smembers +sdiff"
)
"""As docs/how-to/run-with-valkey.md has it."""
NO_TLS = "the server was built without TLS"


class Authority(NamedTuple):
    """Who signs certificates: its own, in a file, and those of a server at 127.0.0.1 and of a gateway, with their
    keys. `both` is the gateway's certificate with its key."""

    ca: Path
    certificate: Path
    key: Path
    gateway: Path
    gateway_key: Path
    both: Path


def authority(folder: Path) -> Authority:
    """One of its own, whom no system trusts."""
    folder.mkdir()
    names = ("ca.pem", "server.pem", "server.key", "gateway.pem", "gateway.key", "both.pem")
    made = Authority(*[folder / name for name in names])
    own, theirs, ours = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    signed = ((own, "authority", made.ca), (theirs, "server", made.certificate), (ours, "gateway", made.gateway))
    for key, name, file in signed:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=key is own, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        )
        file.write_bytes(builder.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    for key, file in ((theirs, made.key), (ours, made.gateway_key)):
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    made.both.write_bytes(made.gateway.read_bytes() + made.gateway_key.read_bytes())
    return made


def lock_with_password(key: Path, locked: Path) -> None:
    lock = serialization.BestAvailableEncryption(b"a password")
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    locked.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))


def linked(server: Server, known: Authority, certificate: Path, key: Path | None = None) -> Link:
    """What joins a gateway that shows this certificate."""
    files = {"ca": str(known.ca), "cert": str(certificate), "key": str(key or "")}
    return Link(msgspec.structs.replace(spec_of(server, timeout_ms=20_000), **files), "")


def has_tls() -> bool:
    """Whether the server there is can speak TLS: one that cannot does not know its settings."""
    said = subprocess.run([str(PROGRAM), "--tls-port", "0", "--port", "x"], capture_output=True, check=False, text=True)
    return "tls-port" not in said.stderr + said.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def known(folder: Path) -> Authority:
    return authority(folder / "known")


@pytest.fixture(scope="module")
def encrypted(known: Authority) -> Iterator[Server]:
    """A server that speaks TLS."""
    yield from speaking_tls(known, "no")


@pytest.fixture(scope="module")
def asking(known: Authority) -> Iterator[Server]:
    """A server that speaks TLS, with those who show a certificate of its authority."""
    yield from speaking_tls(known, "yes")


def speaking_tls(known: Authority, asks: str) -> Iterator[Server]:
    if PROGRAM is None:
        pytest.skip(WITHOUT)
    if not has_tls():
        pytest.skip(NO_TLS)
    port = free_port()
    files = ("--tls-cert-file", str(known.certificate), "--tls-key-file", str(known.key))
    options = ("--tls-port", str(port), *files, "--tls-ca-cert-file", str(known.ca), "--tls-auth-clients", asks)
    server = Server(*options)
    server.url = f"rediss://127.0.0.1:{port}/0"
    yield server
    server.stop()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server that has a user `gptgate`, with the rights that the guide gives, and one who lacks one of them."""
    if PROGRAM is None:
        pytest.skip(WITHOUT)
    rights = RIGHTS.format(pattern="~{gptgate}:*").split()
    server = Server("--user", "gptgate", *rights, "--user", "weak", *rights, "-evalsha")
    yield server
    server.stop()


def config(url: str, *more: str) -> str:
    return f"{CONFIG}counters: {{{', '.join([f'url: {url!r}', 'timeout: 20s', *more])}}}\n"


async def counts(folder: Path, text: str) -> None:
    """A gateway with this configuration asks the counters, and is answered."""
    async with running_gateway(folder, text) as gateway:
        await ready(gateway)
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("echo: hello", stream=False)))
        status, _, _ = await client.answer()
        await client.close()
        assert status == 200
        await gateway.settled()


async def refused(folder: Path, text: str) -> str:
    """Why a gateway with this configuration does not start."""
    path = write_config(folder, text, simulator="http://127.0.0.1:1")
    with pytest.raises(ConfigError) as caught:
        await App.open(folder, path, lines=LineWriter(BytesIO()))
    (problem,) = caught.value.problems
    assert problem.hint
    return f"{problem.message} / {problem.hint}"


async def test_a_connection_is_encrypted_where_the_server_s_certificate_is_signed_by_one_that_is_trusted(
    tmp_path: Path, encrypted: Server, known: Authority
) -> None:
    await counts(tmp_path, config(encrypted.url, f"ca: {known.ca}"))


async def test_a_certificate_of_another_authority_is_refused_at_the_start(
    tmp_path: Path, encrypted: Server, folder: Path
) -> None:
    other = authority(folder / "other")
    for name, text in (("other", config(encrypted.url, f"ca: {other.ca}")), ("none", config(encrypted.url))):
        said = await refused(tmp_path / name, text)
        assert "certificate verify failed" in said
        assert "counters.ca" in said


async def test_a_certificate_for_another_name_is_refused_at_the_start(
    tmp_path: Path, encrypted: Server, known: Authority
) -> None:
    said = await refused(tmp_path, config(encrypted.url.replace("127.0.0.1", "localhost"), f"ca: {known.ca}"))
    assert "not valid for 'localhost'" in said
    assert "counters.url" in said


@pytest.mark.parametrize("apart", [True, False], ids=["two files", "one file"])
async def test_a_server_that_asks_for_a_certificate_is_shown_the_gateways(
    tmp_path: Path, asking: Server, known: Authority, apart: bool
) -> None:
    shown = [f"cert: {known.gateway}", f"key: {known.gateway_key}"] if apart else [f"cert: {known.both}"]
    await counts(tmp_path, config(asking.url, f"ca: {known.ca}", *shown))


async def test_a_gateway_that_has_none_to_show_or_the_wrong_one_is_refused_at_the_start(
    tmp_path: Path, asking: Server, known: Authority, folder: Path
) -> None:
    stranger = authority(folder / "stranger")
    for name, more in (("none", []), ("stranger", [f"cert: {stranger.both}"])):
        said = await refused(tmp_path / name, config(asking.url, f"ca: {known.ca}", *more))
        assert "counters.cert must name" in said, name


async def test_a_certificate_that_cannot_be_shown_is_refused_at_the_start(tmp_path: Path, known: Authority) -> None:
    locked = tmp_path / "locked.key"
    lock_with_password(known.gateway_key, locked)
    files = {
        "none": [f"cert: {tmp_path}/none"],
        "no key": [f"cert: {known.gateway}"],
        "of another": [f"cert: {known.gateway}", f"key: {known.key}"],
        "locked": [f"cert: {known.gateway}", f"key: {locked}"],
    }
    for name, more in files.items():
        said = await refused(tmp_path / name.replace(" ", "-"), config("rediss://127.0.0.1:1", *more))
        assert "cannot use the certificate and the key in" in said, name


async def test_a_key_that_is_renewed_with_a_password_is_an_error_and_asks_nobody_for_it(
    tmp_path: Path, asking: Server, known: Authority
) -> None:
    shown = Path(shutil.copy(known.gateway_key, tmp_path))
    link = linked(asking, known, known.gateway, shown)
    try:
        await link.meet()
        lock_with_password(known.gateway_key, shown)
        with pytest.raises(CountersUnavailable) as refused:
            await link.meet()
        assert str(shown) in refused.value.detail
        assert "without a password" in refused.value.hint
        shutil.copy(known.gateway_key, shown)
        await link.meet()
    finally:
        await link.close()


async def test_a_certificate_that_is_renewed_is_shown_from_the_next_connection_on(
    tmp_path: Path, asking: Server, known: Authority, folder: Path
) -> None:
    shown = Path(shutil.copy(known.both, tmp_path))
    link = linked(asking, known, shown)
    ask: dict[str, object] = {"step": "beat", "epoch": "none"}
    try:
        await link.meet()
        assert await link.call(JOIN, ["a"] * 6, ask) == ["lost"]
        shutil.copy(authority(folder / "renewed").both, shown)
        with pytest.raises(CountersUnavailable) as refused:
            await link.meet()
        assert "counters.cert must name" in refused.value.hint
        shutil.copy(known.both, shown)
        await link.meet()
        assert await link.call(JOIN, ["a"] * 6, ask) == ["lost"]
    finally:
        await link.close()


async def test_only_a_server_that_could_not_be_met_is_waited_for_to_say_why(
    asking: Server, known: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = 0

    async def hear_out(connection: AbstractConnection) -> None:
        nonlocal waits
        waits += 1
        await _hear_out(connection)

    monkeypatch.setattr("gptgate.shared.link._hear_out", hear_out)
    for shown, expected in ((known.both, 0), (authority(folder / "nobody").both, 1)):
        link = linked(asking, known, shown)
        with contextlib.suppress(CountersUnavailable):
            await link.meet()
            await link.call(JOIN, ["a"] * 6, {"step": "beat", "epoch": "none"})
            await link.meet()
        await link.close()
        assert waits == expected


async def test_a_file_that_holds_no_certificates_is_refused_at_the_start(tmp_path: Path, known: Authority) -> None:
    for file in (known.key, tmp_path / "none"):
        said = await refused(tmp_path / file.name, config("rediss://127.0.0.1:1", f"ca: {file}"))
        assert f"cannot read certificates from {file}" in said


async def test_a_user_with_the_rights_of_the_guide_can_do_all_that_is_needed(
    tmp_path: Path, guarded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERS_PASSWORD", "right")
    await counts(tmp_path, config(guarded.url, "user: gptgate", "credential: env:COUNTERS_PASSWORD"))
    assert RIGHTS.format(pattern="~{gptgate}:*").replace(">right", ">PASSWORD") in " ".join(GUIDE.read_text().split())


@pytest.mark.parametrize("user", ["gptgate", "nobody"])
async def test_a_wrong_password_is_refused_at_the_start(
    tmp_path: Path, guarded: Server, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    monkeypatch.setenv("COUNTERS_PASSWORD", "wrong")
    said = await refused(tmp_path, config(guarded.url, f"user: {user}", "credential: env:COUNTERS_PASSWORD"))
    assert said == (
        "AuthenticationError: invalid username-password pair or user is disabled. / "
        "counters.user and counters.credential must be those that the server knows"
    )


async def test_a_password_that_is_missing_is_refused_at_the_start(tmp_path: Path) -> None:
    if PROGRAM is None:
        pytest.skip(WITHOUT)
    server = Server("--user", "default", "off")
    try:
        assert "counters.credential" in await refused(tmp_path, config(server.url))
    finally:
        server.stop()


async def test_a_right_that_is_missing_is_what_the_gateway_waits_for(
    tmp_path: Path, guarded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERS_PASSWORD", "right")
    text = config(guarded.url, "user: weak", "credential: env:COUNTERS_PASSWORD")
    async with running_gateway(tmp_path, text) as gateway:
        await eventually(lambda: "evalsha" in "".join(gateway.app.readiness()))
        assert "give counters.user the rights that the guide names" in gateway.app.readiness()[0]


async def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config(f"redis://127.0.0.1:{free_port()}/0")) as gateway:
        await eventually(lambda: "cannot be asked: ConnectionError" in "".join(gateway.app.readiness()))
