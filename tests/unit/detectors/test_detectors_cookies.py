import pytest

from detector_parts import Find
from secret_samples import hexes, mixed

KIND = "secret.session_cookie"


@pytest.mark.parametrize(
    ("before", "cookie", "after"),
    [
        ("Set-Cookie: session=", mixed(40), "; Path=/; HttpOnly"),
        ("set-cookie: sid=", f"s%3A{mixed(32)}.{mixed(43)}", "; Path=/"),
        ('"Set-Cookie": "remember=', mixed(32), '; Secure"'),
        ("document.cookie = 'auth=", mixed(40), "'"),
        ("Cookie: ", f"PHPSESSID={hexes(26)}", "\n"),
        ("Cookie: ", f"theme=dark; xs=35%3A{mixed(14)}%3A2; c_user=1", "\nHost: a"),
        ('{"Cookie": "', f"session={mixed(43)}", '"}'),
        ("curl -b '", f"connect.sid=s%3A{mixed(32)}.{mixed(30)}", "' https://a"),
        ('curl --cookie "', f"lang=en;session={mixed(40)}", '" https://a'),
        ("JSESSIONID=", hexes(32).upper(), ""),
        ("ASP.NET_SessionId: ", hexes(24), ","),
        ("wordpress_logged_in_" + "0" * 32 + "=", f"ada%7C1700000000%7C{mixed(43)}", ";"),
    ],
)
def test_cookies_are_found_without_their_names(find: Find, before: str, cookie: str, after: str) -> None:
    assert (KIND, cookie) in find(before + cookie + after)


@pytest.mark.parametrize(
    "text",
    [
        "Set-Cookie: theme=dark; Path=/; HttpOnly",
        "Set-Cookie: id=a3fWa; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
        "Set-Cookie: csrftoken=example-token-value-12345678",
        "Set-Cookie: session=xxxxxxxxxxxxxxxxxxxxxxxx",
        "Cookie: lang=en-US; seen=1; consent=accepted",
        "Cookie: session=<your-session-token>",
        "Cookie: PHPSESSID=your_session_id_goes_here",
        "Cookie: _ga=GA1.2.1234567890.1699999999; _gid=GA1.2.987654321.1699999999",
        "app.use(session({ cookie: { maxAge: 60000, secure: true } }))",
        "document.cookie = 'theme=solarized-dark-theme-2'",
        "curl -b cookies.txt -c cookies.txt https://a.test",
        "JSESSIONID is what Tomcat calls it",
        "the recipe: cookie = flour, sugar=200",
    ],
)
def test_harmless_cookies_are_not(find: Find, text: str) -> None:
    assert find(text) == []
