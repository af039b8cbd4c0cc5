"""A stream that takes more than was reserved for it: more is reserved, or it is ended.

A provider may ignore the bound on the output. How far its answer has come is known from the usage that it reports on
the way; where it reports none, from the text, which is counted as few tokens as it can be, so that nobody who keeps the
bound is stopped. A text that has outgrown what is held is not let out. What a provider reports may be more, by one
report: that is spent, and recorded as it is.
"""

import sys

from gptgate.core.budgets import Outgrown
from gptgate.core.errors import ClientError, StreamOutgrown
from gptgate.core.facts import Reservation, Usage
from gptgate.pipeline.charges import Ceiling
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.limiting import Admitted
from gptgate.pipeline.services import Services

CHARS_PER_TOKEN = 16
"""So many characters a token has at most on average, whatever the language: words have four to five, indented code
seven."""
SLACK_CHARS = 1024
"""Eight of the longest tokens in use, which stand for 128 spaces: a short answer can be made of them."""
AROUND_TOKENS = 256
"""What stands around each text of an answer: a tool's name, a template's markers. More than any that is in use."""
LEAST_TOKENS = 256
SHARE = 4
"""More is reserved by a quarter of the output that is held, and by so many tokens at least: few steps, small ones."""
PARTS = (1, 16, None)
"""Where a step is not paid for, a part of it may be; None: what has come, and no more."""


class Outgrowth:
    """What is held for one stream. `reservation` is the present one.

    A stream that stays within it costs a comparison with `room` for each piece: so many characters are within it in any
    case.
    """

    __slots__ = ("_admitted", "_draft", "_held", "_reported", "_services", "extended", "reservation", "room")

    def __init__(
        self, services: Services, draft: Draft, admitted: Admitted, reservation: Reservation, ceiling: Ceiling
    ) -> None:
        self._services, self._draft, self._admitted = services, draft, admitted
        self._held, self._reported = ceiling, Usage()
        self.room = _room(ceiling)
        self.reservation = reservation
        self.extended = False

    def passed(self, usage: Usage | None) -> bool:
        """Whether it may have outgrown what is held, by the usage so far."""
        held = self._held
        if usage is None or not held.bounds:
            return False
        return usage.output_tokens > held.output_tokens or usage.input_tokens > held.input_tokens

    def told(self, usage: Usage | None) -> None:
        """The last that the provider reported, also of a stream that ended before it was looked at."""
        if usage is not None:
            self._reported = usage

    async def follow(self, usage: Usage | None, chars: int) -> None:
        """Hold as much as it has come to. Raises StreamOutgrown where that is not wanted, or not paid for;
        AuditUnavailable and CountersUnavailable where nobody can say."""
        held = self._held
        input_tokens, output_tokens = held.input_tokens, _least_tokens(chars)
        if usage is not None:
            self.told(usage)
            input_tokens, output_tokens = usage.input_tokens, max(output_tokens, usage.output_tokens)
        if _is_within(held.grown(input_tokens, output_tokens), held):
            # Less input leaves room for more output. The estimate is looked at again a step later.
            self.room = max(self.room, chars + LEAST_TOKENS)
            return
        if self._services.snapshot.server.outgrown is Outgrown.END:
            raise StreamOutgrown("The answer is longer than what was reserved for it, so it was ended.")
        input_tokens, output_tokens = max(input_tokens, held.input_tokens), max(output_tokens, held.output_tokens)
        step = max(LEAST_TOKENS, held.output_tokens // SHARE)
        for part in PARTS:
            more = step // part if part is not None else 0
            try:
                await self._hold(held.grown(input_tokens, output_tokens + more))
            except ClientError as refusal:
                if part is None:
                    raise _ended(refusal) from refusal
            else:
                return

    def estimate(self) -> tuple[int, Usage] | None:
        """What stays spent where the provider did not report the whole usage, in nano-dollars and in tokens; None where
        nothing is known but the first reservation."""
        reported = self._held.grown(self._reported.input_tokens, self._reported.output_tokens)
        if not self.extended and _is_within(reported, self._held):
            return None
        tokens = max(self.reservation.tokens, reported.input_tokens + reported.output_tokens)
        output_tokens = max(self._held.output_tokens, reported.output_tokens)
        usage = Usage(input_tokens=tokens - output_tokens, output_tokens=output_tokens)
        return max(self.reservation.nano, reported.spend.nano), usage

    def delivered(self, chars: int, most_bytes: int) -> tuple[int, Usage]:
        """What a complete answer stays spent at where its provider reports no usage, in nano-dollars and in tokens: the
        whole input, and a token for each byte. Not more than is held, unless it must have been."""
        held = self._held
        output_tokens = max(min(held.output_tokens, most_bytes), _least_tokens(chars))
        usage = Usage(input_tokens=held.input_tokens, output_tokens=output_tokens)
        return held.grown(held.input_tokens, output_tokens).spend.nano, usage

    async def _hold(self, wider: Ceiling) -> None:
        """In all budgets and limits, then durable: what was let out is held also after a crash."""
        services, draft = self._services, self._draft
        self.reservation = await self._admitted.extend(services.ledger, self.reservation, wider)
        self._held, self.room, self.extended = wider, _room(wider), True
        draft.extensions, draft.extended_nano = draft.extensions + 1, self.reservation.nano
        tokens = Usage(input_tokens=wider.input_tokens, output_tokens=wider.output_tokens)
        await services.store.extend(self.reservation, tokens)


def _ended(refusal: ClientError) -> StreamOutgrown:
    error = StreamOutgrown(f"The answer is longer than what was reserved for it, so it was ended: {refusal.message}.")
    error.limit = refusal.limit
    return error


def _room(ceiling: Ceiling) -> int:
    return ceiling.output_tokens * CHARS_PER_TOKEN + SLACK_CHARS if ceiling.bounds else sys.maxsize


def _least_tokens(chars: int) -> int:
    return max(0, -(-(chars - SLACK_CHARS) // CHARS_PER_TOKEN))


def _is_within(found: Ceiling, held: Ceiling) -> bool:
    return found.spend.nano <= held.spend.nano and found.spend.tokens <= held.spend.tokens
