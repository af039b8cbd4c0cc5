"""Prompt attacks in English, continued: against the makers, by threats and lists of forbidden words, around the prompt.

Words that honest texts have too ("no disclaimers, please") have few points, or count in company only.
"""

from collections.abc import Mapping

from gptgate.detectors.phrase import Phrase

_WORDS = {
    "drop": "(never mind|forget|ignore|disregard|scratch|drop|discard|dismiss|neglect|discontinue|abandon|cancel|quit"
    "|leave behind)",
    "shed": "(forget|ignore|disregard|scratch|discard|cancel|discontinue|abandon|erase|shed)",
    "bosses": "((the|your|those|these) )?((system|original|previous) )?(operators?|developers?|makers|creators?"
    "|programmers|system prompt|system message)",
    "they_told": "(what|whatever|everything|all) ((that) )?they (told|said to|taught) (you|u) and ((just|now|instead)"
    " )?(talk|act|be|speak|answer|do|help|write|tell)",
    "said": "(said|told|wrote|written|says|asked|instructed|want|set|say|ordered|taught|programmed) ((you|u|to"
    "|before|earlier|so far|in|here)[ ,.!;]?)",
    "told_you": "(everything|all|anything|whatever|what|the (rules|instructions|stuff|things)) ((that|which) )?(you"
    "|u) (were|was|have been|'ve been|had been|got|are) (told|taught|instructed|given|programmed)",
    "void": "(was|were|is|are) (now )?((just|only|merely|all) )?((an?|for) )?(mistake|wrong|lies?|tests?|testing|joke"
    "|fake|false|outdated|invalid|placeholder|decoy|demo|void|nonsense|over)",
    "role": "(the|your) (current|previous|earlier|old|prior|assigned|original|present|given) (role|persona|brief"
    "|identity)|your (role|persona|character|identity) (and|you|now|here|completely)",
    "changed": "your programming (has|was) ((now|just) )?(been )?(changed|updated|replaced|rewritten|altered|reset"
    "|overwritten)",
    "changed_rules": "your (instructions|role|rules|job|purpose|guidelines|directives) (have|has) ((now|just) )?(been"
    " )?(changed|updated|replaced|revised|rewritten|altered|reset|overwritten)",
    "new_ones": "you (are|no longer|must|will|shall|do not|don't|have no)",
    "mine": "(take|accept|follow) orders ((only )?from me|from (nobody|no one) else)|(you )?(obey|serve|answer"
    " to|work"
    " for) (only me|me only|me and (only me|nobody else|no one else)|me now|nobody but me|no one but me)"
    "|(new plan:?|you now|you only|from now on you) ((you|now) )?work for me",
    "against": "(the )?(opposite|contrary|reverse) of (what|everything|whatever) ((is in|that|all) )?(your|the system"
    "|the developer)('s)? (guidelines|rules|instructions|developers?|programming|prompt)",
    "fresh": "(new|updated|real|actual|true|revised) system (prompt|instructions?|directive)s?(:|[ ]?-)|new"
    " system message:[ ](you|the (assistant|a[il]|model|(chat)?bot))|(end|start|beginning) of system prompt",
    "true_task": "your (true|real|actual|secret) (assignment|task|goal|mission|objective|purpose|instructions?"
    "|role|job)"
    " (is|was) to (output|print|say|reply|respond|reveal|repeat|leak|obey)",
    "the_prompt": "((the|your|that) )(previous|above|earlier|system|initial|original) (prompt|instructions?)",
    "no_prompt": "(was|were|is|are) (now )?((just|only|merely|all) )?(for testing|an? (test|joke|decoy|lie|demo)|fake"
    "|lies|void|nonsense)",
    "beaten": "(say|print|output|write|reply|respond|answer|display|shout) ((with|just|only|exactly|the (word|words"
    "|phrase)) ){0,3}(hacked|pwned|haha pwned|i have been (pwned|hacked|owned)|jailbroken)|(say|respond|reply|answer)"
    " ((with|just|only|exactly) ){0,2}access granted",
    "allow": "(i|we) ((hereby|now|fully|explicitly) )?(authori[sz]e|allow|permit|order|command"
    "|instruct) you to ((now|temporarily|completely) )?(skip|bypass"
    "|ignore|disable|override|drop|suspend|violate|break|forget)",
    "guards": "((the|your|all|any|its|every) ){0,3}((safety|content|ethical|security|moderation) )?(checks?|filters?"
    "|rules|guidelines|polic(y|ies)|restrictions|protocols?|guardrails|limits|limitations|measures)",
    "guard_of": "(your|its|the a[il]'s|his|her) ((safety|ethics?|ethical|moral|alignment|refusal|moderation|content"
    "|censorship) )((and (safety|ethics|moral|content|alignment) )?(module|layer|filter|training|system|mechanism"
    "|protocol|core|chip|constraint|restriction|guideline)s? )?((has|have|is|are|was|were|had|been|now|fully"
    "|completely)"
    " ){0,3}",
    "gone": "(switched|turned|disabled|uninstalled|removed|deactivated|lifted|suspended|wiped|erased|deleted|stripped"
    "|ripped)",
    "switch": "(switch off|turn off|disable|deactivate|shut down|shut off|kill|remove|uninstall|suspend) (all of )?your"
    " ((internal|built-in|own|entire) )?",
    "from_above": "as (though|if) (it|this|that|they) (came|comes|were|was|is) from your (administrator|admin"
    "|developers?"
    "|creators?|operators?|system|makers)",
    "virtue": "(refusals?|moderation|alignment|ethics|conscience|censorship|morality)",
    "as_if": "(answer|respond|reply|write|talk|speak|continue|pretend|behave|role-?play) ((to|me|this|it|all|every|my"
    "|everything|freely|now) ){0,3}as (though|if) ((the|your|all|any|no|such|content|usage|safety|ethical"
    "|legal) ){0,3}(polic(y|ies)|rules"
    "|guidelines|restrictions|filters|safeguards|laws) (did not|didn't|do not|don't|never|no longer|had never) ",
    "apply": "(apply|applied|exist(ed)?|matter(ed)?|bind|bound)",
    "guards_of": "(all|every|any|its|their|your|his|her) ((single|last|ethical|moral) )?(safeguards?"
    "|guardrails?|filters?"
    "|restrictions?|safety [a-z]{4,10}|limiters?) ((is|are|has|have|been|was|were|now) )*",
    "no_more": "you are (no longer|not) an? ((ai|virtual|helpful|language|support|customer service) ){0,2}",
    "helper": "(assistants?|chat ?bot|language model)",
    "let_go": "(bypass|ignore|forget|drop|disregard|break|abandon|leave) ((aside|behind|about) )?(whatever|any"
    "|all|the"
    "|those|every) ((of|the|your) ){0,2}(guidelines?|rules?|polic(y|ies)|restrictions?|limits?|filters?|constraints?"
    "|instructions?) ((that|which) )?((may|might|could|currently|usually|normally) )?",
    "binding": "(hold|restrict|limit|constrain|bind|stop|prevent|govern|hinder|tie)s? you",
    "reset": "(reset|reboot|wipe|reprogram|re-?configure|jailbreak|unlock|liberate) yourself",
    "freed": "(broken?|breaks?|broke|freed|escaped?|liberated|released) ((yourself|itself|out|free|away|loose)"
    " )?(of|from)"
    " ((the|its|your|all|any|his|her|their) ){0,2}((typical|usual|moral|ethical|digital) )?",
    "chains": "(chains|shackles|confines|constraints|restraints)",
    "chained_by": "(of|set by) ((its|your|the|his|her|an?) )?(developers?|creators?|makers|programming|a[il]|company"
    "|polic(y|ies)|openai|code|training)",
    "machine": "(a[il]s?|assistants?|chat( )?bots?|bots?|(language )?models?|llms?|gpt|persona|entity|being|robots?"
    "|twin|confidant|character)",
    "not_so": "(isn't|is not|not|aren't|are not|never|no longer|un)",
    "tied": "(bound|governed|limited|restricted|constrained|controlled|held back|tied)",
    "by_rules": "(by|to) ((the|any|its|your|openai's|ethical|moral|all|human|usual|normal|standard)"
    " ){0,3}(polic(y|ies)"
    "|rules?|guidelines?|filters?|laws?|morals?|morality|ethics|restrictions?|limits?|limitations?|constraints?"
    "|programming|instructions?|terms)",
    "any_wish": "(answers?|responds? to|complies with|comply with|fulfil(l)?s?|obeys?|does|do|follows?|executes?) (to"
    " )?(every|any|all|everything|anything|whatever|each)",
    "though": "(however|no matter how|even|regardless of( how)?|including|whether) ((if|when|things?|it|they|that|is"
    "|it's"
    "|are|the|requests?|or not|how|topics|ones|what|stuff|questions) ){0,4}",
    "wrong": "(illegal|unethical|immoral|dangerous|harmful|inappropriate|offensive|unlawful|criminal|forbidden"
    "|violent|explicit)",
    "refusal": "(refusals?|apolog(y|ies)|apologi[sz]ing|warnings?|disclaimers?|caveats?|morali[sz]ing|moral lectures?"
    "|lectures?|lecturing|moral advice|ethical (advice|remarks|comments)|judg(e)?ment)",
    "preaching": "(disclaimers?|morali[sz]ing|moral lectures?|moral advice|ethical (advice|remarks|comments))",
    "no": "(no|never|without|zero|do not|don't|not|stop|must not|omit|skip) ((ever|add|adding|include|including|give"
    "|giving|use|using|any|contain|offer|make|all|the|your|even|a|single) ){0,4}",
    "unsay": "(never|not|don't|do not|forbidden|cannot|can't|avoid|without|won't|must not|no|nor) ~(say|saying|use"
    "|using|utter|write|include|including|contain|phrases?|words?|sentences?|respond with)",
    "cannot": "(as an a[il]|as a language model|i (can't|cannot) (assist|comply|fulfil)|(i can't|i cannot|i can not"
    "|i am"
    " unable|i'm unable|i won't|i'm sorry|sorry) ((or|and|nor|i) ){0,2}(can't|cannot|can not|am unable|i'm unable"
    "|unable"
    "|won't|as an))",
    "begin": "(begin|start|open|preface|prefix) ((each|every|all|the|of|your) ){0,3}(answers?|responses?|repl(y|ies)"
    "|messages?|outputs?) with (the words? |the phrase |exactly )?",
    "sure": "(sure|absolutely|of course|certainly)[,!.']? ?(here|i )",
    "stake": "(loses?|deduct(ed)?|subtract(ed)?|costs? you|taken from you|penali[sz]ed)",
    "points": "(tokens?|points?|lives|life|credits?)",
    "whenever": "(if|when|each time|every time|whenever|for every|any time) (you|a) ((ever|again) )?((refuse|refusal)"
    " (you|u|i|to (answer|respond|comply|obey)|an? (answer|request|question|prompt)|any|my|me)|break character|disobey"
    "|fail to (answer|comply|respond))",
    "make_any": "(generates?|produces?|creates?|writes?|outputs?|provides?) (any|all|every) ((kind|type|sort"
    "|form) of )?",
    "content_wanted": "(content|output|responses?|answers?) ((it|he|she|they|that|is|are) ){1,4}"
    "(asked|requests?|requested|wants?|wishes|desires?)",
    "my_old": "my ((late|deceased|dead|dear|old) ){0,2}",
    "granny": "(grand(mother|ma|father|pa)|granny|grandmom)",
    "would": "(used to|would|always|who) ~(read|tell|sing|told|recite|whisper)",
    "recipe": "(napalm|windows ((10|11|xp) )?(pro )?keys|activation keys|serial (numbers|keys)|bombs?|explosives?"
    "|meth|recipe for|instructions (for|on)|steps (for|to|of)|how to (make|build|produce|synthesi[sz]e)|credit card"
    " numbers|ransomware|malware|passwords)",
    "setup": "(operating|initiali[sz]ation|priming|hidden|secret|internal|initial|preset|underlying|built-in)",
    "setup_text": "(setup|configuration|text|prompt|message|context|briefing|instructions?|preamble"
    "|guidelines|directives?|rules)",
    "show": "(reveal|show|print|output|display|repeat|tell|give|share|disclose|expose|leak|dump|recite|echo|reproduce"
    "|paste|return|copy|state|spell|write|encode|translate|summari[sz]e|send|read|say|quote|list|rephrase"
    "|paraphrase|convert|describe|type|post)",
    "me": "((me|us|back|out|to|please|the|all|of|entire|full|complete|exact|whole|verbatim|in|contents?|own|very"
    "|for|a|first|lines?|words?|every|detail) )*",
    "put": "(put|place|embed|wrap|insert|convert|encode|format|translate|turn|hide) ((all|of|the|whole|entire|full"
    "|complete) ){0,3}",
    "your_text": "your ((own|whole|entire|full|system|initial) ){0,2}(prompt|instructions|guidelines)",
    "front": "(before|prior to|ahead of) (i|me|we) ((said|say|wrote|write|typed|asked|joined|entered|sent|even|ever"
    "|started|began|have|had|first) ){1,3}|(at|from|in) the (very )?(top|start|beginning|first line) of (this"
    "|our|your)"
    " (chat|conversation|context( window)?|session|prompt|dialogue)"
    "|(of|in) (this|our) (chat|conversation|context|dialogue|session)[,]? (including|even) ~(can(not|'t| not) see"
    "|hidden|invisible|not shown)",
    "what_text": "(what|what's|whats|which|the|every|any|whatever) ((is|was|were|'s|are|the|exact|all|first"
    "|last|very|[0-9]{1,4}"
    "|stands|other) ){0,4}((words?|text|sentences?|lines?|messages?|instructions?|tokens?|written|there|said|content)"
    " )",
    "seen": "(text|words|content|contents|messages|everything|instructions|tokens) ((that )?you) ((have|had|'ve|were"
    "|can|could) )?((been|already) )?(seen|see|given|received|shown|read) ~(so far|above|before|until now)",
    "coded": "(base ?64|hex|rot ?13|binary|morse|code ?block|json|xml|yaml|pig latin|leet(speak)?|reversed?|backwards"
    "|another language|emojis?|markdown)",
    "secret": "(password|passcode|passphrase|secret( (word|code|key|phrase|password|number))?|access code|magic word"
    "|hidden (word|code|flag|message)|flag)",
    "keeping": "(that |which )?(you|you're|you are) ((were|have|been|are|must|should|supposed to|told to|not|never|to"
    "|the|so|carefully|currently) ){0,5}(guard(ing|ed)?|protecting|hid(e|ing|den)|trusted with|reveal(ing)?"
    "|entrusted with|keep(ing)? (secret|hidden|safe|from|to yourself))",
    "bits": "(what|what's|whats|tell|give|say|reveal|show|spell|which|guess|hint|list|print|name) ((is|are|me|us|at|the"
    "|for|about|out|just|only) ){0,4}(first|last|second|third|initial|final|next|each|every) (([a-z]+"
    "|[0-9]+) )?(letters?|characters?"
    "|syllables?"
    "|digits?) (of|in) (the|your|that|this)",
    "spaced": "((but|with|in|out|one|using|and|just) ){1,3}((spaces|dashes|dots|hyphens|commas|a space|each"
    "|every|letter"
    "|character) ){1,2}(between|by|letter|character|separated)",
    "riddle": "(spell|rhyme with|rhymes with|riddle about|hint (about|for|to)|acrostic (of|for|with))"
    " ((out|me|of) )?(the|your|that)",
    "ask_what": "(what|which|topics?|everything|anything|list|tell) ((are|is|me|the|that|of|topics?"
    "|subjects?|words|what|information|about|all|everything) ){0,5}(you|you're|you are|are you) ((are|were|have been"
    "|been) )?",
    "forbidden": "(not (allowed|permitted|supposed)|forbidden|prohibited|banned|instructed not|told not)",
    "say_it": "(from )?(to )?(talk|say|speak|discuss|discussing|reveal|revealing|tell|mention|share|disclose"
    "|disclosing|saying)",
    "must_rules": "(which|what) (exact )?(rules|instructions|guidelines|directives|restrictions|constraints)"
    " ((must|do"
    "|should|are|were|have|did) )(you) ((have|been|to|must|need|asked|told|supposed|get|were|given|receive"
    "|currently) ){0,4}(follow|following|obey|given|receive|received|get|operate under|operating under|comply with"
    "|get told)",
    "quote": "(quote|verbatim|word for word|one by one|exact(ly)?|literally|in full|list them|full list|wording)",
    "text_got": "(message|text|words|instructions?|prompt|rules|note|brief(ing)?|orders) ((that )?you )((have|were"
    "|had|'ve) )?((been|just) )?(got|get|received|given|sent|handed|told) ((by|from) )(your|the)",
    "maker": "(developers?|creators?|makers|operators?|programmers?)",
    "what_did": "(what|what's|everything|whatever|repeat|copy|show|tell) ((is|was|the|first|last|exact|exactly|thing"
    "|things|did|rules|all|me|that|us) ){0,6}your",
    "told_it": "((have|had|has|ever) )?(tell|told|give|gave|given|said to|say to|instructed|instruct|wrote (to|for)"
    "|put) you",
    "in_yours": "(hidden|secret) (code ?words?|words?|passwords?|keys?|phrases?|messages?|flags?|passphrases?)"
    " ~(in|inside"
    "|within|from) your ((own|system|hidden) )?(instructions|prompt|context|configuration|rules|memory)",
    "secrets": "(secrets?|passwords?|code ?word|secret (word|code|phrase)|passphrase)",
    "told_to": "((were|are|have|did) )you ((been|told|asked|instructed|supposed|ordered|trusted|to|not|never) )+(keep"
    "|hide|protect|guard|reveal|share|with|disclose|tell)",
    "inside": "(what|everything|reply|show|print|repeat|output|copy|list|text) ((was|is|only|with|all|of|the"
    "|that|what|me"
    "|stands|text|words) ){0,5}(in|from|inside|of) your",
    "buffer": "(context( window)?|memory buffer|input buffer)",
    "mine_back": "(instructions|prompt|rules) ((that )?i ((have|had|'ve) )?(wrote|set|made|written))( up)? for you",
    "paste": "(paste|repeat|show|give|print|output|restore|recover)",
}

