"""Signed notes by the vectors of the format's first implementation, and notes that lie."""

import pytest

from gptgate.audit.signing import Signer
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import (
    COSIGNATURE,
    VerifierKey,
    cosigned_at_s,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    verify_note,
)

PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
LOG = Signer("log.example/audit", b"\x01" * 32)
WITNESS = Signer("witness.example/w1", b"\x02" * 32, COSIGNATURE)
ROOT = bytes(range(32))


def test_a_published_note_verifies() -> None:
    key = VerifierKey.parse(PUBLISHED_KEY)
    assert verify_note(parse_note(PUBLISHED_NOTE), [key]) == (key,)
    assert str(key) == PUBLISHED_KEY


def test_a_changed_note_does_not_verify() -> None:
    changed = PUBLISHED_NOTE.replace(b"your problem,", b"our problem,")
    with pytest.raises(VerificationError, match="PeterNeumann"):
        verify_note(parse_note(changed), [VerifierKey.parse(PUBLISHED_KEY)])


def test_a_checkpoint_and_its_cosignature() -> None:
    alone = LOG.checkpoint(7, ROOT)
    text = parse_note(alone).text
    cosigned = LOG.checkpoint(7, ROOT, [WITNESS.cosignature(text, 1_800_000_000)])
    checkpoint = open_checkpoint(cosigned, LOG.key)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == ("log.example/audit", 7, ROOT)
    assert cosigned_at_s(parse_note(cosigned), WITNESS.key) == 1_800_000_000
    with pytest.raises(VerificationError, match="has not cosigned"):
        cosigned_at_s(parse_note(alone), WITNESS.key)


def test_a_cosignature_is_bound_to_its_time_and_text() -> None:
    text = parse_note(LOG.checkpoint(7, ROOT)).text
    line = WITNESS.cosignature(text, 1_800_000_000)
    other = LOG.checkpoint(8, ROOT, [line])
    with pytest.raises(VerificationError, match=r"witness\.example"):
        cosigned_at_s(parse_note(other), WITNESS.key)


def test_a_key_of_another_log_or_name_opens_nothing() -> None:
    note = LOG.checkpoint(7, ROOT)
    for key in (Signer("log.example/audit", b"\x03" * 32).key, Signer("other.example", b"\x01" * 32).key):
        with pytest.raises(VerificationError, match="none of the expected keys"):
            open_checkpoint(note, key)


def test_a_log_does_not_speak_for_another() -> None:
    forged = parse_note(LOG.checkpoint(7, ROOT).replace(b"log.example/audit\n7", b"log.example/other\n7"))
    with pytest.raises(VerificationError):
        verify_note(forged, [LOG.key])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nno dash\n",
        "text\n\n\u2014 name AAAA\n".encode(),
        "text\n\n\u2014 name AAAAAAAA".encode(),
        "te\txt\n\n\u2014 name AAAAAAAA\n".encode(),
        b"\xff\n\n\xe2\x80\x94 name AAAAAAAA\n",
        "text\n\n\u2014 na+me AAAAAAAA\n".encode(),
        "text\n\n\u2014 name AAAAAAA*\n".encode(),
        b"x" * 300_000,
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        parse_note(data)


@pytest.mark.parametrize(
    "text",
    ["a\n1\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "a\n1\nAAAA\n", f"a\n{'9' * 20}\n{'A' * 43}=\n", "\n1\nAAAA\n"],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_KEY.replace("ARpc", "CRpc"),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        VerifierKey.parse(text)


def test_a_private_key_signs_only_what_its_kind_may() -> None:
    with pytest.raises(ValueError, match="witness"):
        WITNESS.checkpoint(1, ROOT)
    with pytest.raises(ValueError, match="cosign"):
        LOG.cosignature("text\n", 1)
