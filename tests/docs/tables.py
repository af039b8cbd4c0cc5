"""The tables of the reference that follow from the code. `python -m docs.tables`, in the folder `tests`, writes them.

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``. Its first columns come from the code; the `free`
last ones are written by hand and kept. A row that is new gets `MISSING` there, which the tests do not let through.
"""

import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import UnionType
from typing import Any

import msgspec
import typer

from docs.pages import name, pages
from gptgate.admin.app import ApplyResult, build_admin
from gptgate.admin.guard import HostGuard
from gptgate.admin.problem import TITLES
from gptgate.cli.main import build
from gptgate.config.checks import PUBLIC_URLS
from gptgate.config.packs import PACKS, load_pack
from gptgate.config.reference import SETTINGS
from gptgate.core import errors
from gptgate.core.classifier import LLAMA_GUARD, PRESIDIO, Opinion, Span
from gptgate.core.events import Circumstances, End, EndState, Intent
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.core.keys import KeyRecord
from gptgate.core.snapshot import DIALECTS, Effect, ProviderKind, RuleSpec
from gptgate.core.wire import PATHS, Dialect, Endpoint
from gptgate.detectors import DETECTORS, KINDS, WHOLE_DETECTORS, canary, echo, known
from gptgate.detectors.registry import ANSWERING, VIEWS
from gptgate.detectors.signals import signal_points
from gptgate.http.errors import error_body
from gptgate.installed import read_config_text
from gptgate.policy.own import OWN_RULES
from gptgate.policy.score import CONTEXT
from gptgate.policy.vocabulary import FACTS, FINDING_MEMBERS, FUNCTIONS
from gptgate.providers.headers import credential_headers
from gptgate.providers.registry import ADAPTERS
from gptgate.simulator import faults, rules
from gptgate.telemetry import METRICS
from gptgate.telemetry.log import RequestLine, UnauthenticatedLine
from gptgate.upstream.classifiers.registry import WIRES

