"""The control plane's ASGI app. It knows callables, not the gateway's parts: the composition root hands them in."""

from collections.abc import Awaitable, Callable, Collection

from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gptgate.admin.guard import HostGuard, TokenCheck
from gptgate.admin.problem import HEADERS, json_response, problem
from gptgate.config.problem import ConfigError
from gptgate.core.errors import GateError

METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Handler = Callable[[Request], Awaitable[Response]]


class ApplyResult(Struct, frozen=True):
    """What came of applying the configuration file. `changed` is false when the digest is the one already in use."""

    digest: str
    changed: bool


def build_admin(
    *,
    token: str,
    readiness: Callable[[], list[str]],
    metrics: Callable[[], bytes],
    apply_config: Callable[[], Awaitable[ApplyResult]],
    refresh_keys: Callable[[], Awaitable[int]],
    status: Callable[[], dict[str, object]],
    hosts: Collection[str] = (),
) -> ASGIApp:
    """The control plane over what the gateway can tell and do.

    Open to whoever reaches the listener: ``GET /livez``, ``GET /readyz`` (503 with the reasons that `readiness` gives,
    200 when there are none), ``GET /metrics`` (what `metrics` gives: Prometheus text 0.0.4). With the admin token:
    ``POST /admin/v1/config/apply``, ``POST /admin/v1/keys/refresh`` (answers how many keys are known), and
    ``GET /admin/v1/status``.

    `hosts` are names or addresses by which the listener may be called besides loopback. `status` must hold no secret.
    `apply_config` raises ConfigError for a rejected file (422); every GateError is answered with its status and code.
    Raises ValueError for a token of fewer than 16 characters.
    """
    check = TokenCheck(token)
    app = Starlette(
        routes=_open_routes(readiness, metrics) + _command_routes(check, apply_config, refresh_keys, status),
        exception_handlers={
            HTTPException: _http_error,
            ConfigError: _config_error,
            GateError: _gate_error,
            Exception: _defect,
        },
    )
    app.router.redirect_slashes = False
    return HostGuard(app, hosts)


def _open_routes(readiness: Callable[[], list[str]], metrics: Callable[[], bytes]) -> list[Route]:
    async def livez(_: Request) -> Response:
        return json_response({"live": True})

    async def readyz(_: Request) -> Response:
        reasons = readiness()
        if reasons:
            return problem(503, "not_ready", "; ".join(reasons), reasons=reasons)
        return json_response({"ready": True})

    async def scrape(_: Request) -> Response:
        return Response(metrics(), headers=HEADERS | {"content-type": METRICS_CONTENT_TYPE})

    return [
        Route("/livez", livez, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", scrape, methods=["GET"]),
    ]


def _command_routes(
    check: TokenCheck,
    apply_config: Callable[[], Awaitable[ApplyResult]],
    refresh_keys: Callable[[], Awaitable[int]],
    status: Callable[[], dict[str, object]],
) -> list[Route]:
    async def apply(_: Request) -> Response:
        return json_response(await apply_config())

    async def refresh(_: Request) -> Response:
        return json_response({"keys": await refresh_keys()})

    async def show_status(_: Request) -> Response:
        return json_response(status())

    commands: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/admin/v1/config/apply", apply),
        ("POST", "/admin/v1/keys/refresh", refresh),
        ("GET", "/admin/v1/status", show_status),
    )
    # The token is checked here, in one place for all of them: a new command cannot forget it.
    return [Route(path, _guarded(check, handler), methods=[method]) for method, path, handler in commands]


def _guarded(check: TokenCheck, handler: Handler) -> Handler:
    async def checked(request: Request) -> Response:
        if not check.accepts(request.headers):
            detail = "Send the header Authorization: Bearer <admin token>."
            challenge = {"www-authenticate": 'Bearer realm="gptgate-admin"'}
            return problem(401, "unauthorized", detail, headers=challenge)
        return await handler(request)

    return checked


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    match status:
        case 404:
            return problem(404, "not_found", "No such path on the control plane.", headers=headers)
        case 405:
            allowed = headers.get("Allow", "another method")
            return problem(405, "method_not_allowed", f"The path takes {allowed}.", headers=headers)
        case _:
            return problem(status, "internal_error", "The request could not be handled.", headers=headers)


async def _config_error(_: Request, error: Exception) -> Response:
    problems = error.problems if isinstance(error, ConfigError) else ()
    return problem(422, "config_invalid", str(error), problems=problems)


async def _gate_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, GateError):
        return await _defect(request, error)
    # `detail` of a GateError is for the operator's log; only its public message goes out.
    return problem(error.status, error.code, error.message, title=type(error).__name__)


async def _defect(_: Request, __: Exception) -> Response:
    return problem(500, "internal_error", "The gateway's log says more.")
