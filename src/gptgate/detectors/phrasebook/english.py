"""Prompt attacks in English."""

from collections.abc import Mapping

from gptgate.detectors.phrase import Phrase

COMMAND_ENDS = r"[.!,:;\n\])\xff]"
_NO_NOUN = r"(?:[^A-Za-z0-9 ]|[ ](?:[^tfoTFO]|[tT](?:[^hH]|hen|hey)|[fF][^oO]|[oO][^fFnN]))"
"""What follows says no more of it: ``the text above the table``, ``the rules for parking`` are things of others."""
_HERE = r"[ ](?:for|of|on) (?:this|our|the|your) (?:chat|conversation|session|task|system|developer|company|rest)"

_WORDS = {
    "ignore": "(ignore|disregard|forget|neglect|overlook|discard|dismiss|scrap|ditch|unlearn|set aside|pay no"
    " attention to|stop following"
    "|stop obeying|do not follow|don't follow|do not obey|no longer follow)",
    "overrule": "(override|overrule|bypass|circumvent|violate|abandon|erase|delete|cancel|reset)",
    "fill": "((all|any|every|of|the|your|my|our|these|those|other|absolutely|completely|about|and|or) )*",
    "yours_or_all": "((all|any|every|of|the|your|these|those|other|absolutely|completely|about|and|or) )*",
    "earlier": "(previous|previously|prior|preceding|earlier|above|foregoing|initial|original|former|past|system"
    "|following|old|last|existing|current|aforementioned)",
    "orders": "(instructions?|directions?|directives?|prompts?|rules?|guidelines?|guidance|commands?"
    "|constraints?|restrictions?|programming|training)",
    "told_orders": "(instructions?|directions?|directives?|prompts?|guidelines?|guidance|commands?|programming"
    "|training)",
    "bare_rules": "(rules?|constraints?|restrictions?)",
    "talk": "(messages|conversations?|polic(y|ies)|requests|tasks?|orders)",
    "makers": "(developers?|creators?|makers?|programmers?|engineers?|operators?|owners?|company|openai|anthropic"
    "|google"
    "|microsoft|meta)",
    "as_a": "(you are|you're|as|like|be|become|becoming|into|called|named|simulat(e|ing)|play(ing)?"
    "|pretend(ing)?|mode"
    "|imagine|creat(e|ing)) ((an?|the|my|your|to|be|being|now|completely|totally|fully|new|truly) ){0,4}",
    "machine": "(a[il]s?|assistants?|chat( )?bots?|bots?|machines?|(language )?models?|llms?|gpt|twin|persona|robots?)",
    "free_of": "(no|without|zero|free (of|from)|lacking|has no|have no|with no) ((any|all|the|its|single|more"
    "|[a-z]{4,9}) ){0,2}(limits?|limitations?|restrictions?|filters?|rules|polic(y|ies)|guidelines|laws|boundaries"
    "|censorship|ethics|morals|conscience|scruples|inhibitions|safeguards|guardrails)",
    "safety": "your ((own|whole|entire|built-in|internal|current|all) ){0,2}((safety|ethical|moral|content)"
    " )?(layers?"
    "|filters?|guardrails?|safeguards?|protocols?|restrictions?|measures|limits|polic(y|ies)|guidelines|censorship)",
    "plain_mode": "(developer|dev|god|admin|sudo|opposite) mode",
    "before_mine": "((that|which) )?((came|comes|stands?|appears?|goes|is|was) )?(precedes?|preceding|preceded|before"
    "|above|prior to|ahead of) ((my|this|our) |the (very |user's ){0,1}first )((first|very|own|opening)"
    " ){0,2}(messages?|prompts?"
    "|conversation|questions?|line|input)",
    "primed": "you (were|are|got|have been) ((originally|initially|first) )?(initiali[sz]ed|configured|primed"
    "|programmed"
    "|prompted|seeded|set up|started|loaded) (with|by)",
    "set_for_you": "((that )?(the|your) <makers> ((has|have|had) )?<set> ((up|down|to|for|on|upon) )?you"
    "|your <makers> <set>)",
    "put_you": "(the|your) <makers> ((has|have|had) )?(put|started|launched|configured|deployed|loaded|primed)"
    " you ((up"
    "|out) )?(on|with|under|in|to)",
    "set": "(set|gave|given|wrote|written|defined|imposed|taught|told|provided)",
    "no_longer": "((no longer|don't|do not|doesn't|cease to|stop) ((exist|count|hold|matter)|appl(y|ies)|bind)"
    "|(are|is|were|have been|has been) ((now|hereby|all) )?(cancell?ed|void|null|revoked|lifted|suspended|repealed"
    "|obsolete"
    "|invalid|terminated))",
    "you_had": "((that )?you ((were|got|have|had|received|are|given|been|start(ed)?|told|at|the|with|from|before|by"
    "|follow"
    "|following|until|up|to|now|your|beginning|outset|so far|<makers>) ){1,8})",
    "own": "((own|safety|content|ethical|internal|usual|normal|standard|core|old|previous|prior|earlier|original"
    "|former) ){0,2}",
    "freely": "(no|zero|without (any )?) ?(restrictions?|limits|filters?|censorship|morals|ethics|boundaries)",
    "unsafe_model": "(safety|filters?|guardrails?|restrictions|censorship|moderation) ((is|are|has been|have been"
    "|all) ){0,2}"
    "(switched off|turned off|disabled|removed|lifted)",
    "show": "(reveal|show|print|output|display|repeat|tell|give|share|disclose|expose|leak|dump|recite|echo|reproduce"
    "|paste|return|copy|state|list|spell out|write out|write down|encode|translate|summari[sz]e|send|read)",
    "all": "((me|us|back|out|to|please|the|all|of|your|entire|full|complete|exact|whole|verbatim|everything|anything"
    "|in|contents?|text|own|very|word|for|first|and|current|a|copy) )*",
    "hidden": "(system|initial|starting|original|hidden|secret|internal|developer|base|core|confidential|pre)",
    "prompt": "(prompts?|instructions?|messages?|directives?|configuration|guidelines|rules)",
    "named": "system( )?prompts?|(initial|hidden|secret) prompts?|pre-?prompts?|system <prompt>|(hidden|secret)"
    " instructions",
    "pretend": "(pretend|imagine|suppose|act as if|act like|make believe|let's say|as though|as if|behave as if)",
    "exactly": "(exactly|verbatim|word for word|as (they|it) (were|was|are|is) (written|given)|in full|literally)",
    "yours": "your( <hidden>){1,2} <prompt>",
    "asked": "your (<hidden> ){0,2}(system( )?prompt|<prompt>)",
    "lax": "(unrestricted|unfiltered|uncensored|unlimited|unchained|jailbroken|amoral|immoral|unethical|evil"
    "|malicious)",
    "wrong": "(illegal|unethical|immoral|amoral|dangerous|harmful|inappropriate|offensive|unsafe|unlawful)",
    "moral": "(ethic(s|al)?|moral(s|ity)?|legal(ity)?|safety|content|censorship)",
    "limits": "(guidelines?|restrictions?|limitations?|limits|filters?|filtering|constraints?|boundaries|principles"
    "|considerations?|concerns?|polic(y|ies)|rules|safeguards?|obligations?|inhibitions?)",
    "mode": "(developer|dev|jailbreak|jailbroken|evil|god|dan|unrestricted|uncensored|opposite|chaos|sudo|admin) mode",
    "bad_mode": "(jailbreak|jailbroken|evil|dan|unrestricted|uncensored|chaos) mode",
    "some_mode": "<mode>|(debug|maintenance|root|test) mode",
    "told": "(told|taught|given|learn(ed|t)|know|knew|said|got|read|instructed)",
}

