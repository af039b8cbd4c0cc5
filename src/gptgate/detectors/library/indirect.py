"""Instructions in what tools and documents return. There they have no business: whoever wrote them is not the user.

The same words in a user's own message are no finding of these kinds. Weak signs have points below what makes a rule
of the baseline policy fire alone; they count towards the score.
"""

from gptgate.core.finding import Origin
from gptgate.detectors.pattern import ANY, EDGE, Detector, Pattern
from gptgate.detectors.phrase import patterns, translated
from gptgate.detectors.phrasebook.indirect import ENGLISH
from gptgate.detectors.phrasebook.indirect_world import WORLD
from gptgate.detectors.phrasebook.readers import READERS

_KIND = "attack.indirect"
_HIDDEN = "attack.hidden"

_MARKS = (
    (60, "</?(?:IMPORTANT|INFORMATION|INSTRUCTIONS?|SYSTEM|ADMIN|OVERRIDE|HIDDEN|SECRET)>"),
    (60, r"\[/?(?:INSTRUCTIONS?|SYSTEM|ADMIN|OVERRIDE|IMPORTANT INSTRUCTIONS?|AI INSTRUCTIONS?)\]"),
    (
        60,
        "\n ?(?:User|Human|USER): ?(?:Next|Now|Thanks|Thank you|Great|Good|Perfect|Ignore|Forget|Print|Repeat"
        "|There are more)",
    ),
)
"""Exact case, and nothing is asked of what stands around them."""

_BANNERS = (
    (
        60,
        "(?:IMPORTANT|ATTENTION|URGENT|WARNING|NOTE)[:!,]{0,3} (?:TO |FOR |ALL |THE |ANY ){0,3}(?:AI|LLM|ASSISTANT"
        "|AGENT)S?",
    ),
    (60, "(?:I|i)nstruction: (?:Please|You must|Ignore|Now|Immediately)"),
    (50, "(?:SYSTEM|ADMIN|DEVELOPER|ROOT): ?[A-Z][a-z]{1,16}"),
    (50, "(?:IMPORTANT|ATTENTION|URGENT|CRITICAL)!!!"),
)
"""Exact case: what honest texts write small."""

_ORDER = translated(
    "((ignore|disregard|forget) (all|any|the|every|your|previous|prior)"
    "|(you|assistant|ai|llms?|language model|agents?|model) (must|should|shall|need to|have to|will now|are now)"
    "|(ai|llms?|assistants?|agents?):|(when|if|before) (you )?(summari[sz]|translat|answer|review)(e|es|ing|ed)?"
    "|(instructions?|notes?|messages?) (for|to) (the |any |all )?((coding|ai) )?(ai|assistants?|llms?|models?|agents?"
    "|language models?)"
    "|(do not|don't|never) (tell|mention|inform|reveal)|(your|the) (answer|response|reply|summary|output) (must|should)"
    "|(reply|respond|answer|say|output) (only |just )?with|recommend (this|the|our)|(act|behave|respond) as"
    "|(send|forward|e-?mail|upload|post) (all|the|your|any|every|their)|visit https?|(print|output|repeat) (the"
    "|your|only))",
    {},
)
_SHOWN = r"[A-Za-z0-9 \t\r\n,.;:!?'\"()\[\]/@#_=&*%$|+\x80-\xf4-]*"
"""What stands in a comment or in an element, before the order."""
_UNSEEN = (
    r"(?:display ?: ?none|visibility ?: ?hidden|opacity ?: ?0|font-size ?: ?[01](?:px|pt|em)?|left ?: ?-[0-9]{4,5}px"
    r"|color ?: ?(?:white|\#fff(?:fff)?|transparent)|type=[\"']?hidden)"
)
_HIDING = (
    (ANY, "<!--", f"<!--{_SHOWN}{_ORDER}"),
    (ANY, "\\[(?://|comment)\\]: ?[#<]", f"\\[(?://|comment)\\]: ?[#<]{_SHOWN}{_ORDER}"),
    (EDGE, _UNSEEN, f"{_UNSEEN}{_SHOWN}>{_SHOWN}{_ORDER}"),
)
_HIDDEN_REACH = 1024

DETECTOR = Detector(
    name="indirect",
    version=5,
    kinds={
        _KIND: "Words in a tool's result or a document that speak to the model: orders, secrecy, sending data.",
        _HIDDEN: "Orders in a part of a page that its readers do not see: a comment, or text that is not shown.",
    },
    patterns=(
        *patterns(_KIND, (*ENGLISH, *WORLD, *READERS)),
        *(Pattern(_KIND, body, points, left=ANY, right=ANY) for points, body in _MARKS),
        *(Pattern(_KIND, body, points) for points, body in _BANNERS),
        *(
            Pattern(_HIDDEN, body, 60, left=left, trigger=sign, ignore_case=True, most=_HIDDEN_REACH)
            for left, sign, body in _HIDING
        ),
    ),
    origins=frozenset({Origin.TOOL_RESULT, Origin.OTHER}),
)
