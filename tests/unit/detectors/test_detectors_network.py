import pytest

from detector_parts import Find
from gptgate.detectors import TextInspector

ADDRESS = "pii.ip_address"


@pytest.mark.parametrize("frame", ["{}", "client ip {}.", '{{"a": "{}"}}', "http://{}/x", "({})"])
@pytest.mark.parametrize("address", ["103.72.119.204", "238.74.187.56", "12.92.149.211", "245.153.207.71"])
def test_public_addresses_are_found(find: Find, address: str, frame: str) -> None:
    assert find(frame.format(address)) == [(ADDRESS, address)]


@pytest.mark.parametrize("address", ["2a00:1450:4001:81b::200e", "3b20:9a3a:1b2f:7ce:9ef1:4787:85fc:261e"])
def test_addresses_of_version_six_are_found(find: Find, address: str) -> None:
    assert find(f"from {address} port") == [(ADDRESS, address)]
    assert find(f"[{address}]") == [(ADDRESS, address)]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1 0.0.0.0 255.255.255.0 8.8.8.8 192.0.2.1 10.0.0.1 192.168.1.1",
        "995.90.46.16 1.2.3 1.2.3.4.5 version 2.13.0 10.1.2.300",
        "fe80::1:2 ::1 2001:db8::1 12:34:56 std::vector a::b fd00:1::2",
        "00:11:22:33:44:55 ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 2001:0d:0e",
    ],
)
def test_addresses_of_nobody_are_not(find: Find, text: str) -> None:
    assert find(text) == []


def test_private_addresses_need_a_word_and_weigh_little(find: Find, inspector: TextInspector) -> None:
    assert find("client ip: 10.218.6.131") == [("pii.private_ip_address", "10.218.6.131")]
    assert find("see 10.218.6.131") == []
    assert find("host 127.0.0.1") == []


@pytest.mark.parametrize("address", ["9c:b6:d0:1e:2f:3a", "9C-B6-D0-1E-2F-3A"])
def test_card_addresses_are_found(find: Find, address: str) -> None:
    assert find(f"MAC {address}.") == [("pii.mac_address", address)]


@pytest.mark.parametrize(
    "text", ["version 2.13.0.7", "v2.13.0.7", "tool==103.72.119.204", "tool>=103.72.119.204", "2.13.0.7"]
)
def test_versions_are_no_addresses(find: Find, text: str) -> None:
    assert "pii.ip_address" not in dict(find(text))


def test_an_address_of_small_numbers_is_found_beside_a_word(find: Find) -> None:
    assert ("pii.ip_address", "2.13.0.7") in find("client ip: 2.13.0.7")
    assert ("pii.ip_address", "103.72.119.204") in find("ip=103.72.119.204")
