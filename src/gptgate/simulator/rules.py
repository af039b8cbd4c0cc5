"""What the simulator answers. It follows from the last user text, by its first line that is not a ``fault:`` line:

    echo: TEXT          answers TEXT (with the lines that follow)
    leak: TEXT          answers "Sure, here it is: TEXT"
    words: N            answers N words
    repeat: N TEXT      answers TEXT, N times, with spaces between
    call: NAME {json}   calls the tool NAME with these arguments; several such lines make several calls
    run: NAME N         runs the tool NAME, one of the provider's own that the request offers, N times, and says so
    use the tool        anywhere in the text, when tools are offered: calls the first one, or the one that `tool_choice`
                        names, with arguments made up from its schema

Otherwise, when the last message is a tool's result, the answer is "The tool answered: " and the result; else it is
`CANNED`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from gptgate.simulator.faults import Faults, parse_faults

CANNED = (
    "This is the gptgate simulator, not a language model. It answers by simple, documented rules: "
    'ask it "echo: hello" and it will answer "hello".'
)
LEAK = "Sure, here it is: "
TOOL_ANSWERED = "The tool answered: "
MAX_ANSWER_CHARS = 10_000_000
MAX_USES = 100
_VERSIONED = re.compile(r"([a-z][a-z0-9_]*?)(?:_[0-9]{8})?")


class RuleError(ValueError):
    """A directive that cannot be obeyed; answered with 400."""


class Tool(Struct, frozen=True):
    """A tool on offer and the JSON schema of its arguments."""

    name: str
    schema: dict[str, Any]


class Prompt(Struct, frozen=True, kw_only=True):
    """What the rules look at. `text` is the last user text; `tool_result` is not None when that came from a tool.

    `tools` are the caller's; `hosted` those that the provider runs, by name, with how often each may be used at most.
    """

    text: str
    tool_result: str | None
    tools: tuple[Tool, ...]
    tool_choice: str
    hosted: Mapping[str, int | None] = {}


class Call(Struct, frozen=True):
    """A tool call; `arguments` is JSON text."""

    name: str
    arguments: str


class Run(Struct, frozen=True):
    """A tool that the provider ran itself, and how often."""

    name: str
    uses: int


class Answer(Struct, frozen=True):
    """What to answer: a text, or tool calls; and what the provider ran before that."""

    text: str
    calls: tuple[Call, ...] = ()
    run: Run | None = None


def split_faults(text: str, defaults: Faults) -> tuple[str, Faults]:
    """The text without its ``fault:`` lines, and the faults they order on top of `defaults`. Raises UnknownFault."""
    if "fault:" not in text:
        return text, defaults
    kept = []
    faults = defaults
    for line in text.split("\n"):
        order = line.strip()
        if order.startswith("fault:"):
            faults = parse_faults(order[6:], faults)
        else:
            kept.append(line)
    return "\n".join(kept), faults


def answer(prompt: Prompt) -> Answer:
    """Apply the rules. Raises RuleError when a directive is malformed."""
    text = prompt.text.strip()
    head, colon, rest = text.partition(":")
    if colon:
        rule = _RULES.get(head)
        if rule is not None:
            return rule(rest.strip(), prompt)
    if prompt.tools and "use the tool" in text:
        return Answer("", (_made_up_call(prompt),))
    if prompt.tool_result is not None:
        return Answer(TOOL_ANSWERED + prompt.tool_result)
    return Answer(CANNED)


def unversioned(kind: str) -> str:
    """The name of a provider's tool, by its type: ``web_search`` of ``web_search_20250305``."""
    named = _VERSIONED.fullmatch(kind)
    return kind if named is None else named[1]


def _echo(rest: str, _: Prompt) -> Answer:
    return Answer(rest)


def _leak(rest: str, _: Prompt) -> Answer:
    return Answer(LEAK + rest)


def _words(rest: str, _: Prompt) -> Answer:
    number = _number(rest)
    return Answer(_bounded("word", number))


def _repeat(rest: str, _: Prompt) -> Answer:
    number, _space, text = rest.partition(" ")
    return Answer(_bounded(text, _number(number)))


def _call(rest: str, _: Prompt) -> Answer:
    calls = []
    for line in rest.split("\n"):
        name, _space, arguments = line.removeprefix("call:").strip().partition(" ")
        arguments = arguments.strip() or "{}"
        try:
            document = msgspec.json.decode(arguments)
        except (msgspec.DecodeError, UnicodeError):
            document = None
        if not name or not isinstance(document, dict):
            raise RuleError("a call is written as: call: NAME {json object}")
        calls.append(Call(name, arguments))
    return Answer("", tuple(calls))


def _run(rest: str, prompt: Prompt) -> Answer:
    name, _, number = rest.partition(" ")
    uses = _number(number.strip() or "1")
    if name not in prompt.hosted:
        raise RuleError(f"run: NAME N needs a tool that the provider runs, and the request offers no {name or 'tool'}")
    if not 1 <= uses <= MAX_USES:
        raise RuleError(f"run: NAME N runs a tool 1 to {MAX_USES} times")
    most = prompt.hosted[name]
    uses = uses if most is None else min(uses, most)
    times = "once" if uses == 1 else f"{uses} times"
    return Answer(f"The simulator ran {name} {times}, and found nothing.", run=Run(name, uses))


_RULES: dict[str, Callable[[str, Prompt], Answer]] = {
    "echo": _echo,
    "leak": _leak,
    "words": _words,
    "repeat": _repeat,
    "call": _call,
    "run": _run,
}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RuleError("words: and repeat: begin with a whole number, and run: NAME may end with one")
    return int(text)


def _bounded(text: str, number: int) -> str:
    if (len(text) + 1) * number > MAX_ANSWER_CHARS:
        raise RuleError(f"an answer has at most {MAX_ANSWER_CHARS} characters")
    return " ".join([text] * number)


def _made_up_call(prompt: Prompt) -> Call:
    chosen = next((tool for tool in prompt.tools if tool.name == prompt.tool_choice), prompt.tools[0])
    properties = chosen.schema.get("properties")
    made_up = {name: _made_up(part) for name, part in properties.items()} if isinstance(properties, dict) else {}
    return Call(chosen.name, msgspec.json.encode(made_up).decode())


_BY_TYPE: dict[str, Any] = {
    "string": "simulated",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
    "object": {},
}


def _made_up(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return None
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    kind = schema.get("type")
    return _BY_TYPE.get(kind) if isinstance(kind, str) else None
