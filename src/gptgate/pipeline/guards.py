"""Guards against loops and floods: what no budget sees in time."""

import ipaddress
import re
from collections.abc import Callable
from hashlib import sha256

import msgspec

from gptgate.core.errors import AuthenticationsLimited, ClientError, PromptTooLarge, RateLimited, RepeatedRequest
from gptgate.core.facts import ChatRequest, Grant, Principal, RawRequest
from gptgate.core.limit import FAILED_AUTHENTICATIONS, PROMPT, REPEATED_REQUESTS, Charge, GuardSpec
from gptgate.core.ports import Clock, Limiter
from gptgate.core.snapshot import ModelSpec
from gptgate.pipeline.patience import Patience

IGNORED = frozenset({"stream", "stream_options", "user", "metadata", "seed", "safety_identifier", "prompt_cache_key"})
"""Fields that do not make another request of the same one."""

_ENCODER = msgspec.json.Encoder(order="sorted")
_SPACE = re.compile(rb"(?:\\[nrt]|\s)++")


class Guards:
    """The guards of one Snapshot."""

    def __init__(
        self,
        spec: GuardSpec,
        limiter: Limiter,
        clock: Clock,
        ceiling: Callable[[ChatRequest, ModelSpec, int], tuple[int, int]],
    ) -> None:
        self._spec = spec
        self._limiter = limiter
        self._clock = clock
        self._ceiling = ceiling
        self.patience = Patience(spec.ignored_retry_after, limiter, clock)

    def authenticate(self, peer: str, authenticator: Callable[[], Principal]) -> Principal:
        """Ask the authenticator, unless the address has failed too often; a failure is charged to the address.

        Raises AuthenticationsLimited, and what the authenticator raises.
        """
        limit = self._spec.failed_authentications
        if limit is None:
            return authenticator()
        now_ns = self._clock.monotonic_ns()
        try:
            admission = self._limiter.admit([Charge(limit, f"{limit.name}|{network_of(peer)}", 1)], now_ns)
        except RateLimited as refusal:
            raise _named(
                AuthenticationsLimited(
                    "too many API keys of this address were refused", retry_after_ms=refusal.retry_after_ms
                ),
                FAILED_AUTHENTICATIONS,
            ) from None
        try:
            principal = authenticator()
            admission.cancel(now_ns)
        finally:
            admission.release()
        return principal

    def check(self, raw: RawRequest, request: ChatRequest, grant: Grant) -> None:
        """Raises RetryAfterIgnored, PromptTooLarge or RepeatedRequest."""
        spec = self._spec
        self.patience.check(grant.principal)
        if spec.prompt_bytes and len(raw.body) > spec.prompt_bytes:
            what = f"{len(raw.body)} bytes; at most {spec.prompt_bytes} are allowed"
            raise _named(PromptTooLarge(f"the request has {what}"), PROMPT)
        if spec.prompt_tokens:
            tokens, _ = self._ceiling(request, grant.model, len(raw.body))
            if tokens > spec.prompt_tokens:
                what = f"may have up to {tokens} input tokens; at most {spec.prompt_tokens} are allowed"
                raise _named(PromptTooLarge(f"the request {what}"), PROMPT)
        limit = spec.repeated_requests
        if limit is not None:
            key = f"{limit.name}|{grant.principal.app.name}|{normalised_digest(request)}"
            try:
                self._limiter.admit([Charge(limit, key, 1)], self._clock.monotonic_ns()).release()
            except RateLimited as refusal:
                wait_s = -(-(refusal.retry_after_ms or 0) // 1000)
                often = "once" if limit.amount == 1 else f"{limit.amount} times"
                message = f"this app sent the same request more than {often}; the next may come in {wait_s} s"
                raise _named(RepeatedRequest(message), REPEATED_REQUESTS) from None


def _named(error: ClientError, guard: str) -> ClientError:
    error.limit = guard
    return error


def normalised_digest(request: ChatRequest) -> str:
    """The same for requests that differ in the order of fields, white space, small and capital letters, and in fields
    that do not change what is asked."""
    document = {name: value for name, value in request.document.items() if name not in IGNORED}
    text = _SPACE.sub(b" ", _ENCODER.encode(document).lower())
    return sha256(request.endpoint.value.encode() + b"|" + text).hexdigest()


def network_of(peer: str) -> str:
    """The address, and for IPv6 the /64 that one subscriber has: an address of its own costs nothing there."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
