"""The list of models in both dialects' shapes."""

import msgspec

from gptgate.core.snapshot import ModelSpec
from gptgate.core.wire import Dialect
from gptgate.providers.models_list import render_models


def _model(name: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        provider="p",
        upstream_name="secret-deployment-name",
        context_window=0,
        max_output_tokens=1,
        price=None,
        location="cloud",
    )


def test_openai_shape() -> None:
    document = msgspec.json.decode(render_models([_model("a"), _model("b")], Dialect.OPENAI))
    assert document == {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "p"} for name in ("a", "b")],
    }


def test_anthropic_shape() -> None:
    document = msgspec.json.decode(render_models([_model("a"), _model("b")], Dialect.ANTHROPIC))
    assert (document["first_id"], document["last_id"], document["has_more"]) == ("a", "b", False)
    assert [item["id"] for item in document["data"]] == ["a", "b"]
    assert {item["type"] for item in document["data"]} == {"model"}


def test_an_empty_list_is_a_list() -> None:
    assert msgspec.json.decode(render_models([], Dialect.OPENAI))["data"] == []
    document = msgspec.json.decode(render_models([], Dialect.ANTHROPIC))
    assert (document["data"], document["first_id"], document["last_id"]) == ([], None, None)


def test_upstream_names_are_not_shown() -> None:
    for dialect in Dialect:
        assert b"secret-deployment-name" not in render_models([_model("a")], dialect)
