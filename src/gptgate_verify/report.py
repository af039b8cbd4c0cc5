"""What was verified, for people: an auditor's questions, each with the answer of a proven entry.

Threat: names and texts of a record can hold what a terminal obeys. Nothing of that is printed as it is.
"""

import json
from collections.abc import Iterator
from typing import Any

from gptgate_verify.evidence import Evidence


def evidence_lines(proven: Evidence) -> Iterator[str]:
    """Who asked for what, who answered, what was found and what was decided."""
    asked, ended = proven.intent, proven.end or {}
    head = proven.heads[0]
    size = f"{head.size} {'entry' if head.size == 1 else 'entries'}"
    yield f"Verified: request {printable(proven.request)} in the log {head.origin} of {size}."
    lines = {
        "who": f"team {asked.get('team')}, app {asked.get('app')}, key {asked.get('key_id')}, "
        f"end user {asked.get('end_user') or '-'}, from {asked.get('client')}",
        "asked": f"{asked.get('model')} at {asked.get('provider')}, request digest {asked.get('request_digest')}",
        "answered": f"{ended.get('answered_model') or '-'}, {ended.get('state', 'open')}, status {ended.get('status')}",
        "found": ", ".join(f"{kind} x{count}" for kind, count in asked.get("finding_counts", [])) or "nothing",
        "decided": f"{asked.get('effect')} by {', '.join(asked.get('rules', [])) or 'no rule'}, "
        f"configuration {asked.get('config_digest')}" + (" (proven)" if proven.configuration else " (not in the file)"),
    }
    for name, line in lines.items():
        yield f"  {name:9} {printable(line)}"


def entry_lines(entry: bytes) -> Iterator[str]:
    """An entry of the log: its fields, a line each, where it is JSON."""
    value = entry_value(entry)
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    for line in text.split("\n"):
        yield f"  {printable(line)}"


def entry_value(entry: bytes) -> Any:
    """What an entry says, as JSON has it; a text where it is none."""
    text = entry.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def printable(text: str) -> str:
    """The text with every control, format and unassigned character as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
