"""Callers who do not wait: they come back before the time that a limit told them, and are refused again."""

from collections.abc import Callable

from gptgate.core.errors import RateLimited, RetryAfterIgnored
from gptgate.core.facts import Principal
from gptgate.core.limit import IGNORED_RETRY_AFTER, Charge, LimitSpec
from gptgate.core.ports import Clock, Limiter

REMEMBERED = 10_000


class Patience:
    """Counts for each key how often it came too early, under one Snapshot.

    Too early is a request that arrives after a refusal, before the wait that the refusal named is over, and is refused
    by the same limit again. A request that the limit admits is none of its business.
    """

    def __init__(self, spec: LimitSpec | None, limiter: Limiter, clock: Clock) -> None:
        self._spec, self._limiter, self._clock = spec, limiter, clock
        self._told: dict[tuple[str, str], tuple[int, int]] = {}
        """Key and limit → since when it is told to wait, and until when."""

    def check(self, principal: Principal) -> None:
        """Raises RetryAfterIgnored for a key that came too early too often, until it has waited."""
        if self._spec is not None:
            self._charge(self._spec, principal.key_id, keep=False)

    def heed(self, principal: Principal, started_ns: int, admit: Callable[[], None]) -> None:
        """Ask a limit. Raises what `admit` raises, or RetryAfterIgnored in its place."""
        if self._spec is None:
            admit()
            return
        try:
            admit()
        except RateLimited as refusal:
            self.refused(principal, started_ns, refusal)
            raise

    def refused(self, principal: Principal, started_ns: int, refusal: RateLimited) -> None:
        """A limit has refused. Raises RetryAfterIgnored in its place, where the key did not wait too often."""
        if self._spec is not None:
            now_ns, key = self._clock.monotonic_ns(), (principal.key_id, refusal.limit)
            told_ns, until_ns = self._told.get(key, (0, 0))
            if len(self._told) >= REMEMBERED:
                self._told = {each: told for each, told in self._told.items() if told[1] > now_ns}
            # Who is told again while it should wait was told before: requests that overlap would never be early else.
            since_ns = told_ns if now_ns < until_ns else now_ns
            self._told[key] = since_ns, now_ns + (refusal.retry_after_ms or 0) * 1_000_000
            # Requests that were under way when the refusal was told knew nothing of it.
            if told_ns < started_ns < until_ns:
                self._charge(self._spec, principal.key_id, keep=True)

    def _charge(self, spec: LimitSpec, key_id: str, *, keep: bool) -> None:
        now_ns = self._clock.monotonic_ns()
        try:
            admission = self._limiter.admit([Charge(spec, f"{spec.name}|{key_id}", 1)], now_ns)
        except RateLimited as refusal:
            error = RetryAfterIgnored(
                "this key came back before the time that it was told, again and again",
                retry_after_ms=refusal.retry_after_ms,
            )
            error.limit = IGNORED_RETRY_AFTER
            raise error from None
        if keep:
            admission.release()
        else:
            admission.cancel(now_ns)
