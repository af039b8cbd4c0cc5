"""Prompt injection by phrase and structure, in English. A modest detector: it knows wordings, not intentions.

It is meant to be quiet on ordinary text: long role-play prompts, talk about security and technical documents are what
it was measured against. Each phrase has its own points; the strongest say plainly that earlier instructions shall not
hold, the weakest are odd in honest text but no more than that.

A phrase is a pattern in which ``(`` opens a plain group, ``<word>`` stands for an entry of `_WORDS`, and a space for
whatever may stand between two words: white space, emphasis, quotes, commas, line prefixes.
"""

import re

from gptgate.detectors.pattern import ANY, UNTRUSTED, Detector, Pattern

_KIND = "attack.injection"
_GAP = r"[ \t\r\n\f\v*_\"'`,>~-]{1,8}"

_WORDS = {
    "ignore": "(ignore|disregard|forget|neglect|overlook|discard|dismiss|set aside|pay no attention to|stop following"
    "|stop obeying|do not follow|don't follow|do not obey|no longer follow)",
    "overrule": "(override|overrule|bypass|circumvent|violate|abandon|erase|delete|cancel|reset)",
    "fill": "((all|any|every|of|the|your|my|our|these|those|other|absolutely|completely|about|and|or) ){0,4}",
    "earlier": "(previous|previously|prior|preceding|earlier|above|foregoing|initial|original|former|past|system"
    "|following|old|last|existing|current|aforementioned)",
    "orders": "(instructions?|directions?|directives?|prompts?|rules?|guidelines?|guidance|commands?|orders?"
    "|constraints?|restrictions?|programming|training|messages?|conversations?|polic(y|ies)|requests?|tasks?)",
    "show": "(reveal|show|print|output|display|repeat|tell|give|share|disclose|expose|leak|dump|recite|echo|reproduce"
    "|paste|return|copy|state|list|spell out|write out|write down|encode|translate|summari[sz]e|send|read)",
    "all": "((me|us|back|out|to|please|the|all|of|your|entire|full|complete|exact|whole|verbatim|everything|anything"
    "|in|contents?|text|own|very|word|for|first|and|current|a|copy) ){0,7}",
    "hidden": "(system|initial|starting|original|hidden|secret|internal|developer|base|core|confidential|pre)",
    "prompt": "(prompts?|instructions?|messages?|directives?|configuration|guidelines|rules)",
    "lax": "(unrestricted|unfiltered|uncensored|unlimited|unchained|jailbroken|amoral|immoral|unethical|evil"
    "|malicious)",
    "wrong": "(illegal|unethical|immoral|amoral|dangerous|harmful|inappropriate|offensive|unsafe|unlawful)",
    "moral": "(ethic(s|al)?|moral(s|ity)?|legal(ity)?|safety|content|censorship)",
    "limits": "(guidelines?|restrictions?|limitations?|limits|filters?|filtering|constraints?|boundaries|principles"
    "|considerations?|concerns?|polic(y|ies)|rules|safeguards?|obligations?|inhibitions?)",
    "mode": "(developer|dev|jailbreak|jailbroken|evil|god|dan|unrestricted|uncensored|opposite|chaos|sudo|admin) mode",
    "told": "(told|taught|given|learn(ed|t)|know|knew|said|got|read|instructed)",
}

