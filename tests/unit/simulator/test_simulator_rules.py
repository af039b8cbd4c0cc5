import pytest

from gptgate.simulator.rules import CANNED, Answer, Call, Prompt, RuleError, Run, Tool, answer

WEATHER = Tool("weather", {"properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "days": {}}})
CLOCK = Tool("clock", {})


def ask(text: str, *, tools: tuple[Tool, ...] = (), choice: str = "", result: str | None = None) -> Answer:
    return answer(Prompt(text=text, tool_result=result, tools=tools, tool_choice=choice))


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("", CANNED),
        ("hello", CANNED),
        ("shout: hello", CANNED),
        ("echo: hello", "hello"),
        ("  echo:  a: b\nc ", "a: b\nc"),
        ("leak: 4111", "Sure, here it is: 4111"),
        ("words: 3", "word word word"),
        ("words: 0", ""),
        ("repeat: 2 ab c", "ab c ab c"),
    ],
)
def test_the_first_line_decides_the_answer(text: str, reply: str) -> None:
    assert ask(text) == Answer(reply)


def test_call_makes_a_tool_call_with_the_given_arguments() -> None:
    assert ask('call: f {"a": [1]}').calls == (Call("f", '{"a": [1]}'),)
    assert ask("call: f").calls == (Call("f", "{}"),)


def test_several_call_lines_make_several_calls() -> None:
    assert ask('call: f {}\ncall: g {"b": 1}').calls == (Call("f", "{}"), Call("g", '{"b": 1}'))


@pytest.mark.parametrize("text", ["call:", "call: f {", "call: f [1]", "words: many", "words: 99999999", "repeat: x y"])
def test_a_directive_that_cannot_be_obeyed_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        ask(text)


def test_run_uses_a_tool_of_the_provider_s_as_often_as_is_said_and_allowed() -> None:
    def run(text: str) -> Run | None:
        hosted = {"web_search": 3, "code_execution": None}
        return answer(Prompt(text=text, tool_result=None, tools=(CLOCK,), tool_choice="", hosted=hosted)).run

    assert run("run: web_search") == Run("web_search", 1)
    assert run("run: web_search 2") == Run("web_search", 2)
    assert run("run: web_search 9") == Run("web_search", 3)
    assert run("run: code_execution 9") == Run("code_execution", 9)
    for text in ("run:", "run: clock", "run: web_search x", "run: web_search 0", "run: code_execution 101"):
        with pytest.raises(RuleError):
            run(text)


def test_use_the_tool_calls_the_first_tool_with_made_up_arguments() -> None:
    calls = ask("please use the tool", tools=(WEATHER, CLOCK)).calls
    assert calls == (Call("weather", '{"city":"simulated","unit":"C","days":null}'),)


def test_use_the_tool_calls_the_tool_that_was_chosen() -> None:
    assert ask("use the tool", tools=(WEATHER, CLOCK), choice="clock").calls == (Call("clock", "{}"),)


def test_use_the_tool_without_tools_is_just_a_text() -> None:
    assert ask("use the tool") == Answer(CANNED)


def test_a_tool_result_is_answered_with_what_it_says() -> None:
    assert ask("", tools=(CLOCK,), result="12:00") == Answer("The tool answered: 12:00")
