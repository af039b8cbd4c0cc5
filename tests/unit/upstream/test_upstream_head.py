import pytest

from gptgate.upstream.head import OWN_HEADERS, HeadTemplate


def render(*headers: tuple[str, str], fixed: tuple[tuple[str, str], ...] = ()) -> list[str]:
    template = HeadTemplate("http://provider.test:8000/base/", fixed)
    _, start = template.start("/v1/x")
    return template.render(start, headers, 7).decode("latin-1").split("\r\n")


def test_the_head_is_a_whole_http_request_head() -> None:
    assert render() == [
        "POST /base/v1/x HTTP/1.1",
        "host: provider.test:8000",
        "accept: */*",
        "accept-encoding: identity",
        "content-type: application/json",
        "user-agent: gptgate",
        "content-length: 7",
        "",
        "",
    ]


def test_a_default_port_is_not_named() -> None:
    _, start = HeadTemplate("https://provider.test", ()).start("/v1/x")
    assert start == "POST /v1/x HTTP/1.1\r\nhost: provider.test\r\n"


def test_given_headers_replace_the_defaults_whatever_their_case() -> None:
    lines = render(("Content-Type", "text/plain"), ("x-more", "1"), ("x-more", "2"))
    assert "Content-Type: text/plain" in lines
    assert "content-type: application/json" not in lines
    assert lines.count("x-more: 1") == lines.count("x-more: 2") == 1


def test_the_targets_headers_win() -> None:
    lines = render(("AUTHORIZATION", "Bearer caller"), fixed=(("Authorization", "Bearer ours"), ("user-agent", "own")))
    assert [line for line in lines if "bearer" in line.lower()] == ["Authorization: Bearer ours"]
    assert [line for line in lines if "user-agent" in line] == ["user-agent: own"]


@pytest.mark.parametrize("name", sorted(OWN_HEADERS))
def test_headers_that_frame_the_request_are_never_the_callers(name: str) -> None:
    assert render((name.upper(), "evil")) == render()


@pytest.mark.parametrize("value", ["a\r\nhost: evil", "a\nb", "a\x00", "a\x7f", "snow ☃"])
def test_a_value_that_would_break_the_head_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ValueError, match="x-h") as raised:
        render(("x-h", value))
    assert value not in str(raised.value)
    with pytest.raises(ValueError, match="authorization"):
        render(fixed=(("authorization", value),))


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä"])
def test_a_name_that_is_not_a_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="token"):
        render((name, "x"))


def test_bytes_beyond_ascii_go_out_as_they_came_in() -> None:
    template = HeadTemplate("http://provider.test", ())
    assert b"x-h: \xe4\r\n" in template.render(template.start("/")[1], [("x-h", "\xe4")], 0)


@pytest.mark.parametrize("base_url", ["", "/v1", "http://", "http://user:pass@provider.test"])
def test_a_base_url_without_a_host_or_with_a_user_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|host|scheme"):
        HeadTemplate(base_url, ())


def test_a_path_cannot_name_another_host() -> None:
    template = HeadTemplate("http://provider.test", ())
    assert template.start("//evil.test/x")[0].host == "provider.test"
    with pytest.raises(ValueError, match="slash"):
        template.start("@evil.test/x")
