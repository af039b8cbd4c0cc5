import pytest

from detector_parts import Find
from gptgate.detectors import TextInspector

MAIL = "pii.email"


@pytest.mark.parametrize(
    "address",
    [
        "john@example.com",
        "j.doe+tag_1%x-y@mail.example.co.uk",
        "a@b.co",
        "x" * 64 + "@example.com",
        "ada@xn--bcher-kva.example",
        "ada@example.xn--p1ai",
        "1@2.info",
        "jürgen.müller@example.de",
        "иван.петров@пример.рф",
        "δοκιμή@παράδειγμα.ελ",
        "ada@bücher.example",
        "ada@例え.jp",
        "ada(at)example.com",
        "ada.l[at]mail.example[dot]com",
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        *["{}", "mail {} now", "<{}>", '"{}",', "({}).", "to:{};", "汉{}字", "{}_"],
        *["\\n{}\\n", "\\\\t{}\\\\n", "one\\r{}", "\\u00fc{}", "\\u000A{}\\u000a"],
    ],
)
def test_addresses_are_found(find: Find, address: str, frame: str) -> None:
    assert find(frame.format(address)) == [(MAIL, address)]


@pytest.mark.parametrize("address", ["用户@例子.公司", "用户@example.com", "अजय@डाटा.भारत", "관리자@예시.한국"])
@pytest.mark.parametrize("frame", ["{}", "mail {} now", "<{}>", '"{}",', "to:{};", "写信：{}，"])
def test_addresses_in_scripts_without_spaces_begin_behind_a_sign(find: Find, address: str, frame: str) -> None:
    assert find(frame.format(address)) == [(MAIL, address)]


@pytest.mark.parametrize(
    "address",
    [
        "ada [at] example [dot] com",
        "ada (at) example.com",
        "ada at example dot com",
        "ada dot lovelace at mail dot example dot com",
    ],
)
@pytest.mark.parametrize("frame", ["email: {}", "My email address is {}.", "E-Mail ({})", "email me at {}, please"])
def test_addresses_written_around_their_sign_need_a_word(find: Find, address: str, frame: str) -> None:
    assert find(frame.format(address)) == [(MAIL, address)]
    assert find(f"see {address} for more") == []


@pytest.mark.parametrize(
    "link", ["postgres://ann:{}@db.test/x", "https://:{}@db.test", "ftp://ann@corp.test:{}@db.test"]
)
@pytest.mark.parametrize("password", ["b3cret9z", "b3cr!t9z", "b3@cret9z"])
def test_a_password_before_a_host_is_no_address(find: Find, link: str, password: str) -> None:
    found = find(link.format(password))
    assert [text for kind, text in found if kind != MAIL] == [password]
    assert [text for kind, text in found if kind == MAIL] == (["ann@corp.test"] if "ann@corp" in link else [])
    assert (MAIL, "eve@mail.test") in find(link.format(password) + " eve@mail.test")


@pytest.mark.parametrize(
    "before",
    ["a/b:", "https://x.test/unsubscribe/to=", "https://x.test/?to=", "**", "汉:", "é=", "=" * 90, "x" + "!" * 70],
)
def test_an_address_behind_a_sign_is_found_in_links_too(find: Find, before: str) -> None:
    assert find(f"{before}ann@mail.test") == [(MAIL, "ann@mail.test")]


@pytest.mark.parametrize(
    "text",
    [
        "john@example",
        "Привет@всем",
        "用户@群聊",
        "请联系，所有用户都可以在这里写信给我们的客服人员@例子",
        "email me at example.com",
        "email us at noon. Dot the i",
        "image(at)2x.png",
        "@example.com",
        "john@.com",
        "john@example.c",
        "icon@2x.png",
        "git clone git@github.com:acme/widgets.git",
        "ssh://git@bitbucket.org:7999/proj/repo.git",
        "Co-Authored-By: Bot <noreply@example.org>",
        "sent by No-Reply@mail.example.org.",
        "lodash@4.17.21",
        "@app.route('/x')",
        "x" * 65 + "@example.com",
        "._-@example.com",
        "john @example.com",
        "a@b.c0m",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "john@exa\u200bmple.com",
        "\u202ejohn\u00ad@example\ufe0f.com",
        "ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "john@example․com",
        "jo\U000e0041hn@example.com",
    ],
)
def test_disguised_addresses_are_found_whole(find: Find, text: str) -> None:
    (kind, found), *rest = find(f"- {text} -")
    assert (kind, rest) == (MAIL, [])
    assert found.strip("\u202e") == text.strip("\u202e")


def test_neighbours_do_not_hide_each_other(find: Find) -> None:
    assert [text for _, text in find("a@b.co,c@d.co c@d.co;e@f.co")] == ["a@b.co", "c@d.co", "c@d.co", "e@f.co"]
    assert [text for _, text in find("john@x.com@y")] == ["john@x.com"]


def test_points(inspector: TextInspector) -> None:
    from gptgate.core.finding import Origin, Segment

    (finding,) = inspector.inspect([Segment(("a", 0), Origin.TOOL_RESULT, "x a@b.co")])
    assert (finding.points, finding.detector, finding.place, finding.origin) == (20, "email", "/a/0", "tool_result")


@pytest.mark.parametrize(
    "before",
    [
        *["//TODO:", "/**", "/*to:", "[//x:", "///x:", "x//y:", "k=//v=", "/x:", "://x:", "é://x:", "foo_://x:"],
        *["foo://x:", "xmpp://x:", "htt://x:", "httpss://x:", "x1+y2://x:"],
        *["https://x:", "postgres://x:", "//a:b:"],
    ],
)
@pytest.mark.parametrize("name", ["ann", "jo", "ann1"])
def test_what_only_looks_like_a_link_with_a_password_hides_no_address(find: Find, before: str, name: str) -> None:
    # In the last links a name with more to it is found as a password.
    known = before in ("https://x:", "postgres://x:") and name == "ann1"
    found = find(f"{before}{name}@corp.test")
    assert (MAIL, f"{name}@corp.test") in found or (known and [text for _, text in found] == [name])


@pytest.mark.parametrize("password", ["password", "pass", "$GITHUB_TOKEN", "your-password", "changeme"])
@pytest.mark.parametrize("scheme", ["https", "postgresql+asyncpg", "git+https"])
def test_a_link_that_explains_something_holds_nothing(find: Find, scheme: str, password: str) -> None:
    assert find(f"{scheme}://user:{password}@example.com/x") == []
