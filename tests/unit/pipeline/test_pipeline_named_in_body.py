"""The end user and the session that a request names, as applications and coding agents write them."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from gptgate.core.document import read_object
from gptgate.core.wire import Dialect
from gptgate.pipeline.policy_facts import (
    END_USER_HEADER,
    MAX_AGENT_USER,
    SESSION_HEADER,
    named_end_user,
    named_session,
)
from gptgate.providers.registry import ADAPTERS
from pipeline_parts import chat


def named(user_id: str, dialect: Dialect = Dialect.ANTHROPIC, headers: dict[str, str] | None = None) -> tuple[str, str]:
    fields: dict[str, Any] = {"metadata": {"user_id": user_id}} if dialect is Dialect.ANTHROPIC else {"user": user_id}
    raw = replace(chat(dialect, **fields), headers=headers or {})
    request = ADAPTERS[raw.endpoint].read(raw, read_object(raw.body))
    return named_end_user(raw, request), named_session(raw, request)


DEVICE, ACCOUNT, SESSION = "adc7" * 16, "c0ffee00-1111-4222-8333-444455556666", "8ec5c7f6-ee12-4c8f-a6f4-4fbba1515475"


def agent(**fields: object) -> str:
    return json.dumps({"device_id": DEVICE, "account_uuid": ACCOUNT, "session_id": SESSION} | fields)


@pytest.mark.parametrize(
    ("user_id", "end_user", "session"),
    [
        (agent(), ACCOUNT, SESSION),
        (agent(account_uuid=""), DEVICE, SESSION),
        (agent(tomorrow={"a": [1]}), ACCOUNT, SESSION),
        (f"user_{DEVICE}_account_{ACCOUNT}_session_{SESSION}", f"user_{DEVICE}_account_{ACCOUNT}", SESSION),
        ("user_5f2a_session_6a1e", "user_5f2a_session_6a1e", "6a1e"),
        ("ada", "ada", ""),
        ("", "", ""),
    ],
)
def test_a_coding_agents_user_stays_the_same_from_session_to_session(user_id: str, end_user: str, session: str) -> None:
    assert named(user_id) == (end_user, session)


@pytest.mark.parametrize(
    "user_id",
    [
        "{",
        "{}",
        '{"session_id": 5}',
        agent(account_uuid=None),
        agent(session_id=["x"]),
        agent() + "x",
        agent(more="x" * MAX_AGENT_USER),
        '["session_id"]',
        '{"more":' + "[" * 1000,
    ],
)
def test_what_only_looks_like_it_is_a_name_like_any_other(user_id: str) -> None:
    assert named(user_id) == (user_id[:256], "")


def test_a_document_without_a_user_of_its_own_is_the_user() -> None:
    user_id = json.dumps({"session_id": SESSION})
    assert named(user_id) == (user_id, SESSION)


def test_headers_name_the_session_first_and_the_user_last() -> None:
    headers = {SESSION_HEADER: "mine", END_USER_HEADER: "bob"}
    assert named(agent(), headers=headers) == (ACCOUNT, "mine")
    assert named("", headers=headers) == ("bob", "mine")


def test_openais_user_is_taken_as_it_is() -> None:
    for user_id in (agent(), f"user_5f2a_account_81_session_{SESSION}"):
        assert named(user_id, Dialect.OPENAI) == (user_id, "")
