"""Step 12b: ask external classifiers about an answer, where a rule on answers wants to know.

They judge whole texts. So nothing of a stream goes out before they have spoken where a rule may deny it for what they
say; where rules only flag it, its text goes out as it comes, and its end waits. What they are shown leaves the gateway:
it is the answer without what the rules rewrite, and with pseudonyms where they stand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gptgate.core.beside import ClassifierSpec
from gptgate.core.classifier import TOO_LONG, Opinion
from gptgate.core.errors import AnswerTooLarge
from gptgate.core.facts import PolicyFacts
from gptgate.core.finding import Finding, Origin, Path, Segment
from gptgate.core.ports import Cut
from gptgate.core.snapshot import Effect
from gptgate.pipeline.classify import heard, named, opinions_on, shown
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.judge import cut_of
from gptgate.pipeline.services import Services
from gptgate.pipeline.soundness import sound_rewriting

ENVELOPE = frozenset({"id", "model", "object", "role", "service_tier", "stop_reason", "system_fingerprint", "type"})
"""Strings around an answer in which no model speaks. Detectors look at them; classifiers are not shown them."""
MESSAGE = "message"
"""Where the first event of an Anthropic stream has its envelope."""


@dataclass(slots=True)
class Said:
    """One text of the answer, which may still grow, and what the rules rewrite in it."""

    origin: Origin
    is_json: bool
    chars: dict[Origin, int]
    """Of all texts of the answer together."""
    texts: list[str] | None = field(default_factory=list)
    """None: nobody is shown it."""
    cuts: list[Cut] = field(default_factory=list)

    def grow(self, text: str) -> None:
        """It goes on."""
        if text:
            self.chars[self.origin] = self.chars.get(self.origin, 0) + len(text)
            if self.texts is not None:
                self.texts.append(text)

    def rewritten(self, rewrites: Iterable[tuple[Finding, Effect]]) -> None:
        """The rules rewrite this of it."""
        if self.texts is not None:
            self.cuts += [cut_of(finding, Effect.REDACT) for finding, _ in rewrites]


class Hearing:
    """One answer before the judges outside.

    `waits`: nothing of it may go out before `ask` has been answered and decided on.
    """

    def __init__(self, services: Services, facts: PolicyFacts, draft: Draft, names: Iterable[str]) -> None:
        """Use `hearing_of`. `names`: the classifiers that are asked."""
        self._services = services
        self._facts = facts
        self._draft = draft
        self._specs = [services.snapshot.classifiers[name] for name in sorted(names)]
        self._most_bytes = services.snapshot.server.max_answer_bytes
        self._said: list[Said] = []
        self._chars: dict[Origin, int] = {}
        self._unable = 0
        """So many of them cannot judge a text as long as this one is by now."""
        self._deaf = False
        """More was said than any of them can judge: nothing is kept for them any more."""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.waits = services.policy.awaits(facts)

    def begin(self, origin: Origin, is_json: bool) -> Said:
        """A text begins."""
        said = Said(origin, is_json, self._chars)
        if self._deaf or all(origin not in spec.origins for spec in self._specs):
            said.texts = None
        else:
            self._said.append(said)
        return said

    def add(self, segments: Sequence[Segment], rewrites: Iterable[tuple[Finding, Effect]]) -> None:
        """Texts that came whole."""
        envelope = {segment.path for segment in segments if _is_envelope(segment.path)}
        for origin, text in shown(self._services, segments, rewrites, envelope):
            self.begin(origin, False).grow(text)

    def gives_up(self) -> tuple[Sequence[Finding], Sequence[str]] | None:
        """What is known in place of their word as soon as none of them can judge so long a text, once; else None.

        It has to be decided on before anything goes out: a rule may deny what nobody has judged. Raises GuardFailed for
        one that fails closed.
        """
        unable = [spec for spec in self._specs if self._is_too_long(spec)]
        if len(unable) <= self._unable:
            return None
        self._unable = len(unable)
        known = self._heard([_unable(spec) for spec in unable])
        if self._unable < len(self._specs):
            return None
        self._forget()
        return known

    def hold(self, data: bytes, *, at_end: bool) -> bytes:
        """What may go out although the answer has not been heard yet: nothing of what `waits` for it, and nothing
        `at_end`. Ask `gives_up` before. Raises AnswerTooLarge where more would wait than a whole answer may have.
        """
        if not self.waits and not at_end:
            return self.released() + data
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > self._most_bytes:
            raise AnswerTooLarge("The answer is too large to wait for the classifiers that judge it.")
        return b""

    @property
    def withholds_all(self) -> bool:
        """Whether nothing of a stream that has begun is out yet."""
        return self.waits and bool(self._held)

    def released(self) -> bytes:
        """What has waited. It may go out."""
        data = b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        return data

    async def ask(self) -> tuple[Sequence[Finding], Sequence[str]]:
        """Ask all of them about all that was said: what they found, and who of them failed and is let pass.

        Raises GuardFailed for one that could not answer and fails closed.
        """
        texts = [text for said in self._said if (text := self._shown(said))[1].strip()]
        able = [spec for spec in self._specs if not self._is_too_long(spec)]
        opinions = await opinions_on(self._services, able, texts)
        return self._heard((*opinions, *(_unable(spec) for spec in self._specs if spec not in able)))

    def _heard(self, opinions: Sequence[Opinion]) -> tuple[Sequence[Finding], Sequence[str]]:
        self._draft.answer_opinions = tuple(sorted(opinions, key=lambda opinion: opinion.classifier))
        return heard(self._services, self._facts, self._draft.answer_opinions)

    def _forget(self) -> None:
        """Nobody can judge so much: nothing is kept for them any more, and nothing waits for them."""
        self._deaf, self.waits = True, False
        for said in self._said:
            said.texts = None
        self._said.clear()

    def _is_too_long(self, spec: ClassifierSpec) -> bool:
        return sum(self._chars.get(origin, 0) for origin in spec.origins) > spec.max_chars

    def _shown(self, said: Said) -> tuple[Origin, str]:
        text = "".join(said.texts or ())
        if said.cuts:
            text = sound_rewriting(text, self._services.redaction.text(text, said.cuts, said.is_json))
        return said.origin, text


def _is_envelope(path: Path) -> bool:
    *above, name = path or ("",)
    return name in ENVELOPE and above in ([], [MESSAGE])


def _unable(spec: ClassifierSpec) -> Opinion:
    return Opinion(classifier=spec.name, failure=TOO_LONG)


def hearing_of(services: Services, facts: PolicyFacts, draft: Draft) -> Hearing | None:
    """The hearing of the answer to a request with these facts of the response stage; None where no rule wants one.

    It notes in the draft what is said.
    """
    if not services.classifiers:
        return None
    asked = named(services, services.policy.asks(facts))
    return Hearing(services, facts, draft, asked) if asked else None
