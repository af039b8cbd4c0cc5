"""A text judged under a configuration as the gateway would judge it, without a gateway."""

import json
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gptgate.auth.authorize import authorize
from gptgate.core.document import read_object
from gptgate.core.errors import GateError
from gptgate.core.facts import Decision, Grant, Inspection, PolicyFacts, Principal, RawRequest
from gptgate.core.finding import Origin
from gptgate.core.ports import Inspector
from gptgate.core.snapshot import AppSpec, Snapshot, Stage
from gptgate.core.wire import Dialect, Endpoint
from gptgate.detectors import build_inspector
from gptgate.pipeline.policy_facts import policy_facts
from gptgate.policy.engine import compile_policy
from gptgate.providers.registry import ADAPTERS

WEDNESDAY_NOON_MS = 1_800_446_400_000
ENDPOINTS = {Dialect.OPENAI: Endpoint.CHAT, Dialect.ANTHROPIC: Endpoint.MESSAGES}


class Unfit(Exception):
    """A trial that cannot be held: it names what the configuration has not, or the request is none."""


class Trial(Struct, frozen=True, kw_only=True):
    """What is to be judged. `body` is a whole request; without one, `text` stands in words of `origin`. `answer` is
    what a model says: then the answer's side is judged."""

    text: str = ""
    body: dict[str, Any] | None = None
    answer: str | None = None
    origin: Origin = Origin.USER
    dialect: Dialect = Dialect.OPENAI
    app: str = ""
    model: str = ""
    request_id: str = "trial"


class Verdict(Struct, frozen=True, kw_only=True):
    """What was found and decided, and on which facts. `unasked` are the classifiers that rules on these facts ask."""

    facts: PolicyFacts
    inspection: Inspection
    decision: Decision
    unasked: tuple[str, ...]


class Bench:
    """Judges trials under one configuration. External classifiers are not asked."""

    def __init__(self, snapshot: Snapshot, inspector: Inspector | None = None) -> None:
        """With the configuration's own inspector, or another that is to be tried."""
        self.snapshot = snapshot
        self._inspector = inspector or build_inspector(custom=snapshot.custom)
        self._policy = compile_policy(snapshot.rules, snapshot.digest)

    def judge(self, trial: Trial) -> Verdict:
        """Raises Unfit."""
        try:
            return self._judge(trial)
        except GateError as error:
            known = ": ".join(part for part in (error.guard, error.why) if part)
            raise Unfit(f"{error.message} ({known})" if known else error.message) from None

    def _judge(self, trial: Trial) -> Verdict:
        app = self._app(trial.app)
        endpoint = ENDPOINTS[trial.dialect]
        model = trial.model or self._model(app, trial.dialect)
        document = document_of(trial) if trial.body is None else trial.body
        body = json.dumps({"model": model, **document}).encode()
        raw = RawRequest(
            id=trial.request_id,
            endpoint=endpoint,
            dialect=trial.dialect,
            headers={},
            body=body,
            peer="",
            at_ms=WEDNESDAY_NOON_MS,
            started_ns=0,
        )
        request = ADAPTERS[endpoint].read(raw, read_object(body))
        principal = Principal(team=app.team, app=app, key_id="trial", models=(), endpoints=())
        grant: Grant = authorize(principal, endpoint, trial.dialect, request.model, self.snapshot)
        facts = policy_facts(raw, request, grant, 0)
        segments = request.segments
        if trial.answer is not None:
            facts = replace(facts, stage=Stage.RESPONSE)
            answer = ADAPTERS[endpoint].decode(read_object(json.dumps(_answer(trial)).encode()))
            segments = answer.segments
        inspection = self._policy.assess(facts, self._inspector.inspect(segments))
        return Verdict(
            facts=facts,
            inspection=inspection,
            decision=self._policy.decide(facts, inspection),
            unasked=self._asked(facts),
        )

    def _asked(self, facts: PolicyFacts) -> tuple[str, ...]:
        """As the pipeline takes it: a name that is none of them means all."""
        known, asked = self.snapshot.classifiers, self._policy.asks(facts)
        return tuple(sorted(known if asked.keys() - known.keys() else asked))

    def _app(self, name: str) -> AppSpec:
        if name and name not in self.snapshot.apps:
            raise Unfit(f"the configuration has no app '{name}'")
        if not self.snapshot.apps:
            raise Unfit("the configuration has no app")
        return self.snapshot.apps[name or min(self.snapshot.apps)]

    def _model(self, app: AppSpec, dialect: Dialect) -> str:
        for name, model in sorted(self.snapshot.models.items()):
            if dialect in self.snapshot.providers[model.provider].dialects and (not app.models or name in app.models):
                return name
        raise Unfit(f"the app '{app.name}' has no model that speaks the {dialect} dialect")


def document_of(trial: Trial) -> dict[str, Any]:
    """A request in which the text stands in words of the trial's origin."""
    build = _anthropic if trial.dialect is Dialect.ANTHROPIC else _openai
    return build(trial.origin, trial.text)


def _openai(origin: Origin, text: str) -> dict[str, Any]:
    asked = {"role": "user", "content": "Go on."}
    match origin:
        case Origin.SYSTEM | Origin.DEVELOPER | Origin.ASSISTANT:
            return {"messages": [{"role": origin.value, "content": text}, asked]}
        case Origin.TOOL_CALL | Origin.TOOL_RESULT:
            arguments = json.dumps({"text": text} if origin is Origin.TOOL_CALL else {})
            call = {"id": "call_1", "type": "function", "function": {"name": "tool", "arguments": arguments}}
            result = {
                "role": "tool",
                "tool_call_id": "call_1",
                "content": text if origin is Origin.TOOL_RESULT else "ok",
            }
            return {"messages": [asked, {"role": "assistant", "tool_calls": [call]}, result]}
        case Origin.TOOL_DEFINITION:
            tool = {"type": "function", "function": {"name": "tool", "description": text, "parameters": {}}}
            return {"messages": [asked], "tools": [tool]}
        case Origin.OTHER:
            return {"messages": [asked], "metadata": {"note": text}}
        case Origin.USER:
            return {"messages": [{"role": "user", "content": text}]}


def _anthropic(origin: Origin, text: str) -> dict[str, Any]:
    asked = {"role": "user", "content": "Go on."}
    head: dict[str, Any] = {"max_tokens": 1024}
    match origin:
        case Origin.SYSTEM | Origin.DEVELOPER:
            return {**head, "system": text, "messages": [asked]}
        case Origin.ASSISTANT:
            return {**head, "messages": [asked, {"role": "assistant", "content": text}, asked]}
        case Origin.TOOL_CALL | Origin.TOOL_RESULT:
            given = {"text": text} if origin is Origin.TOOL_CALL else {}
            call = {"type": "tool_use", "id": "toolu_1", "name": "tool", "input": given}
            said = text if origin is Origin.TOOL_RESULT else "ok"
            result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": said}
            turns = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
            return {**head, "messages": [asked, *turns]}
        case Origin.TOOL_DEFINITION:
            return {**head, "messages": [asked], "tools": [{"name": "tool", "description": text, "input_schema": {}}]}
        case Origin.OTHER:
            return {**head, "messages": [asked], "x_note": text}
        case Origin.USER:
            return {**head, "messages": [{"role": "user", "content": text}]}


def _answer(trial: Trial) -> dict[str, Any]:
    if trial.dialect is Dialect.ANTHROPIC:
        return {"role": "assistant", "content": [{"type": "text", "text": trial.answer}]}
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": trial.answer}}]}
