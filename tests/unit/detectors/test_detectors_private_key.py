import pytest

from detector_parts import Find
from gptgate.detectors.library.private_key import DETECTOR

LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
KIND = "secret.private_key"


def block(name: str = "PRIVATE KEY", lines: int = 3, between: str = "\n", head: str = "") -> str:
    body = between.join([LINE] * lines + ["abcd=="])
    return f"-----BEGIN {name}-----{between}{head}{body}{between}-----END {name}-----"


@pytest.mark.parametrize(
    "text",
    [
        block(),
        block("RSA PRIVATE KEY"),
        block("OPENSSH PRIVATE KEY"),
        block("ENCRYPTED PRIVATE KEY", between="\r\n"),
        block("EC PRIVATE KEY", between="\\n"),
        block(between="\n    "),
        block(between="\n> "),
        block(between=" "),
        block("RSA PRIVATE KEY", head="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n"),
        block("PGP PRIVATE KEY BLOCK", head="Version: GnuPG v2\nComment: none at all\n\n"),
        block(lines=60),
    ],
)
def test_whole_blocks_are_found_from_the_first_to_the_last_dash(find: Find, text: str) -> None:
    assert find(f"my key:\n{text}\nthat is all") == [(KIND, text)]


def numbered(text: str, form: str) -> str:
    return "\n".join(form.format(number, line) for number, line in enumerate(text.split("\n"), 7))


@pytest.mark.parametrize(
    "text",
    [
        numbered(block(lines=23), '  "{1}",'),
        numbered(block(lines=23), '"{1}\\n" +'),
        '", "'.join(block(lines=23).split("\n")),
        r"\",\"".join(block(lines=23).split("\n")),
        numbered(block(lines=23), "{:6d}\t{}"),
        numbered(block(lines=23), "{:6d}→{}"),
        numbered(block(lines=23), "   {} │ {}"),
        numbered(block(lines=23), "{}:{}"),
        numbered(block(lines=23), "keys/id_rsa:{}:{}"),
        numbered(block(lines=23), "    {}. {}"),
        block(lines=23, between="\\\\n"),
        block(lines=23, between="\\\\\\\\n"),
        block(lines=23, between=""),
        block(lines=23, between="  "),
        block(lines=23, between="\n" + " " * 24),
        numbered(block("RSA PRIVATE KEY", head="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123\n\n"), "{}: {}"),
    ],
    ids=range(16),
)
def test_all_lines_of_a_key_go_however_it_is_printed(find: Find, text: str) -> None:
    begin, end = text.index("-----BEGIN"), text.rindex("-----") + 5
    found = find(f"here:\n{text}\nthat is all")
    assert [one for one in found if one[0] == KIND] == [(KIND, text[begin:end])]


def test_a_block_that_is_cut_off_is_found_to_the_end_of_its_body(find: Find) -> None:
    cut = block()[: -len("-----END PRIVATE KEY-----") - 5]
    assert find(cut) == [(KIND, cut)]
    assert find(cut + "... and so on") == [(KIND, cut)]


def test_the_body_of_a_cut_block_is_bounded(find: Find) -> None:
    ((kind, found),) = find(block(lines=600))
    assert (kind, len(found)) == (KIND, 16 * 1024)
    assert DETECTOR.longest == 16 * 1024


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY----- is how it begins, -----END PRIVATE KEY----- how it ends",
        'if "-----BEGIN RSA PRIVATE KEY-----" in text: return True',
        block("CERTIFICATE"),
        block("PUBLIC KEY"),
        LINE,
    ],
)
def test_talk_of_keys_and_public_things_are_not(find: Find, text: str) -> None:
    assert find(text) == []


def test_two_keys_are_two_findings(find: Find) -> None:
    for between in ("\n", "", " and "):
        found = find(block() + between + block("EC PRIVATE KEY"))
        assert found == [(KIND, block()), (KIND, block("EC PRIVATE KEY"))]


def test_a_key_in_json_text_is_found_with_its_escapes(find: Find) -> None:
    escaped = block().replace("\n", "\\n")
    assert find('{"private_key": "' + escaped + '\\n"}', is_json=True) == [(KIND, escaped)]
