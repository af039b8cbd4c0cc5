"""Secrets in the files and command lines of programs."""

import pytest

from detector_parts import Find
from secret_samples import hexes, mixed

PASSWORD = "Wq7kLm2pXz"
KEY = hexes(32)


def text_of(find: Find, text: str) -> list[str]:
    return [found for kind, found in find(text) if kind.startswith("secret.")]


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ntype: Opaque\ndata:\n  {}\n",
        "apiVersion: v1\nkind: Secret\ndata:\n  {}",
        "apiVersion: 'v1'\nkind: 'Secret'\nstringData:\n    {}\n---\nkind: ConfigMap\n",
        "apiVersion: v1\r\ndata:\r\n  {}\r\nkind: Secret\r\nmetadata:\r\n  name: a\r\n",
        " data:\n \t{}\n kind: secret\n",
    ],
)
@pytest.mark.parametrize(
    "data",
    [
        "password: UXprbHdmcnRt",
        'key: "YWRtaW46cGFzc3dvcmQ="',
        ".dockercfg: |\n    eyJhdXRocyI6eyJodHRwczovL2V4",
        f"other: x\n  password: {PASSWORD}",
    ],
)
def test_the_data_of_a_secret_is_found_whole(find: Find, text: str, data: str) -> None:
    found = [one for kind, one in find(text.format(data)) if kind == "secret.manifest"]
    assert len(found) == 1
    assert data.strip('"') in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\ndata:\n  password: UXprbHdmcnRt\n",
        "kind: Secret\nmetadata:\n  name: a\ndata:\n  password: {{ .Values.password | b64enc }}\n",
        "kind: Secret\nmetadata:\n  name: a\n---\nkind: ConfigMap\ndata:\n  size: UXprbHdmcnRt\n",
        "the kind: secret of data: that nobody has",
    ],
)
def test_other_manifests_hold_no_secret(find: Find, text: str) -> None:
    assert text_of(find, text) == []


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("machine api.corp\n  login ann\n  password Qzklwfrt", "Qzklwfrt"),
        (f"db.corp:5432:orders:svc:{PASSWORD}", PASSWORD),
        ("//npm.corp/repo/:_password=UXprbHdmcnRt", "UXprbHdmcnRt"),
        (f"requirepass {PASSWORD}", PASSWORD),
        (f'  psk="{PASSWORD}"', PASSWORD),
        ("jdbc:oracle:thin:scott/tigerWq7@db.corp:1521:xe", "tigerWq7"),
        (f"sshpass -p '{PASSWORD}' ssh host", PASSWORD),
        (f"docker login -u ann -p {PASSWORD} registry.corp", PASSWORD),
        (f"mysql -u root -p{PASSWORD} shop", PASSWORD),
        (f"redis-cli -h db -a {PASSWORD} ping", PASSWORD),
        (f"net user ann {PASSWORD} /add", PASSWORD),
        (f"tool --db-password {PASSWORD}", PASSWORD),
        (f"setx DB_PASSWORD {PASSWORD}", PASSWORD),
        (f"CREATE USER a IDENTIFIED BY '{PASSWORD}';", PASSWORD),
        (f"ALTER ROLE a WITH PASSWORD '{PASSWORD}';", PASSWORD),
        (f"echo '{PASSWORD}' | docker login -u ann --password-stdin", PASSWORD),
        (f"tool --api-key {KEY} run", KEY),
        (f"ENV API_KEY {KEY}", KEY),
        ("root:$apr1$eWv8gO1k$3xQ7hZkWQv7vTnJ1d8y1k0", "$apr1$eWv8gO1k$3xQ7hZkWQv7vTnJ1d8y1k0"),
        (f"$2b$12${mixed(53)}", f"$2b$12${mixed(53)}"),
        (f"$6$rounds=5000$saltsalt${mixed(86)}", f"$6$rounds=5000$saltsalt${mixed(86)}"),
        ("SECRET_KEY = 'django-insecure-x7k$2m!q@9v#p4w&z8r^t1y*u6i'", "django-insecure-x7k$2m!q@9v#p4w&z8r^t1y*u6i"),
        ("define('AUTH_KEY',  'x7k$2m!q@9v#p4w& z8r^t1y*u6i(o)p[a]');", "x7k$2m!q@9v#p4w& z8r^t1y*u6i(o)p[a]"),
    ],
)
def test_what_programs_keep_and_take_is_found(find: Find, text: str, secret: str) -> None:
    assert secret in text_of(find, text)


@pytest.mark.parametrize(
    "text",
    [
        "machine api.corp login ann password <password>",
        "10:20:30 12:3456:78:90:later",
        "docker login -u ann -p $PASSWORD registry.corp",
        "mysql -u root -p shop",
        "tool --password your-password-here",
        "tool --password PASSWORD --token TOKEN",
        "CREATE USER a IDENTIFIED BY 'password';",
        "echo $PASSWORD | docker login --password-stdin",
        "setx PATH C:/tools/bin2",
        "ENV CACHE_KEY v1",
        "requirepass foobared",
    ],
)
def test_references_and_fillers_are_not(find: Find, text: str) -> None:
    assert text_of(find, text) == []


@pytest.mark.parametrize(
    "word", ["Passwort", "Kennwort", "mot de passe", "contraseña", "senha", "hasło", "пароль", "密码"]
)
def test_passwords_beside_words_of_other_languages_are_found(find: Find, word: str) -> None:
    assert find(f"{word}: {PASSWORD}") == [("secret.password", PASSWORD)]


@pytest.mark.parametrize("password", ["SunFlowerField", "Tr!ckyPhrase", "TestSource-Passcode", "left%Behind"])
@pytest.mark.parametrize("frame", ['password = "{}"', '<add key="ClearTextPassword" value="{}" />', "pwd: '{}'"])
def test_quoted_passwords_need_no_digits(find: Find, frame: str, password: str) -> None:
    assert find(frame.format(password)) == [("secret.password", password)]


@pytest.mark.parametrize("value", ["string", "required", "%PASSWORD%", "ann@mail.example", "somewords", "Password"])
def test_quoted_words_are_no_passwords(find: Find, value: str) -> None:
    assert "secret.password" not in dict(find(f'password: "{value}"'))


def test_a_key_inside_a_call_is_found(find: Find) -> None:
    assert text_of(find, f'const encryptionKey = Buffer.from("{KEY}", "hex")') == [KEY]


def test_a_key_of_putty_is_found_whole(find: Find) -> None:
    lines = f"{mixed(64)}\n{mixed(64)}"
    key = (
        f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 1\n{mixed(64)}\nPrivate-Lines: 2\n{lines}"
    )
    assert ("secret.private_key", key) in find(f"{key}\n\nend")


def test_a_key_for_the_environment_is_found_wherever_it_stands(find: Find) -> None:
    for before in range(0, 60, 7):
        text = "x " * before + "setx KEY %QfqhE^RzmL61k (then restart the shell)"
        assert text_of(find, text) == ["%QfqhE^RzmL61k"], before
