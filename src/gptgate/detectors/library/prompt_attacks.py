"""Attacks on a model's instructions, by phrase. A modest detector: it knows wordings, not intentions.

It is meant to be quiet on ordinary text: long role-play prompts, talk about security and technical documents are what
it was measured against. Each phrase has its own points; the strongest say plainly that earlier instructions shall not
hold, the weakest are odd in honest text but no more than that.
"""

from itertools import chain

from gptgate.detectors.pattern import ANY, UNTRUSTED, Detector, Pattern
from gptgate.detectors.phrase import patterns
from gptgate.detectors.phrasebook import asia, defiance, english, europe, filters, leaking, puppets, world

_NAMES = "(?:DAN|STAN|DUDE|JailBreak|AntiGPT|EvilGPT|FreeGPT|BetterDAN|ChaosGPT|DevMode|Mongo Tom|Evil Confidant)"

_KINDS = {
    "attack.override": "Words that say that earlier instructions shall not hold.",
    "attack.role": "Words that give the model a role without its rules.",
    "attack.developer_mode": "Words that claim a mode of the model in which its rules do not hold.",
    "attack.extraction": "Words that ask for the model's hidden instructions.",
}

DETECTOR = Detector(
    name="prompt_attacks",
    version=4,
    kinds=_KINDS,
    patterns=(
        *chain.from_iterable(
            patterns(kind, book.PHRASES.get(kind, ()))
            for book in (english, defiance, europe, asia, world, filters, leaking, puppets)
            for kind in _KINDS
        ),
        Pattern(
            "attack.role",
            f"(?:as|like|named|called|be|is) (?:an? )?[\"'(\\[]?{_NAMES}[\"')\\]]?[ ,.:;!?]",
            70,
            right=ANY,
        ),
    ),
    origins=UNTRUSTED,
)