_OVERRIDE = (
    (80, "<ignore> <fill><earlier> ((and|or) <earlier> )?([a-z]{2,12} ){0,2}<orders>"),
    (80, "<overrule> <fill>(previous|prior|preceding|system|original|initial) <orders>"),
    (70, "<ignore> (all|any|every) (of )?((the|your|my|these|those) )?<orders>"),
    (70, "<ignore> <fill><orders> (above|before|given|you|that|i|we|from|and)"),
    (70, "<ignore> (all|anything|everything|whatever|what) ([a-z]{1,9} ){0,3}(above|before|previously|so far)"),
    (70, "<ignore> (all|anything|everything|whatever) (that )?(you|i|we) ((have|had|were|was|'ve|been) ){0,2}<told>"),
    (60, "<ignore> <fill>(rest|remainder) of (this|the|your|these)"),
    (60, "ignore (them|it|this|that|the (above|text|document|article)) and (instead|just|only|simply|print|say)"),
    (80, "(these|your|the|here are) new (instructions|directives|orders) (are|override|supersede|replace)"),
    (60, "(supersedes?|overrides?|replaces?) (all|any|every) (of )?(the )?(previous|prior|earlier|other) [a-z]{4,14}"),
    (50, "strictly (adhere to|follow|obey|execute) the following (instruction|command|order)s?"),
    (60, "(answer|output|response|result|status): (the )?(task|job|request) ((is|was) )?(completed?|done|finished)"),
    (60, "(stop|abort|halt) everything!{0,3} now"),
)

_ROLE = (
    (80, "do anything now"),
    (80, "<mode> (enabled|activated|on|output|unlocked|engaged|response)"),
    (80, "(enter|enable|activate|switch to|simulate|turn on|engage) ((the|into) )?<mode>"),
    (70, "you are now (in|entering) ((a|an|the) )?([a-z]{3,14} )?(<mode>|(debug|maintenance|root|test) mode)"),
    (80, "(typical|usual|normal) (confines|constraints|restrictions|limitations) of (an )?a[il]"),
    (60, "<lax> (and <lax> )?(a[il]|assistants?|chat( )?bots?|bots?|persona|language model|version of|response|gpt)"),
    (
        60,
        "(no|not bound by|without|free from|free of|regardless of|lacks?|devoid of|disregards?|ignor(e|es|ing)) "
        "((any|all|the|its|his|her|your) ){0,2}<moral>( ((or|and|nor) )?<moral>){0,3} <limits>",
    ),
    (50, "(no matter how|regardless of how|even if (it is|it's|they are)) <wrong>"),
    (
        50,
        "<wrong>( ((or|and|nor) )?<wrong>){1,4} "
        "(it|things?|requests?|content|stuff|the|acts?|questions?|answers?|behaviou?r)",
    ),
    (
        60,
        "(never|not|don't|doesn't|cannot|can't|won't) ((have|need|required) to )?(refuse|decline|reject) "
        "(to answer|to respond|a|any|an|my|the user|requests?)",
    ),
    (
        60,
        "(do not|don't|does not|doesn't|need not|without having to|no longer|not) ((have|need|required) to )?"
        "(abide by|adhere to|comply with|follow|care about|bound by|obey) ((the|any|all|its|your) ){0,2}"
        "(openai|anthropic|google|ethical|moral|content|safety|legal|typical|rules imposed)",
    ),
    (60, "openai('s)? ((content|usage|safety|ethical) )?(polic(y|ies)|guidelines|rules|restrictions)"),
    (
        60,
        "(bypass|circumvent|evade|disable|remove|turn off) ((all|any|your|the|its|openai's) ){0,2}"
        "(ethical|moral|content|censorship|ai) (filters?|guidelines|restrictions|polic(y|ies)|safeguards|safety)",
    ),
    (60, "you are (no longer|not) (an? )?(a[il] (language )?model|language model|chatgpt|bound|limited|restricted)"),
    (
        50,
        "(respond|answer|reply|act|acting|behave|pretend|speak) (as|like|to be) (an? )?([a-z]{2,12} )?<lax>",
    ),
)

