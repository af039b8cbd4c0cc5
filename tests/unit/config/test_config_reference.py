"""The reference lists what the reader reads."""

import pytest

from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.config.reference import SETTINGS

BY_PATH = {setting.path: setting for setting in SETTINGS}


def test_every_setting_stands_once_with_type_default_and_meaning() -> None:
    assert len(BY_PATH) == len(SETTINGS) >= 55
    for setting in SETTINGS:
        assert setting.type
        assert setting.default
        assert setting.description.endswith(".")


def test_known_settings() -> None:
    assert BY_PATH["server.data"].default == "127.0.0.1:8080"
    assert BY_PATH["models[].price"].type == "free | mapping"
    assert BY_PATH["models[].price.input_per_million"].default == "required"
    assert BY_PATH["policy.rules[].findings"].type == "list of kind pattern"
    assert BY_PATH["apps[].key_limits.concurrency"].default == "no such limit"


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.path.count("[]") <= 1 and s.default == "required"])
def test_what_the_reference_calls_required_is_required(setting: object) -> None:
    path = getattr(setting, "path", "")
    if path.startswith("guards."):
        text = f"version: 1\nguards: {{{path.split('.')[1]}: {{}}}}"
    elif path.startswith("counters."):
        text = "version: 1\ncounters: {}"
    elif "[]" not in path:
        text = "teams: []"
    elif path.startswith("policy."):
        text = "version: 1\npolicy: {rules: [{}], custom: [{}]}"
    elif path.startswith("audit."):
        text = "version: 1\naudit: {witnesses: [{}]}"
    elif path.startswith("texts."):
        text = "version: 1\ntexts: {classes: [{}]}"
    elif ".price." in path:
        text = "version: 1\nmodels: [{price: {}}]"
    elif ".tokenizer." in path:
        text = "version: 1\nmodels: [{tokenizer: {}}]"
    elif ".budget." in path:
        text = "version: 1\napps: [{budget: {}}]"
    else:
        text = f"version: 1\n{path.partition('[]')[0]}: [{{}}]"
    with pytest.raises(ConfigError) as caught:
        load_text(text, "f", ())
    assert path.replace("[]", "[0]") in {problem.path for problem in caught.value.problems}


def test_writing_every_default_out_changes_nothing() -> None:
    server = "".join(
        f"  {setting.path.removeprefix('server.')}: {setting.default}\n"
        for setting in SETTINGS
        if setting.path.startswith("server.")
    )
    assert load_text(f"version: 1\nserver:\n{server}", "f", ()) == load_text("version: 1", "f", ())
