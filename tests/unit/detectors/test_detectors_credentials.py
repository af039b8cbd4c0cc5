import base64

import pytest

from detector_parts import Find
from secret_samples import UUID, hexes, mixed

PASSWORD = "Tr0ub4dor&3x"
PAIR = base64.b64encode(b"alice:" + b"s3cr" + b"et-9Q7z").decode()


@pytest.mark.parametrize(
    ("kind", "before", "secret", "after"),
    [
        ("generic_assignment", 'api_key = "', mixed(32), '"'),
        ("generic_assignment", "API_TOKEN=", UUID, "\n"),
        ("generic_assignment", '{"client_secret" : "', hexes(64), '"}'),
        ("generic_assignment", '{\\"apiKey\\": \\"', mixed(24), '\\"}'),
        ("generic_assignment", 'getenv("ACCESS_TOKEN", "', hexes(40), '")'),
        ("generic_assignment", "-H 'X-Octopus-ApiKey: ", UUID, "'"),
        ("generic_assignment", "<secret>", mixed(24), "</secret>"),
        ("generic_assignment", "the access token is ", mixed(24), " for now"),
        ("password", 'password = "', PASSWORD, '"'),
        ("password", "DB_PASSWORD=", PASSWORD, "\n"),
        ("password", "Server=db;User Id=sa;Password=", PASSWORD, ";"),
        ("password", '<add key="Password" value="', PASSWORD, '" />'),
        ("password", "passphrase: '", PASSWORD, "'"),
        ("password", "pw: ", PASSWORD, "\n"),
        ("authorization", "Authorization: Splunk ", UUID, "\n"),
        ("authorization", "Authorization: Bearer ", mixed(40), "\n"),
        ("authorization", '"Authorization": "Token ', hexes(40), '"'),
        ("authorization", "use bearer ", mixed(40), ", please"),
        ("basic_auth", "Authorization: Basic ", PAIR, "'"),
        ("basic_auth", "curl -u ", "elastic:" + PASSWORD, " https://host"),
        ("basic_auth", "curl --user '", "api:" + mixed(20), "' https://host"),
        ("url_password", "https://alice:", "d3adb33f", "@host.test/path"),
        ("connection_string", "postgresql+psycopg://app:", PASSWORD.replace("&", "!"), "@db:5432/app"),
        ("connection_string", "mongodb+srv://app:", mixed(16), "@cluster0.mongodb.net"),
        ("connection_string", "redis://:", mixed(16), "@cache:6379"),
        ("connection_string", "mysql://root:", "hunter" + "2", "@host"),
        ("connection_string", "amqp://app:", "ab12", "@queue.test"),
        ("url_password", "ftp://ann:", "abc123", "@files.test"),
        ("url_password", "smtp://ann@mail.test:", "pa55", "@mail.test:587"),
        ("url_password", "https://ann:", "p@ss7word", "@host.test/"),
    ],
)
def test_credentials_are_found_without_their_names(find: Find, kind: str, before: str, secret: str, after: str) -> None:
    assert (f"secret.{kind}", secret) in find(before + secret + after)


@pytest.mark.parametrize(
    "text",
    [
        'password = "changeme"',
        'password: "<your password>"',
        "password: ${DB_PASSWORD}",
        "password = os.environ['PASSWORD1']",
        "password = config2.password(1)",
        "Your password must have 8 characters.",
        "password: xxxxxxxx1",
        "passwd=abcdefgh12345678",
        "api_key = YOUR_API_KEY_1234567890",
        "api_key: your-api-key-goes-here-1",
        'token = "xxxxxxxxxxxxxxxxxxxxxxxx"',
        "token: claude-3-opus-20240229",
        "secret: projects/my-project-2024/secrets/name",
        "max_tokens: 4096, tokens: 1234567890123456",
        "key = 2024-01-01T00:00:00Z",
        "access_key_path: /etc/ssl/private/server2048.pem",
        "auth: https://login.example.org/oauth2/v2.0/authorize",
        "Authorization: Bearer <token>",
        "Authorization: Bearer $TOKEN",
        "Authorization: Basic ...",
        "basic understanding of basic mathematics",
        "bearer of good news and internationalisation",
        "docker run -u 1000:1000 image",
        "curl -u user:password https://host",
        "rsync -u host:/var/www/html .",
        "https://user:password@host/ http://host:8080/@scope",
        "postgres://postgres:postgres@localhost/db",
        "see https://host:443/a@b",
    ],
)
def test_placeholders_and_prose_are_not(find: Find, text: str) -> None:
    assert [kind for kind, _ in find(text) if kind.startswith("secret.")] == []


def test_what_has_a_form_of_its_own_is_reported_as_that(find: Find) -> None:
    token = "ghp_" + mixed(36)
    assert find(f"api_key = {token}") == [("secret.github", token)]


@pytest.mark.parametrize("link", ["mongodb://<user>:<password>@cluster0.mongodb.net/test", "ftp://<password>@a1.test"])
def test_a_host_behind_the_word_is_no_password(find: Find, link: str) -> None:
    assert find(link) == []


def test_a_commit_beside_an_id_is_no_key(find: Find) -> None:
    name = "AKIA" + "J2ZQ4XKP7M3VT6WB"
    assert find(f"{name} was rotated in 3f786850e387550fdab836ed7e6dc881de23001b") == [("secret.aws_access_key", name)]


@pytest.mark.parametrize("password", ["Xk9&vQ2m", "Xk9#vQ2m"])
@pytest.mark.parametrize("link", ["https://u:{}@h.test", "https:\\/\\/u:{}@h", "postgres:\\/\\/u:{}@h"])
def test_passwords_in_links_as_people_write_them(find: Find, link: str, password: str) -> None:
    assert password in [text for kind, text in find(link.format(password)) if kind.startswith("secret.")]
