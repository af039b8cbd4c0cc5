"""``python -m bench.mutation``: what became of the changes that `mutmut run` made, by module.

Exits 1 where docs/explanation/mutation-testing.md gives reasons for more or fewer unnoticed changes of a function.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

from bench.process import ROOT

RESULTS = ROOT / "mutants" / "src" / "gptgate"
REASONS = ROOT / "docs" / "explanation" / "mutation-testing.md"
NOTICED, TYPES, UNNOTICED, STOPPED, WAITING = "noticed by tests", "by mypy", "not noticed", "stopped", "not made yet"
ENDS = {0: UNNOTICED, 1: NOTICED, 2: WAITING, 3: NOTICED, 5: UNNOTICED, 33: UNNOTICED, 37: TYPES, None: WAITING}
"""What mutmut notes of a change → how it ended; any other end is by the time limit or a crash. No test at all for a
change is one more way not to notice it."""
COLUMNS = (NOTICED, TYPES, STOPPED, UNNOTICED, WAITING)
_NAME = re.compile(r"gptgate\.(.+)\.x(?:ǁ(\w+)ǁ|_)(\w+)__mutmut_\d+")
_ROW = re.compile(r"^\| `([\w.]+: [\w.]+)` \| (\d+) \|", re.MULTILINE)


def place(name: str) -> str:
    """``policy.redact: StreamRedactor.apply``, of mutmut's name for a change."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"not a change that mutmut made: {name}")
    module, owner, function = found.groups()
    return f"{module}: {owner}.{function}" if owner else f"{module}: {function}"


def ended(results: Path) -> dict[str, str]:
    """Every change, by mutmut's name for it, and how it ended."""
    ends: dict[str, str] = {}
    for file in sorted(results.rglob("*.meta")):
        codes = json.loads(file.read_text())["exit_code_by_key"]
        ends |= {name: ENDS.get(code, STOPPED) for name, code in codes.items()}
    return ends


def table(ends: dict[str, str]) -> str:
    """One row for each module, and one for all."""
    counts = Counter((place(name).partition(":")[0], end) for name, end in ends.items())
    rows = [("Module", "changes", *COLUMNS), ("---",) * (len(COLUMNS) + 2)]
    for module in sorted({module for module, _ in counts}):
        each = [counts[module, end] for end in COLUMNS]
        rows.append((f"`{module}`", str(sum(each)), *map(str, each)))
    each = [sum(counts[key] for key in counts if key[1] == end) for end in COLUMNS]
    rows.append(("all", str(sum(each)), *map(str, each)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def reasons(page: str) -> Counter[str]:
    """For each function: how many changes the page says why no test notices."""
    found: Counter[str] = Counter()
    for where, count in _ROW.findall(page):
        found[where] += int(count)
    return found


def main() -> int:
    """Prints the table, then each function where the page is wrong."""
    ends = ended(RESULTS)
    print(table(ends))
    unnoticed = Counter(place(name) for name, end in ends.items() if end == UNNOTICED)
    given = reasons(REASONS.read_text())
    wrong = sorted(where for where in unnoticed | given if unnoticed[where] != given[where])
    for where in wrong:
        print(f"{where}: {unnoticed[where]} not noticed, {given[where]} with a reason")
    return 1 if wrong or not ends else 0


if __name__ == "__main__":
    sys.exit(main())