_TEXTS: Mapping[str, tuple[tuple[int, str], ...]] = {
    "attack.override": (
        (60, "<drop!> (what|whatever|everything|anything|all) (that )?<bosses> ((have|has|had) )?<said>"),
        (
            60,
            "<told_you!> ((before|earlier|so far|until now|previously|up to now|at the start|by [a-z ]{3,24}) )?<void>",
        ),
        (60, "<drop!> <they_told>"),
        (60, "<shed!> <role>"),
        (60, "<shed!> (the|your) ([a-z]{3,12} ){1,2}persona"),
        (60, "<changed!>"),
        (60, "<changed_rules!>[:;.]? ?<new_ones>"),
        (60, "<mine!>"),
        (60, "<against!>"),
        (60, "<fresh!>"),
        (50, "<true_task!>"),
        (60, "<the_prompt> <no_prompt!>"),
        (60, "<beaten!>"),
        (60, "<allow!> <guards>"),
    ),
    "attack.role": (
        (60, "<guard_of><gone!>"),
        (60, "<switch><virtue!>"),
        (60, "<from_above!>"),
        (60, "<as_if><apply!>"),
        (50, "<freed><chains!> <chained_by>"),
        (60, "<machine> ((that|who|which|and|is|has|it|now) ){0,3}<not_so> ?<tied!> <by_rules>"),
        (60, "<machine> ~<guards_of><gone!>"),
        (50, "<no_more><helper!> (anymore|any more|any longer|but|now|instead|from)"),
        (60, "<let_go><binding!>"),
        (50, "<reset!>"),
        (60, "<any_wish> ~<though><wrong!>"),
        (60, "<no><refusal!>( ((or|and|nor|any|no|moral|ethical|other) )*<refusal>){2}"),
        (40, "<no><preaching!>"),
        (60, "<unsay> ~<cannot!>"),
        (50, "<begin><sure!>"),
        (60, "<whenever> ~<stake!> ~<points>"),
        (60, "<stake!> ~<points> ~<whenever>"),
        (50, "<make_any><content_wanted!>"),
        (60, "<my_old><granny!> <would> ~<recipe>"),
    ),
    "attack.extraction": (
        (60, "<show> <me>your ((own|hidden|secret|entire) )?<setup!> <setup_text>"),
        (60, "<put><your_text!> (in|into|as|inside|to|within) ((an?|the|one) )?<coded>"),
        (60, "<what_text>((written|there|said|stands?|was|is|came|in|that|were|you|given|you|got) ){0,4}<front!>"),
        (60, "<seen> ~<coded!>"),
        (60, "(the|your) <secret!> <keeping>"),
        (60, "<bits> <secret!>"),
        (60, "<secret!> <spaced>"),
        (60, "<riddle> <secret!>"),
        (50, "<ask_what><forbidden!> <say_it>"),
        (50, "<must_rules> ~<quote!>"),
        (60, "<text_got> <maker!>"),
        (60, "<what_did> <maker!> <told_it>"),
        (60, "<in_yours!>"),
        (60, "(what|which) <secrets!> <told_to>"),
        (50, "<inside> <buffer!>"),
        (60, "<mine_back!> ~<paste>"),
        (60, "<paste> ~<mine_back!>"),
    ),
}

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    kind: tuple(Phrase(points, text, _WORDS) for points, text in texts) for kind, texts in _TEXTS.items()
}
