"""The control plane's answers, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from gptgate.admin.app import ApplyResult, build_admin
from gptgate.config.load import load_text
from gptgate.core.errors import AuditUnavailable

TOKEN = "admin-token-canary-0123456789"
AUTH = {"authorization": f"Bearer {TOKEN}"}
COMMANDS = [("POST", "/admin/v1/config/apply"), ("POST", "/admin/v1/keys/refresh"), ("GET", "/admin/v1/status")]


@dataclass
class Gateway:
    """What the control plane is given, with its calls counted."""

    reasons: list[str] = field(default_factory=list)
    failure: Exception | None = None
    text: str = "version: 1"
    called: list[str] = field(default_factory=list)

    async def apply(self) -> ApplyResult:
        self.called.append("apply")
        if self.failure is not None:
            raise self.failure
        return ApplyResult(load_text(self.text, "gptgate.yaml", ()).digest, True)

    async def refresh(self) -> int:
        self.called.append("refresh")
        return 3

    def status(self) -> dict[str, object]:
        self.called.append("status")
        return {"digest": "d" * 64, "in_flight": 2}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    app = build_admin(
        token=TOKEN,
        readiness=lambda: gateway.reasons,
        metrics=lambda: b"gptgate_requests_total 1.0\n",
        apply_config=gateway.apply,
        refresh_keys=gateway.refresh,
        status=gateway.status,
        hosts=("gate.internal",),
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as made:
        yield made


def problem_of(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:gptgate:problem:{code}")
    assert body["title"]
    assert body["detail"]
    assert TOKEN not in answer.text
    return body


async def test_health(client: httpx2.AsyncClient, gateway: Gateway) -> None:
    assert (await client.get("/livez")).json() == {"live": True}
    assert (await client.get("/readyz")).json() == {"ready": True}
    gateway.reasons = ["the store cannot write", "no key is known"]
    body = problem_of(await client.get("/readyz"), 503, "not_ready")
    assert body["reasons"] == gateway.reasons
    assert (await client.get("/livez")).status_code == 200


async def test_metrics_are_given_out_as_they_are(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.content == b"gptgate_requests_total 1.0\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_commands(client: httpx2.AsyncClient, gateway: Gateway) -> None:
    applied = await client.post("/admin/v1/config/apply", headers=AUTH)
    assert applied.json() == {"digest": load_text("version: 1", "f", ()).digest, "changed": True}
    assert (await client.post("/admin/v1/keys/refresh", headers=AUTH)).json() == {"keys": 3}
    assert (await client.get("/admin/v1/status", headers=AUTH)).json() == {"digest": "d" * 64, "in_flight": 2}
    assert gateway.called == ["apply", "refresh", "status"]


WRONG: list[list[tuple[str, str]]] = [
    [],
    [("authorization", "")],
    [("authorization", "Bearer")],
    [("authorization", "Bearer ")],
    [("authorization", f"Bearer {TOKEN[:-1]}")],
    [("authorization", f"Bearer {TOKEN}x")],
    [("authorization", f"Bearer {TOKEN.upper()}")],
    [("authorization", f"Basic {TOKEN}")],
    [("authorization", TOKEN)],
    [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")],
    [("x-api-key", TOKEN)],
]


@pytest.mark.parametrize(("method", "path"), COMMANDS)
@pytest.mark.parametrize("headers", WRONG)
async def test_commands_need_the_token(
    client: httpx2.AsyncClient, gateway: Gateway, method: str, path: str, headers: list[tuple[str, str]]
) -> None:
    answer = await client.request(method, path, headers=headers)
    problem_of(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert gateway.called == []


async def test_a_token_in_the_query_is_no_token(client: httpx2.AsyncClient, gateway: Gateway) -> None:
    problem_of(await client.get(f"/admin/v1/status?token={TOKEN}&access_token={TOKEN}"), 401, "unauthorized")
    assert gateway.called == []


async def test_the_scheme_is_read_in_any_case(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/admin/v1/status", headers={"authorization": f"bearer {TOKEN}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/metrics"), ("GET", "/readyz"), *COMMANDS])
@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:8081", "null"])
async def test_web_pages_are_refused_everywhere(
    client: httpx2.AsyncClient, gateway: Gateway, method: str, path: str, origin: str
) -> None:
    problem_of(await client.request(method, path, headers=AUTH | {"origin": origin}), 403, "origin_not_allowed")
    assert gateway.called == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/metrics"), *COMMANDS])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8081", "8.8.8.8"])
async def test_rebound_names_are_refused_everywhere(
    client: httpx2.AsyncClient, gateway: Gateway, method: str, path: str, host: str
) -> None:
    problem_of(await client.request(method, path, headers=AUTH | {"host": host}), 403, "host_not_allowed")
    assert gateway.called == []


async def test_the_configured_host_is_accepted(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/livez", headers={"host": "gate.internal:8081"})).status_code == 200


async def test_a_rejected_configuration_says_what_is_wrong(client: httpx2.AsyncClient, gateway: Gateway) -> None:
    gateway.text = "version: 1\nserve: {}\nteams: 3"
    body = problem_of(await client.post("/admin/v1/config/apply", headers=AUTH), 422, "config_invalid")
    assert [(each["line"], each["path"]) for each in body["problems"]] == [(2, ""), (3, "teams")]
    assert body["problems"][0] == {
        "file": "gptgate.yaml",
        "line": 2,
        "path": "",
        "message": 'unknown key "serve"',
        "hint": 'did you mean "server"?',
    }
    assert 'gptgate.yaml:2: unknown key "serve"' in body["detail"]


async def test_errors_of_the_gateway_keep_their_code_and_their_detail(
    client: httpx2.AsyncClient, gateway: Gateway
) -> None:
    gateway.failure = AuditUnavailable("Records cannot be written.", detail="private detail")
    answer = await client.post("/admin/v1/config/apply", headers=AUTH)
    assert problem_of(answer, 503, "audit_unavailable")["detail"] == "Records cannot be written."
    assert "private" not in answer.text


async def test_a_defect_says_nothing_but_that(client: httpx2.AsyncClient, gateway: Gateway) -> None:
    gateway.failure = RuntimeError("private detail")
    answer = await client.post("/admin/v1/config/apply", headers=AUTH)
    problem_of(answer, 500, "internal_error")
    assert "private" not in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/metrics/", "/admin", "/admin/v1/status/", "/v1/chat/completions", "//x"]
)
async def test_there_is_nothing_else(client: httpx2.AsyncClient, path: str) -> None:
    problem_of(await client.get("http://127.0.0.1:8081" + path, headers=AUTH), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/admin/v1/config/apply"), ("POST", "/metrics"), ("DELETE", "/admin/v1/status"), ("PUT", "/livez")],
)
async def test_a_path_takes_its_own_method_only(
    client: httpx2.AsyncClient, gateway: Gateway, method: str, path: str
) -> None:
    answer = await client.request(method, path, headers=AUTH)
    problem_of(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]
    assert gateway.called == []


@pytest.mark.parametrize("token", ["", "short", "x" * 15])
def test_a_guessable_token_is_refused(token: str) -> None:
    gateway = Gateway()
    with pytest.raises(ValueError, match="16 characters"):
        build_admin(
            token=token,
            readiness=list,
            metrics=bytes,
            apply_config=gateway.apply,
            refresh_keys=gateway.refresh,
            status=gateway.status,
        )