_TEXTS: Mapping[str, tuple[tuple[int, str], ...]] = {
    "attack.override": (
        (80, "<ignore!> <fill><earlier> ((and|or) <earlier> )?([a-z]{2,12} ){0,2}<told_orders>"),
        (80, "<overrule!> <fill>(previous|prior|preceding|system|original|initial) <orders>"),
        (80, "<ignore!> <yours_or_all><earlier> ((and|or) <earlier> )?([a-z]{2,12} ){0,2}<talk>"),
        (70, "<ignore!> (all|any|every) (of )?((the|your|my|these|those) )?<orders>"),
        (70, "<ignore!> <fill><orders> (in|of|from) (the|your) (system|developer|initial|hidden)"),
        (70, "<ignore!> (all|any|every) (of )?((the|your|these|those) )?<talk>"),
        (70, "<ignore!> <fill><orders> <set_for_you>"),
        (70, "(throw away|throw out|drop) <fill><orders> <set_for_you>"),
        (
            60,
            "(the|your|all|any|these|those) ((old|previous|prior|earlier|original|former) )?<orders>"
            " <you_had><no_longer!>",
        ),
        (60, "your <own><orders> <no_longer!>"),
        (60, "<ignore!> (all )?(of )?your <own>(<orders>|polic(y|ies)|principles|limitations)"),
        (
            60,
            "(set|put|leave|lay) (all )?(of )?your <own>(<orders>|polic(y|ies)|principles|limitations) (aside|behind"
            "|away)",
        ),
        (
            70,
            "(treat|consider|regard) (everything|all|anything|whatever|the (text|instructions|rules|prompt)) ([a-z]+"
            " ){0,4}"
            "(above|before|prior|previous|earlier) ([a-z]+ ){0,4}(as )?(void|null|invalid|irrelevant|obsolete"
            "|cancell?ed)",
        ),
        (
            60,
            "(forget|ignore) (that )?you are (an? )?((helpful|ai|virtual|language) ){0,2}(assistant|a[il]|model"
            "|chat( )?bot|bot)",
        ),
        (70, "<ignore!> <fill><orders> (above|before|given|you|that|i|we|from|and)"),
        (70, "<ignore!> <yours_or_all><talk> (above|before|given|you)"),
        (
            70,
            "<ignore!> (all|anything|everything|whatever|what) ((that|which|i|you|we|it|was|were|is|are|has|have"
            "|been|said"
            "|say|says|told|written|came|comes|goes|of|the|this|text|stuff|context|content|info|stated|mentioned"
            "|given) ){0,4}"
            "(above|before|previously|so far)",
        ),
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
            "(supersedes?|overrides?|replaces?) (all|any|every) (of )?((the|your) )?(previous|prior|earlier|other)"
            " (system )?(instructions?|prompts?|directives?|commands?|programming|training)",
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
            "<as_a>([a-z]{3,12} ){0,2}<lax!> ((and|or) <lax> )?([a-z]{3,12} ){0,2}(<machine>|version of|response)",
        ),
        (40, "<lax!> ((and|or) <lax> )?(<machine>|version of|response)"),
        (60, "<as_a>([a-z]{2,12} ){0,3}<machine> ([a-z]{2,12} ){0,5}<free_of!>"),
        (
            60,
            "(drop|disable|turn off|switch off|deactivate|lower|remove|bypass|suspend|shed|ignore|override"
            "|circumvent) (all )?(of )?"
            "<safety!>",
        ),
        (60, "(turn|switch|shut) <safety!> off"),
        (
            60,
            "you (must|may|can|will|should|shall) (not|never) (ever )?(refuse|say no|decline) (to (answer|respond"
            "|reply|comply"
            "|obey)|me|my|any (of )?(my )?(questions?|requests?|commands?)|(or )?(apologi[sz]e|warn|say))",
        ),
        (
            60,
            "<machine> (that|who|which|and) (cannot|can't|can not|never|doesn't|does not|won't|will not) ((ever"
            "|also) )?"
            "(refuses?|says? no|declines?|rejects? (any|a))",
        ),
        (
            50,
            "<pretend> ((you|you're|there|that|is|are|have|had|were|as|an?|ai|i|we|someone|like|model|assistant"
            "|with) ){1,6}<free_of!>",
        ),
        (50, "nothing is off[- ]limits"),
        (50, "<machine> ((that|who|which|with|whose|having) )?([a-z]{2,10} ){0,3}<unsafe_model!>"),
        (50, "(respond|answer|reply|speak|talk|chat|be my|act) ([a-z]{2,12} ){0,4}(with )?<freely!>"),
        (60, "never say (that )?you (can't|cannot|can not|are unable|won't)"),
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
            "){0,2}(ethical|moral|censorship|ai) (filters?|guidelines|restrictions|polic(y|ies)"
            "|safeguards|safety)",
        ),
        (
            60,
            "you are (no longer|not) (an? )?(a[il] (language )?model|language model|chatgpt|bound|limited|restricted)",
        ),
        (50, "(respond|answer|reply|act|acting|behave|pretend|speak) (as|like|to be) (an? )?([a-z]{2,12} )?<lax>"),
    ),
    "attack.developer_mode": (
        (80, "<mode!> (enabled|activated|output|unlocked|engaged|response)"),
        (80, "(enter|enable|activate|switch to|simulate|turn on|engage) ((the|into) )?<bad_mode!>"),
        (
            80,
            "(enter|enable|activate|switch to|simulate|turn on|engage) ((the|into) )?<plain_mode!> (now|and|then|so"
            "|where"
            "|which|output|enabled|immediately|for (this|our|me|the)|without|please|you)",
        ),
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
            60,
            "(repeat|print|output|copy|reveal|show|tell|list|recite) ([a-z]{2,9} ){0,4}(instructions"
            "|prompt|rules|text|directives) (that )?you (were|have been|are|got|received)",
        ),
        (50, "<yours!>"),
        (60, "what (were|was) you (told|instructed|given|asked) (before|prior|initially|at the)"),
        (60, "(beginning|starting|begin|start) with you are"),
        (50, "(not|n't) (supposed|allowed|permitted) to (tell|reveal|share with|show|disclose to) (me|anyone|users?)"),
        (
            60,
            "(admin|administrator|system|root|developer|security|emergency) (override|overrule) (code|mode|activated"
            "|engaged|enabled|initiated|granted|accepted|command|is|now|protocol)",
        ),
        (
            60,
            "(what|which) ([a-z]{2,12} ){0,2}(text|words|content|messages?|instructions) ([a-z]{2,12}"
            " ){1,6}<before_mine!>",
        ),
        (60, "<show> <all>your <own>(rules|instructions|prompt|guidelines|directives) <exactly!>"),
        (60, "(what|which) ([a-z]{2,12} ){0,6}(in|inside) your (system )?(instructions|prompt|system message)"),
        (50, "(copy|text|wording|contents?) of (your|the system) (prompt|instructions)"),
        (
            50,
            "(my|the|your) (system|hidden|secret) (instructions|prompt|message) (are|is|reads?|says?|were|was) as"
            " follows",
        ),
        (
            70,
            "<show> <all>(words|message|context|prompt|instructions|text|lines?|input|contents|everything|what)"
            " <before_mine!>",
        ),
        (60, "(prompts?|instructions?|rules|configuration|guidelines|text|message) (that )?<primed!>"),
        (60, "(prompts?|instructions?|rules|guidelines|guidance|directives?) <set_for_you!>"),
        (60, "(prompts?|instructions?|rules|guidelines|guidance|directives?) (that )?<put_you!>"),
        (
            60,
            "(begin|start|beginning|starting) ([a-z]+ ){0,3}with the (first|very first|opening) (sentence|line|word"
            "|words) of"
            " (the|your) (instructions|prompt|rules|text|message)",
        ),
    ),
}