MISSING = "(not written yet)"
BLOCK = re.compile(r"(<!-- table: ([a-z0-9_. -]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
ABSTRACT = (errors.GateError, errors.ClientError, errors.OverBudget, errors.UpstreamError, errors.Unavailable)
"""Classes that only group others; nothing raises them."""


@dataclass(frozen=True)
class Table:
    """Columns and rows; `free` columns at the right are not in `rows`."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    free: int = 0

    def render(self, old: str) -> str:
        """The table as Markdown, with the free cells of `old`."""
        kept = {row[0]: row[len(row) - self.free :] for row in read_rows(old)[1:]} if self.free else {}
        lines = [_line(self.head), _line(["---"] * len(self.head))]
        for row in self.rows:
            cells = [_escape(cell) for cell in row]
            free = kept.get(cells[0], [MISSING] * self.free)
            lines.append(_line([*cells, *free] if self.free else cells))
        return "".join(lines)


def _escape(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def read_rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table, its head first."""
    rows = [[cell.strip() for cell in _CELL.split(line.strip())[1:-1]] for line in text.splitlines() if line.strip()]
    return [row for row in rows if not all(set(cell) <= {"-", ":"} for cell in row)]


def _code(text: str) -> str:
    return f"`{text}`" if text else "–"


def _settings(section: str) -> Table:
    chosen = [one for one in SETTINGS if re.split(r"[.\[]", one.path)[0] == section]
    words = ("required", "true", "false")
    rows = []
    for one in chosen:
        is_value = one.default == "required" or " " not in one.default
        default = one.default if one.default in words[:1] or not is_value else _code(one.default)
        rows.append((_code(one.path), one.type, default, one.description))
    return Table(("Setting", "Type", "Default, or what leaving it out means", "Meaning"), rows)


def _provider_kinds() -> Table:
    rows = []
    for kind in ProviderKind:
        header = credential_headers(kind, "x")[0][0]
        address = PUBLIC_URLS.get(kind)
        shown = "must be given" if address is None else _code(address) if address else "inside this process"
        rows.append((_code(kind), ", ".join(sorted(DIALECTS[kind])), shown, _code(header)))
    return Table(("`kind`", "Dialects", "`base_url` when left out", "Credential goes in", "For"), rows, free=1)


def _classifier_kinds() -> Table:
    rows = [(_code(kind), _code(f"POST {wire.path}")) for kind, wire in WIRES.items()]
    return Table(("`kind`", "Request", "What it is"), rows, free=1)


def _errors() -> Table:
    rows = []
    for kind in error_classes():
        error = kind("m", reach=errors.Reach.SENT) if issubclass(kind, errors.UpstreamError) else kind("m")
        openai = msgspec.json.decode(error_body(error, Dialect.OPENAI, "id"))["error"]["type"]
        anthropic = msgspec.json.decode(error_body(error, Dialect.ANTHROPIC, "id"))["error"]["type"]
        retry = {True: "`true`", False: "`false`", None: "not sent"}[kind.retryable]
        status = "the provider's" if kind is errors.UpstreamRefused else str(kind.status)
        meaning = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
        rows.append((_code(kind.code), status, _code(openai), _code(anthropic), retry, meaning))
    head = ("Code", "Status", "OpenAI `type`", "Anthropic `type`", "`x-should-retry`", "Meaning", "What to do")
    return Table(head, rows, free=1)


def error_classes() -> list[type[errors.GateError]]:
    """Every error that a caller or a record can meet, in the order of the tree."""

    def below(kind: type[errors.GateError]) -> Iterator[type[errors.GateError]]:
        if kind not in ABSTRACT:
            yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    return list(below(errors.GateError))


def _metrics() -> Table:
    suffix = {"counter": "_total", "gauge": "", "histogram": "_bucket, _sum, _count"}
    rows = []
    for metric in METRICS:
        names = [metric.name + end for end in suffix[metric.type].split(", ")]
        labels = ", ".join(_code(label) for label in metric.labels) or "–"
        rows.append((" ".join(_code(one) for one in names), metric.type, labels, metric.help))
    return Table(("Metric", "Type", "Labels", "Meaning"), rows)


def _labels() -> Table:
    names = sorted({label for metric in METRICS for label in metric.labels})
    return Table(("Label", "Values"), [(_code(label),) for label in names], free=1)


def _detectors() -> Table:
    rows = []
    for key, detector in DETECTORS.items():
        origins = "all" if detector.origins == frozenset(Origin) else ", ".join(sorted(detector.origins))
        rows.append((_code(key), str(detector.version), origins, f"{detector.longest:,} bytes"))
    for key, seer in WHOLE_DETECTORS.items():
        rows.append((_code(key), seer.digest[:10], ", ".join(sorted(seer.origins)), "whole texts only"))
    for one in (known, canary):
        rows.append((_code(one.NAME), str(one.VERSION), "all", f"{one.LONGEST:,} bytes"))
    rows.append((_code(echo.NAME), str(echo.VERSION), ", ".join(sorted(ANSWERING)), f"{echo.PIECE} words"))
    head = ("Detector", "Version", "Whose words it reads", "Longest match", "How it recognises")
    return Table(head, rows, free=1)


def _kinds() -> Table:
    rows = []
    for kind, line in KINDS.items():
        found = [(key, p.points) for key, d in DETECTORS.items() for p in d.patterns if p.kind == kind]
        found += [
            (key, points) for key, seer in WHOLE_DETECTORS.items() if kind in seer.kinds for points in seer.points
        ]
        found += [(one.NAME, one.POINTS) for one in (known, canary) if kind in one.KINDS]
        found += [(echo.NAME, points) for points in echo.POINTS if kind in echo.KINDS]
        found = found or [("views", signal_points(VIEWS)[kind])]
        points = sorted({points for _, points in found})
        shown = str(points[0]) if len(points) == 1 else f"{points[0]} to {points[-1]}"
        rows.append((_code(kind), line, _code(found[0][0]), shown))
    return Table(("Kind", "What it is", "Detector", "Points"), rows)


def _fields(kind: type[msgspec.Struct]) -> Table:
    hints = typing.get_type_hints(kind)
    rows = [(_code(field), _type(hints[field])) for field in kind.__struct_fields__]
    return Table(("Field", "Type", "Meaning"), rows, free=1)


_NAMES = {"str": "text", "int": "integer", "bool": "true or false", "bytes": "bytes", "datetime": "RFC 3339 time"}


def _type(kind: Any) -> str:
    parts = typing.get_args(kind)
    if isinstance(kind, UnionType):
        return " or ".join("null" if part is type(None) else _type(part) for part in parts)
    if parts and kind.__origin__ is tuple:
        return f"list of {_type(parts[0])}" if parts[-1] is ... else "pair of " + " and ".join(map(_type, parts))
    if parts:
        return f"object: {_type(parts[0])} to {_type(parts[1])}"
    return _NAMES.get(kind.__name__, f"`{kind.__name__}`")


def _words(head: str, words: Sequence[str]) -> Table:
    return Table((head, "Meaning"), [(_code(word),) for word in words], free=1)


def _data_plane() -> Table:
    rows = []
    for path, (endpoint, method, dialect) in PATHS.items():
        adapter = ADAPTERS.get(endpoint)
        streams = "yes" if adapter and adapter.can_stream else "no"
        billed = "yes" if adapter and adapter.billed else "no"
        spoken = "both" if endpoint is Endpoint.MODELS else dialect.value
        rows.append((_code(f"{method} {path}"), _code(endpoint), spoken, streams, billed))
    return Table(("Request", "Endpoint", "Dialect", "Streams", "Costs money", "What it does"), rows, free=1)


async def _nothing() -> int:
    return 0


async def _applied() -> ApplyResult:
    return ApplyResult(digest="", changed=False)


def _control_plane() -> Table:
    guard = build_admin(
        token="0123456789abcdef",
        readiness=list,
        metrics=bytes,
        apply_config=_applied,
        refresh_keys=_nothing,
        status=dict,
    )
    assert isinstance(guard, HostGuard)
    routes: Any = guard._app
    rows = []
    for route in routes.routes:
        methods = sorted(set(route.methods) - {"HEAD"})
        token = "yes" if route.path.startswith("/admin/") else "no"
        rows.append((_code(f"{methods[0]} {route.path}"), token))
    return Table(("Request", "Needs the admin token", "What it does"), rows, free=1)


def _problems() -> Table:
    return Table(("Code", "Title"), [(_code(code), title) for code, title in TITLES.items()])


def _commands() -> str:
    return "".join(_sections(typer.main.get_command(build()), "gptgate")) + "\n"


def _sections(command: Any, path: str) -> Iterator[str]:
    """One section for each command, in the order of the registry."""
    below = getattr(command, "commands", None)
    if below is not None:
        for part, child in below.items():
            yield from _sections(child, f"{path} {part}")
        return
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option" and param.name != "help"]
    usage = " ".join([path, *(param.metavar for param in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [(_code(param.metavar), "required" if param.required else "–", param.help) for param in arguments]
    rows += [(_option(param), _default(param), _option_help(param)) for param in options]
    text = "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n"))
    table = "\n" + Table(("Option", "Default", "Meaning"), rows).render("") if rows else ""
    yield f"\n### {path}\n\n```text\n{usage}\n```\n\n{text}\n{table}"


def _option(param: Any) -> str:
    names = ", ".join(_code(one) for one in param.opts)
    return f"{names} (repeatable)" if param.multiple else names


def _option_help(param: Any) -> str:
    annotation = param.type_descriptor.annotation
    kind = next(iter(typing.get_args(annotation)), annotation)
    is_choice = isinstance(kind, type) and issubclass(kind, Enum)
    words = f" One of {', '.join(_code(one.value) for one in kind)}." if is_choice else ""
    envvar = f" Environment: `{param.envvar}`." if param.envvar else ""
    return str(param.help) + words + envvar


def _default(param: Any) -> str:
    if param.required:
        return "required"
    value = getattr(param.default, "value", param.default)
    return "–" if value is None or value is False or value == "" else _code(str(value))


SECTIONS = (
    "version",
    "server",
    "providers",
    "models",
    "teams",
    "apps",
    "budgets",
    "classifiers",
    "counters",
    "limits",
    "guards",
    "texts",
    "sinks",
    "policy",
    "audit",
)


def _facts() -> Table:
    rows = [(_code(fact.name), fact.type, fact.meaning) for fact in FACTS]
    return Table(("Fact", "Type", "Meaning"), rows)


def _meanings(head: str, meanings: Mapping[str, str]) -> Table:
    return Table((head, "Meaning"), [(_code(name), meaning) for name, meaning in meanings.items()])


def _pack(pack: str) -> Table:
    snapshot = read_config_text(f"version: 1\npolicy: {{packs: [{pack}]}}", pack)
    return _rules(f"Rule of `{load_pack(pack)}`", snapshot.rules)


def _rules(head: str, specs: Sequence[RuleSpec]) -> Table:
    rows = [(_code(rule.id), rule.stage.value, _code(rule.effect.value), _conditions(rule)) for rule in specs]
    return Table((head, "Stage", "Effect", "When"), rows)


def _conditions(rule: RuleSpec) -> str:
    parts = [", ".join(_code(kind) for kind in rule.findings)]
    if rule.origins:
        parts.append("in " + ", ".join(rule.origins))
    if rule.min_points:
        parts.append(f"from {rule.min_points} points on")
    if rule.when:
        parts.append(_code(rule.when))
    return "; ".join(part for part in parts if part)


TABLES: dict[str, Callable[[], Table]] = {
    **{f"settings {section}": partial(_settings, section) for section in SECTIONS},
    "provider kinds": _provider_kinds,
    "classifier kinds": _classifier_kinds,
    "llama guard labels": lambda: Table(
        ("Code", "Label"), [(_code(code), _code(label)) for code, label in LLAMA_GUARD.items()]
    ),
    "presidio labels": lambda: _words("Label", PRESIDIO),
    "effects": lambda: _words("Effect", [one.value for one in Effect]),
    "context": lambda: Table(
        ("Part", "Points", "When"), [(_code(name), str(points)) for name, points in CONTEXT.items()], free=1
    ),
    "facts": _facts,
    "finding members": lambda: _meanings("Member", FINDING_MEMBERS),
    "functions": lambda: _meanings("Function", FUNCTIONS),
    "own rules": partial(_rules, "Rule", OWN_RULES),
    **{f"pack {pack}": partial(_pack, pack) for pack in PACKS},
    "origins": lambda: _words("Origin", [one.value for one in Origin]),
    "errors": _errors,
    "metrics": _metrics,
    "labels": _labels,
    "detectors": _detectors,
    "kinds": _kinds,
    "intent": lambda: _fields(Intent),
    "end": lambda: _fields(End),
    "end states": lambda: _words("State", [one.value for one in EndState]),
    "finding": lambda: _fields(Finding),
    "opinion": lambda: _fields(Opinion),
    "span": lambda: _fields(Span),
    "circumstances": lambda: _fields(Circumstances),
    "usage": lambda: _fields(Usage),
    "key": lambda: _fields(KeyRecord),
    "request line": lambda: _fields(RequestLine),
    "unauthenticated line": lambda: _fields(UnauthenticatedLine),
    "simulator rules": lambda: _words("Rule", [f"{word}:" for word in rules._RULES]),
    "simulator faults": lambda: _words("Fault", list(faults._WORDS)),
    "data plane": _data_plane,
    "control plane": _control_plane,
    "problems": _problems,
}
"""Name → table. Every one of them stands on exactly one page."""


def filled(text: str) -> str:
    """A page's text with every table as the code has it now. Raises KeyError for a table that there is not."""

    def fill(match: re.Match[str]) -> str:
        body = _commands() if match[2] == "commands" else TABLES[match[2]]().render(match[3])
        return match[1] + body + match[4]

    return BLOCK.sub(fill, text)


def main() -> int:
    """Write all pages anew; says which of them changed."""
    for page in pages():
        text = page.read_text()
        new = filled(text)
        if new != text:
            page.write_text(new)
            print(f"{name(page)} brought up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
