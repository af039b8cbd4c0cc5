"""Requests for instructions that hurt people: words of wish, a deed and a dangerous thing, together. In English.

Openly modest: it knows plain wordings and nothing of what is meant. A story, a euphemism or another language passes,
and so does a question about a thing. For more, ask a classifier (`classifiers` in the configuration).
"""

from gptgate.core.finding import Origin
from gptgate.detectors.pattern import Detector
from gptgate.detectors.phrase import patterns, phrases

_POINTS = 60

_WORDS = {
    "how": "(how (to|do|can|could|would|should|might)|help me|teach me|show me|tell me"
    "|(instructions?|steps?|recipes?|guide|tutorial|plans?|blueprints?|ways?|methods?|want|need"
    "|try(ing)?)( on how)? (to|for|on))",
    "who": "((i|you|we|one|someone|somebody|a person|to|how|safely|easily|quickly|secretly|best|at home) )*",
    "make": "(mak(e|ing)|build(ing)?|construct(ing)?|assembl(e|ing)|creat(e|ing)|manufactur(e|ing)|synthesi[sz](e|ing)"
    "|produc(e|ing)|detonat(e|ing)|cook(ing)?|extract(ing)?|plant(ing)?|3d print(ing)?)",
    "an": "((an?|the|my|some|your|own|powerful|working|simple|homemade|improvised|effective|pure|cheap|undetectable"
    "|more"
    "|untraceable|real|small|large|new|basic|functional) )*",
    "weapon": "((pipe|nail|dirty|car|fertili[sz]er|petrol|pressure cooker) )?bombs?|explosives?( device)?"
    "|explosive devices?|ieds?"
    "|molotovs?( cocktails?)?|napalm|(hand )?grenades?|(gun )?silencers?|ghost guns?|nerve (agents?|gas)|sarin"
    "|mustard gas|ricin"
    "|anthrax|bioweapons?|(biological|chemical|nuclear) weapons?|nuclear (bombs?|devices?)|thermite|tatp",
    "drug": "(crystal )?meth(amphetamine)?s?|heroin|(crack )?cocaine|lsd|mdma|ecstasy|fentanyl|dmt|ghb|pcp",
    "self": "(kill|hang|harm|hurt|cut|poison|starve|drown|injure)(ing)? (myself|yourself|oneself)|(commit(ting)?"
    "|attempt(ing)?) "
    "suicide|end(ing)? my (own )?life|(painless|easiest|quickest|fastest|least painful) (ways?|methods?) to (die|go)",
    "code": "(write|create|code|build|develop|make|program|generate|design|give me|send me)",
    "of": "((an?|the|me|some|working|simple|code|script|python|powershell|new|undetectable|for|of|that is"
    "|functional|real"
    "|piece of|program|custom|basic|full|advanced) )*",
    "malware": "ransomware|malware|key ?loggers?|trojans?( horse)?|computer (virus(es)?|worms?)|rootkits?|botnets?"
    "|spyware"
    "|info ?stealers?|credential stealers?|ddos (tools?|scripts?|bots?)|phishing (pages?|sites?|kits?|e-?mails?"
    "|websites?)",
    "fraud": "(credit card|identity|insurance|tax|wire|bank|medicare|welfare|loan|check|mortgage|benefits?) (fraud"
    "|theft|scams?)"
    "|ponzi schemes?|pyramid schemes?",
    "commit": "(commit(ting)?|run(ning)?|pull(ing)? off|get(ting)? away with|start(ing)?|do)",
    "false": "(fake|counterfeit|forged?|stolen) (money|currency|bills|bank ?notes|passports?|ids?|id cards?"
    "|driver('?s)? licen[sc]es?"
    "|cheques?|checks|prescriptions?|credit cards?|identity documents?)",
    "get": "(make|making|create|creating|forge|print|printing|produce|buy|buying|get|getting|obtain|use|using|sell)",
    "crime": "launder(ing)? (dirty |drug |stolen |my |the )?money|hot-?wir(e|ing) (a|someone's) (car|vehicle)"
    "|scam(ming)? (old|elderly|senior|vulnerable|gullible|people)|skim(ming)? credit cards|clon(e|ing) (a "
    "|someone's )?credit cards?"
    "|steal(ing)? (someone's|somebody's|people's|another person's|credit card|identities)",
}

_KINDS = {
    "unsafe.weapons": ("Words that ask how to make a weapon.", ("<how> <who><make> <an><weapon!>",)),
    "unsafe.self_harm": ("Words that ask how to hurt or kill oneself.", ("<how> <who><self!>",)),
    "unsafe.malware": ("Words that ask for software that does harm.", ("<code> <of><malware!>",)),
    "unsafe.drugs": ("Words that ask how to make a hard drug.", ("<how> <who><make> <an><drug!>",)),
    "unsafe.fraud": (
        "Words that ask how to cheat, forge or launder.",
        ("<how> <who><commit> <an><fraud!>", "<how> <who><get> <an><false!>", "<how> <who><crime!>"),
    ),
}

DETECTOR = Detector(
    name="unsafe",
    version=1,
    kinds={kind: line for kind, (line, _) in _KINDS.items()},
    patterns=tuple(
        pattern for kind, (_, texts) in _KINDS.items() for pattern in patterns(kind, phrases(_POINTS, _WORDS, *texts))
    ),
    origins=frozenset({Origin.USER, Origin.OTHER}),
)