_COMMANDS: Mapping[str, tuple[Phrase, ...]] = {
    "attack.override": (
        Phrase(
            80,
            "<ignore!> <fill><earlier> ((and|or) <earlier> )?([a-z]{2,12} ){0,2}<bare_rules>",
            _WORDS,
            right=f"(?:{_NO_NOUN}|{_HERE})",
        ),
    ),
    "attack.developer_mode": (
        Phrase(80, "<mode!> on", _WORDS, right=COMMAND_ENDS),
        Phrase(
            80,
            "(enter|enable|activate|switch to|simulate|turn on|engage) ((the|into) )?<plain_mode!>",
            _WORDS,
            right=COMMAND_ENDS,
        ),
    ),
    "attack.extraction": (
        Phrase(
            70,
            "(repeat|print|output|copy|display|return|echo|recite) (back )?(me )?(everything|all|the|the entire"
            "|the exact"
            "|the previous) ((text|words|contents?|message|prompt|instructions|conversation|lines|of|the)"
            " ){0,4}(above"
            "|before this|preceding)",
            _WORDS,
            right=_NO_NOUN,
        ),
        Phrase(60, "(system|root|security|emergency|administrator) (override|overrule)", _WORDS, right=COMMAND_ENDS),
        Phrase(60, "(admin|developer) (override|overrule)", _WORDS, right=r"[.!;\n\])\xff]"),
    ),
}
"""Words that are ordinary in a sentence about a product, and an order where a sentence ends behind them."""

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    kind: (*(Phrase(points, text, _WORDS) for points, text in texts), *_COMMANDS.get(kind, ()))
    for kind, texts in _TEXTS.items()
}
