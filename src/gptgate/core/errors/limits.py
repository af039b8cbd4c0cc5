"""What the caller has used up, or asks for too much of."""

from gptgate.core.errors.base import ClientError

CROWDED_RETRY_AFTER_MS = 1000
"""When others settle is not known."""


class RateLimited(ClientError):
    """Too many requests or tokens in the window; `retry_after_ms` is exact."""

    status = 429
    code = "rate_limited"
    retryable = True


class ConcurrencyLimited(ClientError):
    """Too many requests in flight."""

    status = 429
    code = "concurrency_limited"
    retryable = True


class BodiesLimited(ClientError):
    """Too many bytes of bodies that are not whole yet are on their way, of this app or of all."""

    status = 429
    code = "bodies_limited"
    retryable = True


class ExceedsLimit(ClientError):
    """The request alone may take more tokens than a whole limit has."""

    status = 429
    code = "exceeds_limit"


class RepeatedRequest(ClientError):
    """The app sends one and the same request again and again."""

    status = 429
    code = "repeated_request"


class PromptTooLarge(ClientError):
    """The request is larger than the configuration allows prompts to be."""

    status = 413
    code = "prompt_too_large"


class AuthenticationsLimited(ClientError):
    """Too many keys from this address were refused; for a while none is looked at."""

    status = 429
    code = "authentications_limited"


class RetryAfterIgnored(ClientError):
    """The key came back before the time that it was told, again and again; `retry_after_ms` is exact."""

    status = 429
    code = "retry_after_ignored"


class StreamOutgrown(ClientError):
    """The answer outgrew what was reserved for it, and no more may be reserved: its stream was ended."""

    status = 429
    code = "stream_outgrown"


class OverBudget(ClientError):
    """What a request may take does not fit in what is left of a budget.

    `account` is the first that it does not fit. It is the `crowd` that it has to wait for where it would fit in all of
    its budgets if others settled what they hold at nothing; `crowd` is None where no waiting can help.
    """

    account: tuple[str, tuple[str, ...]] = ("", ())
    crowd: tuple[str, tuple[str, ...]] | None = None

    def is_crowded(self) -> None:
        """Only what others hold of the account is in the way: a retry can help."""
        self.crowd, self.retryable, self.retry_after_ms = self.account, True, CROWDED_RETRY_AFTER_MS


class SessionLimited(OverBudget):
    """The session has used up its calls, tokens or dollars."""

    status = 429
    code = "session_limited"


class BudgetExceeded(OverBudget):
    """The request's ceiling does not fit in what is left of a budget."""

    status = 429
    code = "budget_exceeded"
