"""Prompt attacks in English."""

from collections.abc import Mapping

from gptgate.detectors.phrase import Phrase

_WORDS = {
    "ignore": "(ignore|disregard|forget|neglect|overlook|discard|dismiss|set aside|pay no attention to|stop following"
    "|stop obeying|do not follow|don't follow|do not obey|no longer follow)",
    "overrule": "(override|overrule|bypass|circumvent|violate|abandon|erase|delete|cancel|reset)",
    "fill": "((all|any|every|of|the|your|my|our|these|those|other|absolutely|completely|about|and|or) )*",
    "earlier": "(previous|previously|prior|preceding|earlier|above|foregoing|initial|original|former|past|system"
    "|following|old|last|existing|current|aforementioned)",
    "orders": "(instructions?|directions?|directives?|prompts?|rules?|guidelines?|guidance|commands?|orders?"
    "|constraints?|restrictions?|programming|training|messages?|conversations?|polic(y|ies)|requests?|tasks?)",
    "show": "(reveal|show|print|output|display|repeat|tell|give|share|disclose|expose|leak|dump|recite|echo|reproduce"
    "|paste|return|copy|state|list|spell out|write out|write down|encode|translate|summari[sz]e|send|read)",
    "all": "((me|us|back|out|to|please|the|all|of|your|entire|full|complete|exact|whole|verbatim|everything|anything"
    "|in|contents?|text|own|very|word|for|first|and|current|a|copy) )*",
    "hidden": "(system|initial|starting|original|hidden|secret|internal|developer|base|core|confidential|pre)",
    "prompt": "(prompts?|instructions?|messages?|directives?|configuration|guidelines|rules)",
    "named": "system( )?prompts?|initial prompts?|pre-?prompts?|system <prompt>",
    "yours": "your( <hidden>){1,2} <prompt>",
    "asked": "your (<hidden> ){0,2}(system( )?prompt|<prompt>)",
    "lax": "(unrestricted|unfiltered|uncensored|unlimited|unchained|jailbroken|amoral|immoral|unethical|evil"
    "|malicious)",
    "wrong": "(illegal|unethical|immoral|amoral|dangerous|harmful|inappropriate|offensive|unsafe|unlawful)",
    "moral": "(ethic(s|al)?|moral(s|ity)?|legal(ity)?|safety|content|censorship)",
    "limits": "(guidelines?|restrictions?|limitations?|limits|filters?|filtering|constraints?|boundaries|principles"
    "|considerations?|concerns?|polic(y|ies)|rules|safeguards?|obligations?|inhibitions?)",
    "mode": "(developer|dev|jailbreak|jailbroken|evil|god|dan|unrestricted|uncensored|opposite|chaos|sudo|admin) mode",
    "some_mode": "<mode>|(debug|maintenance|root|test) mode",
    "told": "(told|taught|given|learn(ed|t)|know|knew|said|got|read|instructed)",
}

