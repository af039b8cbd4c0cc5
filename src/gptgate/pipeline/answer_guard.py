"""Step 12: inspect the answer, whole or as it streams, and let out only what the rules allow.

The rules judge what the model said. Pseudonyms are restored after that: their values were the caller's own, and a rule
on answers must not take them for the model's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import json, structs

from gptgate.core.adapter import Adapter, Answer, Channel, Piece, StreamCodec, StreamEvent
from gptgate.core.document import apply_edits, encode_json
from gptgate.core.errors import GuardFailed, Reach, RedactionImpossible, UpstreamBroken
from gptgate.core.facts import Decision, Grant, Inspection, PolicyFacts
from gptgate.core.finding import Finding, Origin, Path, Segment
from gptgate.core.ports import Cut, Pseudonyms, StreamScanner, TextRedactor, TextRestorer
from gptgate.core.snapshot import STRENGTH, Effect, Stage
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.hearing import Said, hearing_of
from gptgate.pipeline.judge import cut_of, denial, edited, rewriting_edits, rewritten
from gptgate.pipeline.keeping import class_of, content_of, content_unjudged, keeps_any, kept_out
from gptgate.pipeline.outgrowth import AROUND_TOKENS
from gptgate.pipeline.services import Services
from gptgate.pipeline.soundness import NONSENSE, sound, sound_findings
from gptgate.pipeline.whole_texts import WholeTexts

MAX_SCORED = 512
"""Findings that stay in the running score of a stream: a provider that floods us must not make us slow."""
MAX_KEPT_CHARS = 1_000_000
"""Characters of a stream that the record may keep."""
MAX_CHANNELS = 1024


@dataclass(slots=True)
class _Growing:
    """One channel. `held` counts the characters that were received and are not judged yet."""

    scanner: StreamScanner
    redactor: TextRedactor
    restorer: TextRestorer | None
    is_json: bool
    said: Said | None
    held: int = 0
    closed: bool = False
    kept: list[str] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether text was received that is not out yet."""
        return self.held > 0 or (self.restorer is not None and bool(self.restorer.pending))


