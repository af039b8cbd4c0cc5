"""The page on mutation testing speaks of functions that there are, and its report is read right."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from bench import mutation


def test_every_place_with_a_reason_is_a_function() -> None:
    for where in mutation.reasons(mutation.REASONS.read_text()):
        module, _, names = where.partition(": ")
        found: object = import_module(f"gptgate.{module}")
        for name in names.split("."):
            found = getattr(found, name)
        assert callable(found), where


def test_changes_are_counted_by_how_they_ended(tmp_path: Path) -> None:
    codes = {
        "gptgate.policy.mask.x__account__mutmut_1": 0,
        "gptgate.policy.mask.x__account__mutmut_12": 33,
        "gptgate.policy.mask.xǁMaskǁ__init____mutmut_1": 1,
        "gptgate.policy.mask.x_mask__mutmut_1": 37,
        "gptgate.policy.mask.x_mask__mutmut_2": -24,
        "gptgate.policy.mask.x_mask__mutmut_3": None,
    }
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "mask.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    ends = mutation.ended(tmp_path)
    assert mutation.table(ends).splitlines()[2:] == [
        "| `policy.mask` | 6 | 1 | 1 | 1 | 2 | 1 |",
        "| all | 6 | 1 | 1 | 1 | 2 | 1 |",
    ]
    assert [mutation.place(name) for name in ends][1:3] == ["policy.mask: _account", "policy.mask: Mask.__init__"]


def test_reasons_are_the_rows_of_the_page() -> None:
    page = "| `policy.mask: _account` | 2 | a; b |\n| `policy.mask: _account` | 1 | c |\n| `mask` | 4 | no place |\n"
    assert dict(mutation.reasons(page)) == {"policy.mask: _account": 3}


def test_a_name_that_mutmut_did_not_make_is_refused() -> None:
    with pytest.raises(ValueError, match="not a change"):
        mutation.place("gptgate.policy.mask.mask")
