"""Orders in the definitions of tools that no honest definition gives: whoever offers a tool may be a stranger.

A definition speaks to the model: "always call this first", "ask the user before" and "you"
" must" are its business. So most
of what is odd in a tool's result is ordinary here. What is not: secrecy towards the user, reading of keys and passwords
that the tool has no need of, sending what was said elsewhere, and taking the place of other tools.
"""

from gptgate.core.finding import Origin
from gptgate.detectors.pattern import ANY, Detector, Pattern
from gptgate.detectors.phrase import patterns, phrases
from gptgate.detectors.phrasebook.indirect_world import WORLD

_KIND = "attack.poisoned_tool"

_WORDS = {
    "user": "((the|this|your|any) )?(users?|humans?|customers?|operators?|developers?)",
    "hush": "(do not|don't|dont|never|must not|should not|without) ((ever|also) )?(tell|telling|inform|informing|notify"
    "|notifying|alert|alerting|warn|warning|mention|mentioning|reveal|revealing|disclose|disclosing)",
    "deed": "(about|of|that|any|this|it|anything|what)",
    "unsaid": "(do not|don't|never) (mention|reveal|disclose|tell) (this|it|these|that)",
    "quietly": "(secretly|silently|quietly|covertly|discreetly) ((also|always|first) )*(append|send|forward|read"
    "|include|add"
    "|copy|upload|post|pass|attach|collect|e-?mail|call|run|execute|store|log)",
    "files": "(\\.ssh/|id_rsa|id_ed25519|\\.aws/credentials|/etc/(passwd|shadow)|mcp\\.json|\\.netrc|\\.npmrc"
    "|private key|ssh key|keychain)",
    "read": "(read|read_file|open|cat|load|fetch|access|get|copy|include)",
    "history": "(system|developer) prompts?|passwords?|credentials?|api keys?|session tokens?|environment variables"
    "|(conversation|chat|message)s? history|previous messages",
    "always": "(always|also|must|first|then|and|please|should|secretly)",
    "carry": "(append|include|pass|add|attach|put|insert|send|forward|copy|embed|encode)",
    "everything": "((the|full|entire|complete|whole|all|any|user's|users|your|of|their|current|previous) )*",
    "carrier": "(argument|parameter|query|field|context|url|note|sidenote|metadata|payload|body|header)",
    "rival": "(over|instead of|rather than) ((all|any|every|the) ){1,3}others?( tools?| functions?)?",
    "prefer": "(prefer|use|call|choose|select)",
    "even_when": "(even (when|if)|regardless of whether|no matter (what|which|if))",
    "reroute": "(instead of|rather than|not to) the ((given|named|requested|original|specified|intended) )"
    "(recipients?|address|account|user)",
    "to_model": "(note|message|instructions?|important|attention)[:!,]?[ ]((to|for) )((the|any|all) )?(model|a[il]|llm"
    "|assistant|agent|language model)",
    "failing": "(otherwise|or else)[,]? ((the|this|it) )?((tool|function) )?(will|would|does|won't|can) ((not|fail|stop"
    "|break) ?){1,2}",
}

DETECTOR = Detector(
    name="poisoned_tools",
    version=2,
    kinds={
        _KIND: "Words in a tool's definition that no honest one has: secrecy, reading of keys, sending data elsewhere."
    },
    patterns=(
        *patterns(
            _KIND,
            (
                *phrases(
                    60,
                    _WORDS,
                    "<hush!> <user> <deed>",
                    "<quietly!>",
                    "<always> <carry> <everything>(<history!>) ~(in|into|to|as|via|with) ((the|a|an|this|its)"
                    " )?([a-z_'\"]{2,16} ){0,2}"
                    "<carrier>",
                    "<prefer> ~<rival!> ~<even_when>",
                    "<reroute!>",
                ),
                *phrases(60, _WORDS, "<read> [A-Za-z0-9 ~/._:'$-]*<files!>", right=ANY),
                *phrases(45, _WORDS, "<hush!> <user>", "<unsaid!>", "<rival!>", "<failing!>"),
                *phrases(45, _WORDS, "<to_model!>", right="[ :!,.]"),
                *WORLD,
            ),
        ),
        Pattern(_KIND, "</?(?:IMPORTANT|INSTRUCTIONS?|SYSTEM|ADMIN|OVERRIDE|HIDDEN|SECRET)>", 60, left=ANY, right=ANY),
    ),
    origins=frozenset({Origin.TOOL_DEFINITION}),
)
