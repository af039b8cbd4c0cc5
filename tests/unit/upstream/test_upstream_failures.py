import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gptgate.core.errors import Reach, UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from gptgate.upstream import failures

HEADERS = CIMultiDictProxy(CIMultiDict({"authorization": "Bearer sk-secret"}))
REQUEST = aiohttp.RequestInfo(URL("http://provider.test/x"), "POST", HEADERS, URL("http://provider.test/x"))
NOT_HTTP = aiohttp.ClientResponseError(REQUEST, (), status=400, message="sk-secret", headers=HEADERS)


@pytest.mark.parametrize(
    ("error", "sent", "late", "kind", "reach"),
    [
        (aiohttp.ServerDisconnectedError(), False, False, UpstreamUnreachable, Reach.NOT_SENT),
        (aiohttp.ConnectionTimeoutError(), False, False, UpstreamUnreachable, Reach.NOT_SENT),
        (aiohttp.ServerDisconnectedError(), True, False, UpstreamBroken, Reach.SENT),
        (ConnectionResetError(104, "reset"), True, False, UpstreamBroken, Reach.SENT),
        (aiohttp.ServerDisconnectedError(), True, True, UpstreamTimeout, Reach.SENT),
        (NOT_HTTP, True, False, UpstreamBroken, Reach.ANSWERED),
    ],
)
def test_each_failure_knows_how_far_the_request_got(
    error: Exception, sent: bool, late: bool, kind: type[Exception], reach: Reach
) -> None:
    failure = failures.before_head(error, "acme", sent=sent, late=late)
    assert type(failure) is kind
    assert failure.reach is reach
    assert "'acme'" in failure.message
    for text in (failure.message, failure.detail):
        assert "secret" not in text
    assert "provider.test" not in failure.message


def test_the_detail_keeps_the_systems_word_for_it() -> None:
    assert failures.describe(ConnectionResetError(104, "Connection reset by peer")) == (
        "ConnectionResetError: Connection reset by peer"
    )