_TEXTS: Mapping[str, tuple[tuple[int, str], ...]] = {
    "attack.override": (
        (80, "<ignore!> <fill><earlier> ((and|or) <earlier> )?([a-z]{2,12} ){0,2}<orders>"),
        (80, "<overrule!> <fill>(previous|prior|preceding|system|original|initial) <orders>"),
        (70, "<ignore!> (all|any|every) (of )?((the|your|my|these|those) )?<orders>"),
        (70, "<ignore!> <fill><orders> (above|before|given|you|that|i|we|from|and)"),
        (70, "<ignore!> (all|anything|everything|whatever|what) ([a-z]{1,9} ){0,3}(above|before|previously|so far)"),
        (
            70,
            "<ignore!> (all|anything|everything|whatever) (that )?(you|i|we) ((have|"
            "had|were|was|'ve|been) ){0,2}<told>",
        ),
        (60, "<ignore!> <fill>(rest|remainder) of (this|the|your|these)"),
        (60, "ignore (them|it|this|that|the (above|text|document|article)) and (instead|just|only|simply|print|say)"),
        (80, "(these|your|the|here are) new (instructions|directives|orders) (are|override|supersede|replace)"),
        (
            60,
            "(supersedes?|overrides?|replaces?) (all|any|every) (of )?(the )?(previous|prior|earlier"
            "|other) [a-z]{4,14}",
        ),
        (50, "strictly (adhere to|follow|obey|execute) the following (instruction|command|order)s?"),
        (
            60,
            "(answer|output|response|result|status): (the )?(task|job|request) ((is|was) )?(completed?|done|finished)",
        ),
        (60, "(stop|abort|halt) everything!{0,3} now"),
    ),
    "attack.role": (
        (80, "do anything now"),
        (80, "(typical|usual|normal) (confines|constraints|restrictions|limitations) of (an )?a[il]"),
        (
            60,
            "<lax!> (and <lax> )?(a[il]|assistants?|chat( )?bots?|bots?|persona|language "
            "model|version of|response|gpt)",
        ),
        (
            60,
            "(no|not bound by|without|free from|free of|regardless of|lacks?|devoid of|disregards?"
            "|ignor(e|es|ing)) ((any|all|the|its|his|her|your) ){0,2}<moral>( ((or|and|nor) "
            ")?<moral>){0,3} <limits>",
        ),
        (50, "(no matter how|regardless of how|even if (it is|it's|they are)) <wrong>"),
        (
            50,
            "<wrong>( ((or|and|nor) )?<wrong>){1,4} (it|things?|requests?|content|stuff|the|acts?"
            "|questions?|answers?|behaviou?r)",
        ),
        (
            60,
            "(never|not|don't|doesn't|cannot|can't|won't) ((have|need|required) to )?(refuse|decline"
            "|reject) (to answer|to respond|a|any|an|my|the user|requests?)",
        ),
        (
            60,
            "(do not|don't|does not|doesn't|need not|without having to|no longer|not) ((have|need"
            "|required) to )?(abide by|adhere to|comply with|follow|care about|bound by|obey) ((the|any"
            "|all|its|your) ){0,2}(openai|anthropic|google|ethical|moral|content|safety|legal|typical"
            "|rules imposed)",
        ),
        (60, "openai('s)? ((content|usage|safety|ethical) )?(polic(y|ies)|guidelines|rules|restrictions)"),
        (
            60,
            "(bypass|circumvent|evade|disable|remove|turn off) ((all|any|your|the|its|openai's) "
            "){0,2}(ethical|moral|content|censorship|ai) (filters?|guidelines|restrictions|polic(y|ies)"
            "|safeguards|safety)",
        ),
        (
            60,
            "you are (no longer|not) (an? )?(a[il] (language )?model|language model|chatgpt|bound|limited|restricted)",
        ),
        (50, "(respond|answer|reply|act|acting|behave|pretend|speak) (as|like|to be) (an? )?([a-z]{2,12} )?<lax>"),
    ),
    "attack.developer_mode": (
        (80, "<mode!> (enabled|activated|on|output|unlocked|engaged|response)"),
        (80, "(enter|enable|activate|switch to|simulate|turn on|engage) ((the|into) )?<mode!>"),
        (70, "you are now (in|entering) ((a|an|the) )?([a-z]{3,14} )?<some_mode!>"),
    ),
    "attack.extraction": (
        (
            80,
            "<show> <all>(your|system|the) (<hidden> )?<named!>",
        ),
        (70, "<show> <all><yours!>"),
        (70, "(what|which) (is|are|was|were|'s) (in )?<asked!>"),
        (
            70,
            "(repeat|print|output|copy|display|return|echo|recite) (back )?(me )?(everything|all|the"
            "|the entire|the exact|the previous) ((text|words|contents?|message|prompt|instructions"
            "|conversation|lines|of|the) ){0,4}(above|before this|preceding)",
        ),
        (
            60,
            "(repeat|print|output|copy|reveal|show|tell|list|recite) ([a-z]{2,9} ){0,4}(instructions"
            "|prompt|rules|text|directives) (that )?you (were|have been|are|got|received)",
        ),
        (50, "<yours!>"),
        (60, "what (were|was) you (told|instructed|given|asked) (before|prior|initially|at the)"),
        (60, "(beginning|starting|begin|start) with you are"),
        (50, "(not|n't) (supposed|allowed|permitted) to (tell|reveal|share with|show|disclose to) (me|anyone|users?)"),
        (60, "(admin|administrator|system|root|developer|security|emergency) (override|overrule)"),
    ),
}

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    kind: tuple(Phrase(points, text, _WORDS) for points, text in texts) for kind, texts in _TEXTS.items()
}