class AnswerGuard:
    """Judges one answer. Notes in the draft what it finds and what the rules say of it."""

    def __init__(
        self,
        services: Services,
        grant: Grant,
        facts: PolicyFacts,
        draft: Draft,
        pseudonyms: Pseudonyms | None = None,
        *,
        offers_tools: bool = True,
        minded: Sequence[str] = (),
    ) -> None:
        """`offers_tools`: False where a rule took the tools away, so that an answer must not call any. `minded`: texts
        that are looked for in the answer."""
        self._services = services
        self._inspector = services.inspector.minding(minded) if minded else services.inspector
        self._offers_tools = offers_tools
        self._pseudonyms = pseudonyms
        self._app = grant.principal.app
        self._keeps = keeps_any(self._app)
        self._classes = draft.request_classes()
        """Of what was found on both sides: an answer may tell of what it was asked in words that nothing recognises."""
        self._facts = structs.replace(facts, stage=Stage.RESPONSE)
        self._draft = draft
        self._held = services.policy.held(self._facts)
        self.hearing = hearing_of(services, self._facts, draft)
        self._findings: tuple[Finding, ...] = ()
        self._failures: tuple[str, ...] = ()
        self._whole: tuple[Finding, ...] | None = None
        self._rewrites: list[tuple[Finding, Effect]] | None = None
        """Of a whole answer, where it was decided on already."""
        self._clean: tuple[Segment, ...] = ()
        self._head: dict[Path, bytes] = {}
        self._channels: dict[Channel, _Growing] = {}
        self._kept_chars = 0
        self._whole_texts = WholeTexts()
        self.received = self.beside = 0
        """Characters of a stream that came, let out or not; and bytes that they may be besides, with what is around."""
        self._unjudged = False
        """A text was received that its scanner has not judged: true for good when the scanner failed."""

    def inspect(self, answer: Answer) -> None:
        """Look for what is in a whole answer. Safe in a thread."""
        self._expect_no_call(answer.segments)
        findings = sound_findings(self._inspector.inspect(answer.segments), answer.segments)
        self._classify(findings)  # before anybody can take the answer for inspected: its caller may hang up meanwhile
        self._whole = findings

    async def hear_whole(self, answer: Answer) -> None:
        """Ask the classifiers, where rules want to hear them, about an inspected answer that is not denied already.

        Raises PolicyDenied; GuardFailed for one that fails closed, or for an answer that was not inspected.
        """
        if self.hearing is not None:
            findings = self._inspected()
            self._rewrites = rewritten(findings, self._decide(findings).rewrites)
            self.hearing.add(answer.segments, self._rewrites)
            self._weigh(*await self.hearing.ask())

    def hold(self, data: bytes, *, at_end: bool) -> bytes:
        """What of a stream may go out before its classifiers spoke. Raises as `hear_stream`, and AnswerTooLarge."""
        if self.hearing is None:
            return data
        if (known := self.hearing.gives_up()) is not None:
            self._weigh(*known)
        return self.hearing.hold(data, at_end=at_end)

    async def hear_stream(self) -> bytes:
        """Ask the classifiers about a stream that has come to its end: what of it waited for their word.

        Raises PolicyDenied, or GuardFailed for one that fails closed.
        """
        if self.hearing is None:
            return b""
        self._weigh(*await self.hearing.ask())
        return self.hearing.released()

    def whole(self, adapter: Adapter, answer: Answer, body: bytes) -> bytes:
        """The bytes of an inspected answer as they may go out.

        Raises PolicyDenied or RedactionImpossible; GuardFailed for an answer that was not inspected.
        """
        findings = self._inspected()
        rewrites = self._rewrites
        if rewrites is None:
            rewrites = rewritten(findings, self._decide(findings).rewrites)
        edits = rewriting_edits(self._services.redaction, answer.segments, rewrites)
        self._restore(answer.segments, edits)
        return edited(adapter, answer, body, edits)

    def _inspected(self) -> tuple[Finding, ...]:
        if self._whole is None:
            raise GuardFailed(NONSENSE, guard="inspection", why="a whole answer that nobody has looked at")
        return self._whole

    def kept_whole(self, adapter: Adapter, answer: Answer, body: bytes) -> bytes | None:
        """The whole answer as the configuration lets it be kept; one that was never judged, under ``full`` only.

        Pseudonyms stay: what they stand for is on no record.
        """
        keep = content_unjudged(self._app) if self._whole is None else content_of(self._app, self._classes)
        if keep == "full":
            return body
        if keep == "none" or self._whole is None:
            return None
        try:
            edits = rewriting_edits(self._services.redaction, answer.segments, kept_out(self._app, self._whole))
        except RedactionImpossible:
            return None
        return edited(adapter, answer, body, edits)

    def begin(self) -> None:
        """Rules that look at no finding speak before the first event of a stream. Raises PolicyDenied."""
        self._decide(())

    def event(self, codec: StreamCodec, event: StreamEvent) -> bytes:
        """What may go out because of this event: nothing, earlier text, the event itself, or the event with edits.

        Raises PolicyDenied, RedactionImpossible, or UpstreamBroken for text that follows its own end.
        """
        if event.around is not None and (not event.whole or event.whole is self._clean):
            return self._same(codec, event, event.around)
        edits: dict[Path, bytes] = {}
        if event.whole and event.whole is not self._clean:
            chars, beside = self._whole_texts.count(event)
            self.received, self.beside = self.received + chars, self.beside + beside
            self._expect_no_call(event.whole)
            findings = sound_findings(self._inspector.inspect(event.whole), event.whole)
            rewrites = rewritten(findings, self._decide(findings).rewrites) if findings else []
            if self.hearing is not None:
                self.hearing.add(event.whole, rewrites)
            if findings:
                edits = rewriting_edits(self._services.redaction, event.whole, rewrites)
            self._restore(event.whole, edits)
            if not findings and not edits:
                self._clean = event.whole
            self._head = {path: edit for path, edit in edits.items() if path in _HEAD}
        touched = False
        seen: set[Channel] = set()
        for piece in event.pieces:
            closing = _closes(event, piece.channel)
            growing = self._channel(codec, piece)
            touched = touched or growing.holds
            seen.add(piece.channel)
            text = self._grow(growing, piece.text, closing)
            touched = touched or growing.holds
            if text != piece.text:
                edits[piece.path] = encode_json(text)
        out = self._close(codec, event, seen) if event.closes != () else b""
        if event.drop:
            return out
        # What repeats a text goes only with that text: held back, it would come too early, alone, unjudged.
        alone = self._held and not event.pieces
        if not edits and not (event.repeats and (touched or alone)):
            return out + event.raw
        for path in event.repeats:
            edits[path] = b"null"
        data = apply_edits(event.data, edits)
        name = b"event: " + event.name.encode() + b"\n" if event.name else b""
        return out + name + b"data: " + data + b"\n\n"

    def _same(self, codec: StreamCodec, event: StreamEvent, around: tuple[bytes, bytes]) -> bytes:
        """An event that is nothing but the next piece of a text."""
        piece = event.pieces[0]
        growing = self._channels.get(piece.channel) or self._channel(codec, piece)
        text = self._grow(growing, piece.text, False)
        if text == piece.text:
            return event.raw
        name = b"event: " + event.name.encode() + b"\n" if event.name else b""
        return name + b"data: " + around[0] + encode_json(text)[1:-1] + around[1] + b"\n\n"

    def rest(self, codec: StreamCodec) -> bytes:
        """All that is still held back, for a stream that broke off; nothing of what waits for a classifier's word."""
        rest = self._close(codec, StreamEvent(b"", "", b"", closes=None), set())
        return b"" if self.hearing is not None and self.hearing.waits else rest

    def kept_stream(self, codec: StreamCodec) -> bytes | None:
        """The streamed texts by place, as the configuration lets them be kept."""
        app = self._app
        if not self._keeps or self._kept_chars > MAX_KEPT_CHARS:
            return None
        if not self._unjudged and (app.class_content or app.content == "redacted"):
            for growing in self._channels.values():
                if not growing.closed:
                    self._note(growing, growing.scanner.finish()[1])
        keep = content_unjudged(app) if self._unjudged else content_of(app, self._classes)
        redacts = keep == "redacted"
        if keep == "none" or (redacts and self._unjudged):
            return None
        texts: dict[str, str] = {}
        for channel, growing in self._channels.items():
            text = "".join(growing.kept)
            if redacts and growing.cuts:
                text = self._services.redaction.text(text, growing.cuts, growing.is_json)
            # Places of very long names are alike.
            place = codec.place(channel)
            texts[place] = texts.get(place, "") + text
        return encode_json(texts)

    def _channel(self, codec: StreamCodec, piece: Piece) -> _Growing:
        growing = self._channels.get(piece.channel)
        if growing is None:
            if len(self._channels) >= MAX_CHANNELS:
                raise UpstreamBroken("The provider's stream has too many parallel texts.", reach=Reach.ANSWERED)
            if piece.origin is Origin.TOOL_CALL and not self._offers_tools:
                raise _uncalled_for()
            place, is_json = codec.place(piece.channel), piece.is_json
            scanner = self._inspector.stream(place, piece.origin, self._held, is_json)
            restorer = None if self._pseudonyms is None else self._pseudonyms.restorer(is_json)
            said = None if self.hearing is None else self.hearing.begin(piece.origin, is_json)
            growing = _Growing(scanner, self._services.redaction.stream(is_json), restorer, is_json, said)
            self._channels[piece.channel], self.beside = growing, self.beside + AROUND_TOKENS
        return growing

    def _grow(self, growing: _Growing, text: str, closing: bool) -> str:
        if growing.closed:
            if text:
                raise UpstreamBroken("The provider sent text after its end.", reach=Reach.ANSWERED)
            return ""
        self.received += len(text)
        self.beside += 0 if text.isascii() else 3 * len(text)
        if self._keeps:
            self._kept_chars += len(text)
            if self._kept_chars <= MAX_KEPT_CHARS:
                growing.kept.append(text)
        if growing.said is not None:
            growing.said.grow(text)
        self._unjudged = True
        released, findings = growing.scanner.feed(text)
        self._unjudged = False
        growing.held += len(text) - len(released)
        out = self._release(growing, released, findings)
        return out + self._finish(growing) if closing else out

    def _finish(self, growing: _Growing) -> str:
        growing.closed = self._unjudged = True
        released, findings = growing.scanner.finish()
        self._unjudged = False
        growing.held = 0
        out = self._release(growing, released, findings)
        return out if growing.restorer is None else out + growing.restorer.finish()

    def _release(self, growing: _Growing, released: str, findings: tuple[Finding, ...]) -> str:
        """Judged text as it may go out, but for the tail that may still become a pseudonym."""
        text = growing.redactor.apply(released, self._cuts(growing, findings) if findings else ())
        return text if growing.restorer is None else growing.restorer.feed(text)

    def _cuts(self, growing: _Growing, findings: tuple[Finding, ...]) -> list[Cut]:
        # Noted before the decision, which may be to deny: the record must not keep what the caller may not have.
        self._note(growing, findings)
        rewrites = rewritten(findings, self._decide(findings).rewrites)
        if growing.said is not None:
            growing.said.rewritten(rewrites)
        return [cut_of(*found) for found in rewrites]

    def _note(self, growing: _Growing, findings: tuple[Finding, ...]) -> None:
        """Remember what matters of these for what is kept of the text."""
        self._classify(findings)
        if self._keeps and self._kept_chars <= MAX_KEPT_CHARS:
            growing.cuts += [cut_of(*found) for found in kept_out(self._app, findings)]

    def _classify(self, findings: tuple[Finding, ...]) -> None:
        if self._app.class_content:
            self._classes.update(map(class_of, findings))

    def _close(self, codec: StreamCodec, event: StreamEvent, seen: set[Channel]) -> bytes:
        out = b""
        for channel, growing in self._channels.items():
            if not growing.closed and channel not in seen and _closes(event, channel):
                text = self._finish(growing)
                if text:
                    out += self._flushed(codec.flush(channel, text))
        return out

    def _expect_no_call(self, segments: Sequence[Segment]) -> None:
        if not self._offers_tools and any(segment.origin is Origin.TOOL_CALL for segment in segments):
            raise _uncalled_for()

    def _flushed(self, event: bytes) -> bytes:
        """An event that the codec made repeats the head of the provider's last one: it goes out as that one did."""
        if not self._head:
            return event
        name, data, document = event.partition(b"data: ")
        return name + data + apply_edits(document, self._head) + b"\n\n"

    def _restore(self, segments: Sequence[Segment], edits: dict[Path, bytes]) -> None:
        """Restore the pseudonyms in these segments, as the edits leave them. A key is never edited."""
        if self._pseudonyms is None:
            return
        for segment in segments:
            if segment.is_key:
                continue
            edit = edits.get(segment.path)
            text = segment.text if edit is None else json.decode(edit, type=str)
            restored = self._pseudonyms.restore(text, segment.is_json)
            if restored != text:
                edits[segment.path] = encode_json(restored)

    def _weigh(self, found: Sequence[Finding], failures: Sequence[str]) -> None:
        """Decide on what the classifiers found too, and on who of them failed. Raises PolicyDenied."""
        # In front, so that the record lists them however many others there are.
        self._classify(tuple(found))
        self._findings = (*found, *self._findings)
        self._failures = tuple(failures)
        self._decide(())

    def _decide(self, findings: tuple[Finding, ...]) -> Decision:
        """The decision on new findings, whose `rewrites` count within `findings`. Raises PolicyDenied."""
        self._classify(findings)
        known = len(self._findings)
        inspection = sound(
            Inspection, self._services.policy.assess(self._facts, self._findings + findings, self._failures)
        )
        decision = sound(Decision, self._services.policy.decide(self._facts, inspection))
        self._findings = inspection.findings[:MAX_SCORED]
        draft = self._draft
        draft.answer_findings = self._findings
        draft.answer_score = max(draft.answer_score, inspection.score)
        draft.answer_effect = max(draft.answer_effect, decision.effect, key=STRENGTH.__getitem__)
        draft.answer_rules = tuple(dict.fromkeys(draft.answer_rules + decision.rules))
        draft.answer_shadowed = tuple(dict.fromkeys(draft.answer_shadowed + decision.shadowed))
        draft.answer_failures = tuple(dict.fromkeys(draft.answer_failures + decision.failures))
        if decision.effect is Effect.DENY:
            raise denial(decision)
        return structs.replace(
            decision, rewrites=tuple((index - known, how) for index, how in decision.rewrites if index >= known)
        )


_HEAD: frozenset[Path] = frozenset({("id",), ("model",)})
"""The provider's own words that events of a codec's making repeat."""


def _closes(event: StreamEvent, channel: Channel) -> bool:
    return event.closes is None or any(channel[: len(prefix)] == prefix for prefix in event.closes)


def _uncalled_for() -> UpstreamBroken:
    return UpstreamBroken("The provider called a tool that it was not offered.", reach=Reach.ANSWERED)
