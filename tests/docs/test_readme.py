"""Commands and programs of the pages work as printed: each page is run from top to bottom against a fresh gateway."""

import re
from pathlib import Path

import pytest

from docs.pages import ROOT, blocks, name, pages
from docs.runner import is_alike, make_targets, put_curl, staged, steps

RUN = [page for page in pages() if steps(page)]


@pytest.mark.parametrize("page", RUN, ids=name)
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        for kind, shown in steps(page):
            if kind == "python":
                stage.run_python(shown)
            else:
                stage.run(shown)


def test_calls_are_made_on_a_machine_without_curl_too(tmp_path: Path) -> None:
    calls = [
        shown for _, shown in steps(ROOT / "docs" / "tutorial" / "first-call.md") if shown.command.startswith("curl ")
    ]
    assert len(calls) > 3
    with staged(tmp_path) as stage:
        if not (tmp_path / "bin").exists():
            put_curl(tmp_path)
        for shown in calls:
            stage.run(shown)


def test_the_readme_and_the_tutorial_are_among_them() -> None:
    assert {"README.md", "docs/tutorial/first-call.md"} <= {name(page) for page in RUN}


def test_an_output_that_is_not_what_a_page_shows_is_noticed(tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    shown = next(shown for kind, shown in steps(readme) if kind == "console" and shown.output)
    with staged(tmp_path) as stage:
        stage.run(shown)
        changed = type(shown)(shown.place, shown.command, shown.output.replace("e", "x"))
        with pytest.raises(AssertionError, match="printed:"):
            stage.run(changed)


def test_the_tutorial_shows_what_the_first_start_prints(tmp_path: Path) -> None:
    tutorial = ROOT / "docs" / "tutorial" / "first-call.md"
    shown = next(block.text for block in blocks(tutorial) if block.text.startswith("gptgate is ready."))
    with staged(tmp_path) as stage:
        assert is_alike(shown + "...", stage.as_shown(stage.welcome))


@pytest.mark.parametrize("page", pages(), ids=name)
def test_make_targets_that_are_shown_exist(page: Path) -> None:
    for block in blocks(page):
        if block.language == "sh":
            assert set(re.findall(r"^make (\w+)", block.text, re.MULTILINE)) <= make_targets()
