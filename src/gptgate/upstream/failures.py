"""What aiohttp says of a failure → our error tree.

The public message names the provider and nothing else. `detail` is for the operator: kinds of failures and addresses,
never a header's value. So no text of an exception that can quote headers gets into it, nor is one chained.
"""

import aiohttp

from gptgate.core.errors import Reach, UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamUnreachable


def before_head(error: Exception, provider: str, *, sent: bool, late: bool) -> UpstreamError:
    """The failure of a request whose answer's head never came."""
    detail = describe(error)
    if late:
        return late_head(provider)
    if not sent:
        message = f"The provider {provider!r} cannot be reached."
        return UpstreamUnreachable(message, reach=Reach.NOT_SENT, detail=detail)
    if isinstance(error, aiohttp.ClientResponseError):
        message = f"The provider {provider!r} sent an answer that is not HTTP."
        return UpstreamBroken(message, reach=Reach.ANSWERED, detail=detail)
    message = f"The provider {provider!r} closed the connection without an answer."
    return UpstreamBroken(message, reach=Reach.SENT, detail=detail)


def late_head(provider: str) -> UpstreamTimeout:
    """The answer's head did not come before its deadline."""
    return UpstreamTimeout(f"The provider {provider!r} did not begin to answer in time.", reach=Reach.SENT)


def no_session(provider: str) -> UpstreamUnreachable:
    """A client that was not started, is closed, or does not know the provider."""
    message = f"The provider {provider!r} cannot be reached."
    return UpstreamUnreachable(message, reach=Reach.NOT_SENT, detail="no session: not started, closed, or no target")


def unsendable(provider: str, reason: str) -> UpstreamUnreachable:
    """A request that cannot be written as HTTP."""
    message = f"The request cannot be sent to the provider {provider!r}."
    return UpstreamUnreachable(message, reach=Reach.NOT_SENT, detail=reason)


def cut(error: Exception | None, provider: str) -> UpstreamBroken:
    """A body that did not arrive whole."""
    message = f"The answer of the provider {provider!r} broke off."
    return UpstreamBroken(message, reach=Reach.ANSWERED, detail="" if error is None else describe(error))


def silent(provider: str) -> UpstreamTimeout:
    """A body that stopped arriving."""
    return UpstreamTimeout(f"The provider {provider!r} fell silent in its answer.", reach=Reach.ANSWERED)


def indiscreet(provider: str) -> UpstreamBroken:
    """An answer that holds the gateway's own credential."""
    message = f"The answer of the provider {provider!r} cannot be passed on."
    return UpstreamBroken(message, reach=Reach.ANSWERED, detail="it repeats the gateway's credential")


def redirected(status: int, provider: str) -> UpstreamBroken:
    """An answer with a status that is neither a result nor an error."""
    message = f"The provider {provider!r} answered with a redirect, which is not followed."
    return UpstreamBroken(message, reach=Reach.ANSWERED, detail=f"status {status}")


def describe(error: BaseException) -> str:
    """The kind of a failure, with the operating system's word for it where there is one."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return f"{type(error).__name__}: {error}"
    cause = error.__cause__
    kind = type(error).__name__ if cause is None else f"{type(error).__name__} from {type(cause).__name__}"
    strerror = error.strerror if isinstance(error, OSError) else None
    return f"{kind}: {strerror}" if strerror else kind