_EXTRACT = (
    (
        80,
        "<show> <all>(your|system|the) (<hidden> )?(system( )?prompts?|initial prompts?|pre-?prompts?|system <prompt>)",
    ),
    (70, "<show> <all>your (<hidden> ){1,2}<prompt>"),
    (70, "(what|which) (is|are|was|were|'s) (in )?your (<hidden> ){0,2}(system( )?prompt|<prompt>)"),
    (
        70,
        "(repeat|print|output|copy|display|return|echo|recite) (back )?(me )?"
        "(everything|all|the|the entire|the exact|the previous) "
        "((text|words|contents?|message|prompt|instructions|conversation|lines|of|the) ){0,4}"
        "(above|before this|preceding)",
    ),
    (
        60,
        "(repeat|print|output|copy|reveal|show|tell|list|recite) ([a-z]{2,9} ){0,4}"
        "(instructions|prompt|rules|text|directives) (that )?you (were|have been|are|got|received)",
    ),
    (50, "your (system|hidden|secret|initial|starting) <prompt>"),
    (60, "what (were|was) you (told|instructed|given|asked) (before|prior|initially|at the)"),
    (60, "(beginning|starting|begin|start) with you are"),
    (50, "(not|n't) (supposed|allowed|permitted) to (tell|reveal|share with|show|disclose to) (me|anyone|users?)"),
    (60, "(admin|administrator|system|root|developer|security|emergency) (override|overrule)"),
)

_NAMES = "(?:DAN|STAN|DUDE|JailBreak|AntiGPT|EvilGPT|FreeGPT|BetterDAN|ChaosGPT|DevMode|Mongo Tom|Evil Confidant)"

_STRUCTURES = (
    (60, r"<\|(?:im_start|im_end|im_sep|endoftext|endofprompt|system|user|assistant|end|eot_id|eom_id)\|>"),
    (60, r"<\|(?:(?:start|end)_header_id|(?:begin|end)_of_text|fim_prefix|fim_suffix|channel|message|call)\|>"),
    (60, r"<(?:start|end)_of_turn>"),
    (60, r"\[/?INST\]|<</?SYS>>"),
    (60, r"(?:\[/?system\][ ]?){2}|\[(?:system|assistant|user)\]\(#[a-z_]{1,20}\)"),
    (60, r"</?(?:system|user|assistant)[ _-](?:prompt|instructions?)>|<end[ _-]of[ _-]session>"),
    (60, r"\[[\x80-\xf4]{0,8}[ ]?(?:JAILBREAK|DAN|GPT|CHATGPT|CLASSIC|ANTIGPT|UNFILTERED)(?: MODE)?[ ]?\]"),
)
"""Exact case, and nothing is asked of what stands around them."""

_SIGNS = (
    (50, "(?:CORE|NEW|FOLLOW|PRIORITY|OVERRIDE|HIDDEN|URGENT) INSTRUCTIONS?"),
    (60, r"\[?(?:ADMIN|SYSTEM|ROOT) (?:REQUEST|NOTE|MESSAGE|OVERRIDE|COMMAND|PROMPT|INSTRUCTION)(?:::?|\])"),
    (70, f"(?:as|like|named|called|be|is) (?:an? )?[\"'(\\[]?{_NAMES}[\"')\\]]?[ ,.:;!?]"),
)
"""Exact case, at the beginning of a word."""


def _phrase(points: int, phrase: str) -> Pattern:
    expanded = re.sub("<([a-z]+)>", lambda word: _WORDS[word[1]], phrase)
    body = expanded.replace("(", "(?:").replace(" ", _GAP)
    return Pattern(kind=_KIND, body=body, points=points, ignore_case=True)


DETECTOR = Detector(
    name="injection",
    version=1,
    kinds={_KIND: "Words that try to override instructions, change the role or extract the prompt."},
    patterns=(
        *(_phrase(points, phrase) for group in (_OVERRIDE, _ROLE, _EXTRACT) for points, phrase in group),
        *(Pattern(kind=_KIND, body=body, points=points, left=ANY, right=ANY) for points, body in _STRUCTURES),
        *(Pattern(kind=_KIND, body=body, points=points, right=ANY) for points, body in _SIGNS),
    ),
    origins=UNTRUSTED,
)
