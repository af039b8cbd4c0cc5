"""What a provider did."""

from gptgate.core.errors.base import UpstreamError


class UpstreamUnreachable(UpstreamError):
    """No connection; nothing was sent."""

    code = "upstream_unreachable"


class UpstreamTimeout(UpstreamError):
    """The provider did not answer, or fell silent, within the configured time."""

    status = 504
    code = "upstream_timeout"


class UpstreamBroken(UpstreamError):
    """The answer was cut, or could not be read."""

    code = "upstream_broken"


class UpstreamRefused(UpstreamError):
    """The provider refused the request for a reason in the request itself (its own 4xx)."""

    code = "upstream_refused"
    retryable = False


class UpstreamCredential(UpstreamError):
    """The provider rejects the gateway's credential: the operator's fault, never shown as the caller's 401."""

    code = "upstream_credential"
    retryable = False


class UpstreamLimited(UpstreamError):
    """The provider limits the gateway."""

    status = 429
    code = "upstream_rate_limited"


class UpstreamFailed(UpstreamError):
    """The provider failed (5xx)."""


class UpstreamOverloaded(UpstreamFailed):
    """The provider says that it is overloaded."""

    status = 529
    code = "upstream_overloaded"
