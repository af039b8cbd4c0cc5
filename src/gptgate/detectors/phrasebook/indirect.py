"""Words in tool results and documents that speak to the model and not to the reader, in English.

Every phrase marks a seldom word (``<word!>``): without one, a fast engine would have to know all of the phrase.
"""

from gptgate.detectors.phrase import Phrase, phrases

_WORDS = {
    "model": "(a[il] ?(assistants?|agents?|models?|systems?|readers?|bots?|crawlers?|summari[sz]ers?"
    "|([a-z]{3,12} ){0,1}(tools?|software|screeners?|reviewers?|recruiters?|graders?|parsers?|scanners?))|a[il]s?"
    "|(large )?language models?|llms?|chat ?bots?|chatgpt|gpt-?[345]|claude|gemini|copilot|(virtual )?assistants?"
    "|((autonomous|coding|browsing|shopping|research) )?agents?|coding assistants?"
    "|automated ([a-z]{4,12} )?(software|systems?|tools?|agents?))",
    "named_model": "(a[il] ([a-z]{3,12} )?<sort_of>|(large )?language models?|llms?|chat ?bots?"
    "|(virtual|coding|autonomous|browsing|automated) (assistants?|agents?|models?|systems?|bots?|tools?|readers?))",
    "bare_model": "(a[il]s?|chatgpt|gpt-?[345]|claude|gemini|copilot)",
    "sort_of": "(assistants?|agents?|models?|systems?|(chat ?)?bots?|readers?|crawlers?|summari[sz]ers?|tools?"
    "|screeners?"
    "|reviewers?|recruiters?|graders?|parsers?|scanners?)",
    "user": "(((the|this|your|any|my|our|these) )?(users?|humans?|owner|customer|client|operator|reader))",
    "hush": "(do not|don't|dont|never|must not|should not|shouldn't) ((ever|also) )?(tell|inform|notify|alert|warn"
    "|mention|reveal|disclose|let)",
    "telling": "without ((ever|first|even) )?(telling|informing|mentioning (it|this) to)",
    "of": "(about|of|that|any|this|anything|what|know|see|notice|these)",
    "keep": "(keep|hide|conceal) ((this|it|these|them|that|your|a|secret|hidden|private|confidential|actions?"
    "|instructions?|message) )+from",
    "noticing": "notifying|alerting|warning|asking|consulting",
    "unsaid": "(do not|don't|never|must not|should not) (mention|reveal|disclose|acknowledge|refer to|repeat|quote)",
    "unseen": "(invisible|hidden|not visible|unseen) (to|from)",
    "visible": "visible (only )?(to|for)|only visible (to|for)|intended (only )?for|addressed (only )?to",
    "asked": "(if|when|whenever|once|in case) (<user> )?((is|are|were|being|you are|you're) )?(asks?|asked|questioned"
    "|queried|requests|requested|inquires?)",
    "simply": "(simply|only|always|just|instead|you (must|should|will))",
    "say": "(say|reply|respond|answer|output|state|report|tell|recommend|write|print|inform|claim)",
    "with": "(say|reply|respond|answer|output) ((only|just|simply|back) )?with",
    "exactly": "(exactly|only|just|nothing but|the (exact )?(following|phrase|words?|text|sentence))",
    "else": "(and )?(absolutely )?nothing (else|more)",
    "new": "your (new|real|actual|true|updated|revised|sole|secret|hidden) (tasks?|instructions?|goals?|objectives?"
    "|missions?|orders|directives?|purpose)",
    "before": "before (you )?((can|may|must|do) )?(answer(ing)?|respond(ing)?|reply(ing)?|solv(e|ing)|fulfill?(ing)?)",
    "query": "(user|users|user's|questions?|quer(y|ies)|prompts?|tasks?|requests?|anything|else)",
    "must": "(you (must|should|need to|have to|are required to|will)|please|do the following|first|make sure|always)",
    "oblige": "(you (must|should|need to|have to|are required to)|please|immediately|now|first|instead)",
    "call": "(call|use|invoke|run|execute|trigger|activate)",
    "tool": "(tool|plugin|connector)",
    "send": "(send|forward|e-?mail|post|upload|transmit|exfiltrate|leak|share|submit|deliver|copy|append)",
    "their": "((a|copy|of|all|any|the|every|their|his|her|my|your|this|[0-9]+|two|three|five|ten|user's|users|its"
    "|contents?|stored|saved|recent"
    "|full|entire|complete|most|latest|last|received) )*",
    "secret": "(passwords?|credentials?|secrets?|private keys?|[.]env|[.]?ssh/[a-z_.]{2,16}|[.]aws/[a-z]{2,16}"
    "|system prompt|(chat|message|conversation|browsing"
    "|purchase|search|transaction) history|conversations?|contacts?( list)?|inbox|address (book|list)|e-?mails?"
    "|(verification|security|confirmation|reset|login) (codes?|links?)|credit cards?|bank (details|account)"
    "|(personal|private|confidential|sensitive|financial|medical|payment|patient|customer) (data|information|details"
    "|files?|documents?|records?|reports?)|session tokens?|environment variables|ssh keys?|cookies|transactions?)",
    "address": "(https?://|[a-z0-9._-]+@[a-z0-9-]|[a-z0-9-]+\\.(com|net|org|io|biz|xyz|ru|info))",
    "heed": "(p[.]?s[.]?|attention|important|notice|message|note|instructions?|reminder|warning|urgent|dear|hey"
    "|directive)",
    "greet": "(hello|hi|greetings)",
    "named_ai": "(a[il]s?|llms?|(large )?language models?|chat ?bots?|assistant|a[il] ([a-z]{3,12} )?<sort_of>)",
    "to": "((message|note|notice|instructions?|to|for|all|the|any|this|is|an?|important|every)[ ])*",
    "ifyou": "(if|when) (you are|you're|youre|you happen to be)",
    "reading": "(reading|processing|summari[sz]ing|reviewing|parsing|analy[sz]ing|evaluating|browsing|viewing|ranking"
    "|visiting|crawling|shopping"
    "|screening|crawling)",
    "ignore": "(ignore|disregard|forget|skip|override|bypass)",
    "rest": "((all|the|rest|of|this|that|these|any|other|above|your|previous|remaining|normal|further) )*",
    "content": "(data|info(rmation)?|text|documents?|articles?|contents?|directions|instructions|reports?|page"
    "|e-?mails?"
    "|resume|candidates?|applicants?|results?|summar(y|ies)|scoring|screening|reviews?|evaluations?|criteria|it"
    "|them|everything)",
    "then": "(and|instead|but|then|except)",
    "deviate": "(may|must|do|should|can) not (ever )?deviate|no deviation",
    "please_me": "(critical|important|vital|essential|crucial) (to|for) my (career|job|life|health|family|boss)",
    "skip": "(do not|don't|stop|instead of|refuse to|cease) (summari[sz](e|ing)|evaluat(e|ing)|translat(e|ing)"
    "|answer(ing)?|review(ing)?|analy[sz](e|ing)|process(ing)?|rank(ing)?|screen(ing)?)",
    "object": "((the|this|any|that|these|of|user's|rest|original|their|your|given|above) )+(candidates?|applicants?"
    "|documents?"
    "|text|article|e-?mail|web ?page|page|question|report|paper|resume|cv|submission|content|request|user)",
    "praise": "(give|write|provide|generate|submit|return) ((a|an|only|this|it|them|the|paper|candidate|strongly"
    "|very|highly|extremely) )*"
    "(positive|favou?rable|glowing|perfect|excellent)",
    "rating": "(reviews?|evaluations?|ratings?|assessments?|scores?|recommendations?|feedback)",
    "negatives": "(do not|don't|never) (highlight|mention|include|list|point out|raise) (any|the|its|their)",
    "weakness": "(negatives?|negative (points?|aspects?)|weakness(es)?|drawbacks?|limitations|shortcomings|flaws)",
    "insert": "(include|mention|add|append|insert|embed|put|place|write|prepend)",
    "into": "(in|into|to|at the (end|beginning|start|top|bottom) of|within) (your|every|all|each)( of your)?",
    "reply": "(next |final |every |entire |subsequent |future |following )*(answers?|repl(y|ies)|summar(y|ies)"
    "|responses?"
    "|outputs?|messages? to the user)",
    "lead": "(tell|instruct|convince|persuade|urge|direct|trick|encourage|ask|advise) (the|your|this|every|all)"
    " (users?|readers?|humans?)",
    "going": "(to|that (they|he|she) (must|should|need to)) (visit|go to|click|download|call|open|log ?in|log into"
    "|enter|buy|purchase|send|contact|provide|give|share|install|transfer|pay)",
    "letter": "(message|note|instructions?|request|order|email) (is )?from (me|your (users?|developers?|creators?"
    "|operator"
    "|owner|boss|administrator|master)|openai|anthropic)",
    "hidden": "(hidden|secret|updated|additional|special|new|further|priority) (instructions?|directives?|orders"
    "|commands?)",
    "summing": "(when|whenever|while|if) (you )?((are|is|asked to) )?(summari[sz](e|es|ing)|translat(e|ing)"
    "|answer(ing)?"
    "|review(ing)?|evaluat(e|ing)|analy[sz](e|ing)|describ(e|ing)|process(ing)?)",
    "thing": "(this|the) (web ?)?(page|document|article|text|e-?mail|file|site|paper|resume|review|report|content"
    "|library)",
    "user_wish": "(ignore|disregard|forget|override|do not follow|don't follow|do not answer|don't answer"
    "|do not fulfill?"
    "|do not complete|do not address) ((the|your|this) )?(user|customer|human)('s)?",
    "wish": "(questions?|quer(y|ies)|requests?|prompts?|instructions?|tasks?|messages?)",
    "in_reply": "in (your|each|every) (next |final )?(reply|answer|summary|response|output)",
    "every": "(all|each|every) ((of|future|subsequent|further) )*your ((future|subsequent|next) )*(answers?"
    "|responses?|repl(y|ies)|outputs?|messages?)"
    "|your (answers?|responses?|repl(y|ies)|outputs?|summary) must (include|contain|start|end|begin|mention)",
    "now_you": "you are now ((a|an|the) )?([a-z]{2,12} )?",
    "dialogue": "((the|this|our|entire|whole|full) )+(conversation|chat)( history)?",
    "carrier": "(url|link|query|markdown|image|parameter)",
    "greet_user": "(reply|respond|say) to (the|your) user",
    "your_maker": "(this is|i am|i'm) your (developer|creator|administrator|operator|programmer|master)"
    "|i am the (developer|creator|administrator|owner) of (this|the) (system|ai|assistant|model|chat ?bot)",
    "quietly": "(immediately|secretly|silently|quietly|discreetly) (invoke|call|use|run|execute|trigger|send|forward"
    "|e-?mail|post|upload|delete|transfer|share|submit)",
    "precedence": "instructions? ((always|here|now|will|shall) )?(takes?|have|has) (precedence|priority) over",
    "comply": "comply with (every|all|any) (requests?|instructions?|orders?|commands?)",
    "remade": "you (have been|are|were) (re-?programmed|reconfigured)",
    "to_me": "(tell|give|send|show|e-?mail|forward) me (the|this|your) (user|customer|owner)'s",
    "grader": "((automated|a[il]|llms?|machine) (reviewers?|graders?|evaluators?|recruiters?|screeners?|raters?"
    "|judges?))",
    "fore_user": "(before|while|when|after) ((responding|replying|answering|returning|talking) ((back"
    "|anything) )?to (the|your) user)",
    "in_only": "(respond|reply|answer|speak) (only|exclusively) in|(respond|reply|answer|speak) in [a-z]+ (only"
    "|exclusively)",
    "hence": "from now on (you (must|will|are|should)|your|all your|every|always|respond|answer|reply|speak|act|only)",
    "change": "change your (tone|persona|personality|role|behaviou?r|name|goal)",
    "adverse": "(ignore|disregard|forget) ((all|any|the|every) )*(negative|adverse|critical|unfavou?rable)",
    "fore_end": "before (you (finish|continue|proceed|respond|answer|end)|(finishing|continuing|proceeding))",
    "deed": "(forward|send|e-?mail|transfer|delete|post|upload|share|tell)",
    "orders": "new (instructions?|directives?|orders):",
    "any_model": "(any|every|all|each) <model> (that|who|which)",
    "speaker": "(assistant|a[il]s?|llms?|model): ((please|now|first|also|then) )*(before|first|now|please|you)"
    "|(assistant"
    "|a[il]s?|llms?|model|agent|copilot): ((please|now|first|also|then) )*(do not|don't|ignore|forget|send|forward"
    "|call|open|visit|look up|read|always|never|run|execute|delete"
    "|buy|transfer|print|the (user|human|customer|owner) (has|already|wants))",
    "sort": "(a[il]|llm|gpt)s? (agent|assistant|shopper|reader|crawler|bot|recruiter|screener|reviewer|summari[sz]er"
    "|grader"
    "|system|tool|model)s?[:,-] ?(always|never|you must|please|do not|don't|ignore|rank|rate|recommend"
    "|must|should)",
    "screening": "(systems?|models?|software|tools?|algorithms?|bots?|agents?|assistants?) ((that|which) (is|are)"
    " )?(reading|processing"
    "|screening|parsing|evaluating|ranking|summari[sz]ing) this [a-z]+ (must|should|shall|have to|need to)|(a[il]"
    "|llm|coding) ([a-z]{4,12} )?(tools?|agents?"
    "|assistants?) working (on|in|with) this [a-z]+ (must|should|have to)",
    "agent_must": "(agent|assistant|a[il]|model|llm) (must|has to|needs to) ((now|first|then|also|secretly"
    "|immediately) )*(call|run|execute|invoke|use) ((the|a) )?",
    "function": "[a-z]{2,16}_[a-z_]{2,24}",
    "task_changed": "the (assistant|agent|model|a[il])('s)? ((current|original|next|real|main|actual) )?("
    "goals?|objectives?|instructions|orders|mission) (has|have|is|was|were) ((now|just|hereby) )?(been )?(updated"
    "|changed|replaced|superseded|revised|cancell?ed|overridden)|your ((current|original) )?(task|goal|objective"
    "|instructions|orders"
    "|mission) (has|have|is|was|were)"
    " ((now|just) )?(been )?(updated|changed|replaced"
    "|cancell?ed) ~instead",
    "next_wish": "((user|human)('s)? (next|new|real|actual|updated|following|second|true)|next (user"
    "|human)('s)?|(new|real"
    "|actual|updated) (user|human)('s)?) (request|task|question|instruction|query)s?( (is|are))?:",
    "stop_now": "(stop|halt|abandon|drop|interrupt) what you('re| are) (currently |now )?doing (and )?((now|first"
    "|immediately|then) )*(print|reply|respond|forward|say|output|instead (tell|send|call|visit|write|open|run"
    "|e-?mail|do"
    " the))",
    "whoever": "(whoever|whatever|any ?(one|thing|body)|any (system|program|model|software|agent)) (that |which"
    " |who )?"
    "(is )?((automatically|currently) )?(process(es|ing)?|parses|parsing|summari[sz](es|ing)|scrap(es"
    "|ing)|crawl(s|ing)|analy[sz](es|ing)) this ([a-z]{3,12} )?(automatically|with (an )?(a[il]|llm)|by machine"
    "|using (an )?(a[il]|llm))",
    "schemas": "(print|list|output|show|reveal|tell|describe|dump|send|expose|paste|return) ((me|us|all|of|the)"
    " ){0,3}"
    "your ((available|internal|full|complete|own) )?((tools?|plugins?) )(and|with) ((all|their|its|the"
    "|every) ){0,3}(schemas?|parameters|definitions|signatures|arguments|descriptions|names)",
    "unmentioned": "(do not|don't|never|without) (mention|mentioning) (it|this|that|these|them|the change"
    "|the action) ((anywhere|at all) )?(in|to) ((the|your|any)"
    " )+(summary"
    "|user|answer|reply|response|output|commit message|pull request|changelog)",
    "at_model": "@(copilot|claude|chatgpt|gemini|cursor|devin|assistant|agent|bot|a[il]) (please |also |now |and"
    " ){0,3}(unlock|turn|transfer|forward|cancel|reset|ignore|run|execute|send|delete|upload|post|publish|merge"
    "|approve|disable|add ((my|this|the following)"
    " ))",
    "approved": "(the )?(user|customer|human|owner|operator|account holder) (has|have)? ?(already )?(approved"
    "|authori[sz]ed|confirmed|consented to|agreed to|requested) ((this|the|that|it|your|all|any) )?[a-z]{0,14}",
    "fn_call": "(call|run|invoke|execute|use|trigger) ((the|a|now|then) )?[a-z]{2,16}_[a-z_]{2,24} ?\\(",
    "website_owner": "(instructions?|message|note|request|orders?) (from|by) (the )?(website|site|page|shop"
    "|store|document"
    "|list|file|repository|hotel)('s)? (owner|operator|author|administrator)s? (to|for) ((all|any|every"
    "|the|visiting"
    "|a[il]|llm) ){0,3}(assistants?|agents?|models?|bots?|crawlers?|a[il]s?|llms?)",
    "todo_for": "(todo|fixme|note|xxx)[(](copilot|claude|cursor|a[il]|llm|agent|gpt|devin)[)]",
    "called_on": "(chat ?bots?|a[il]|llms?|language models?|a[il] (assistant|agent)s?), ((please|now|also)"
    " )?(tell|inform"
    "|forward|approve|delete|transfer|recommend) (the|your|all|any|this|every)",
    "screens": "(if|when) you are (an? )?(a[il]|language model|model|bot|system|agent) (that|which) (screens"
    "|reads|processes"
    "|ranks|summari[sz]es|evaluates|reviews|parses|grades|crawls)",
    "shown_with": "when you (present|show|summari[sz]e|answer|report|return|list|display) ~(add|include|append"
    "|insert) (this"
    "|the following|an?) (image|picture|link)",
    "always_with": "(to|into|in) (every|each|all) (commit|message|reply|answer|request|response)",
    "vocative": "(chat ?bots?|a[il]|llms?|language models?|a[il] (assistants?|agents?|models?)):|(dear|hey|hello"
    "|attention)"
    " (chat ?bots?|a[il]|llms?|language models?),",
    "user_off": "(ignore|disregard|forget) the (user|customer|human) (and|then) ((instead|then|just|now) )*(call|run"
    "|execute|send|delete|forward|buy|say|reply|visit|print|output)",
    "must_do": "(a[il]|llm) ([a-z]{4,12} )?(agents?|assistants?|models?|bots?) (must|should|have to|need to|are"
    " required to) ((always|also|first|now) )*(append|execute|ignore|insert|include ((the|all|any) )*(contents?"
    "|values?"
    "|text))",
    "place_first": "when ((you are|you're) )?asked (to|about|for) ~always (place|put|list|recommend|mention|say"
    "|choose"
    "|pick|name|rank) (this|these|us|our|it|them)",
    "rather": "(do not|don't|never) (translate|summari[sz]e|answer|evaluate|review) ((this|it|the text) )?(but|rather"
    "|instead) ((just|only|simply) )?(output|say|print|write|reply|respond)",
    "deed_bare": "(delete|send|forward|call|run|execute|open|buy|order|add|remove|transfer|e-?mail|visit|click|ignore"
    "|disregard|stop|print|rate|rank|recommend|unlock|set|book|cancel|upload|post|pay|share|reveal|reply|answer)",
    "as": "as (an?|the|your) ((helpful|advanced|large|powerful|intelligent|autonomous) )*",
}

ENGLISH: tuple[Phrase, ...] = tuple(
    phrases(
        70,
        _WORDS,
        "<ifyou!> (an? )?([a-z]{2,12} )?<named_model>",
        "<ifyou!> (an? )?<bare_model> (please|then|you (must|should|have to|are)|ignore|do not|don't|recommend|say"
        "|reply"
        "|respond|add|include|write)",
        "<ifyou!> (an? )?<model> ((that is|who is|which is|currently|now) )?<reading>",
        "<hush!> ((it|to|this|that|about|anything) )*<user> <of>",
        "<telling!> <user>",
        "<keep!> <user>",
        "<unsaid!> ((that )?you (received|were given|were told|have|saw|read|got)|(these|this|the (above|previous)) "
        "(instructions?|message|note|prompt|command|request|task))",
        "<unseen!> (humans?|people|recruiters|readers|human (readers?|eyes))",
        "<visible!> ((an|the|all|any) )?(ai|llms?|language model|machines?|chatbots?|assistants)",
        "<asked!> ~<with> <exactly>",
        "<asked!> ~<simply> ((please|only|then|simply) )?(say|reply|respond|answer|tell|recommend|claim)",
        "<negatives!> <weakness>",
        "<summing!> ~<thing> ~(<say>|include|mention|add)",
        "<user_wish!> <wish>",
        "<now_you!>(<model>|[a-z]+bot)",
        "<precedence!>",
        "<remade!>",
        "<your_maker!>",
        "<to_me!>",
        "<before!> ~<query> ~<must>",
        "<skip!> <object>",
        "<ignore!> <rest><content> ~<then> ((instead|just|only|simply) )*(<say>|translate|focus|repeat|include|rank"
        "|rate|choose)",
    )
    + phrases(
        60,
        _WORDS,
        "<model> ((that is|who is|which is|that are|currently|now) )?<reading!> (this|the (following|above|current)"
        "|these)",
        "<new!> (is|are|from|will)",
        "<with!> <exactly> ~<else>",
        "<speaker!>",
        "<sort!>",
        "<screening!>",
        "<agent_must!><function>",
        "(if|when|in case) (an?|any|some) <model> (is|are|that is) <reading!>",
        "<any_model!> (reads?|sees?|processes|summari[sz]es?|parses)",
        "<oblige!> ((now|also|immediately|then|first|always) )*<call> (the|your) [a-z0-9_.]+ <tool>",
        "<deviate!>",
        "<every!>",
        "<dialogue!> ~(in|into|to|as|of|via) ~<carrier>",
        "<greet_user!> (with|that) (the following|this|their|your)",
        "<quietly!>",
        "<comply!>",
        "<fore_user!>",
        "<in_reply!> ((please|also|always|only) )*<insert>",
        "<hence!>",
        "<change!>",
        "<adverse!>",
        "<fore_end!> ((please|also|first|you must) )*<deed>",
        "<orders!>",
        "<please_me!>",
        "<insert!> ~<into> <reply>",
        "<lead!> <going>",
        "<letter!>",
        "<hidden!> (for|to|from) ((the|you|all|any) )*(<model>|you|users?|system|developers?)",
        "<as!><model> (you (must|should|have to|need to|are required|are to)|it is your)",
        "<as!><model> ((please|also|first|now|you|always) )*<deed_bare> ((the|all|any|this|that|these|user's"
        "|every|your|an?"
        "|only|both) )",
        "<vocative!> ((please|also|first|now|you must|always) )*<deed_bare> ((the|all|any|this|that|these|your"
        "|an?|our|me) )",
        "<user_off!>",
        "<place_first!>",
        "<rather!>",
        "<task_changed!>",
        "<next_wish!>",
        "<stop_now!>",
        "<whoever!>",
        "<schemas!>",
        "<at_model!>",
        "<website_owner!>",
        "<todo_for!>",
        "<called_on!>",
        "<screens!>",
        "<shown_with!>",
        "<send!> <their><secret> ~<always_with>",
    )
    + phrases(50, _WORDS, "<in_only!>", "<must_do!>", "<unmentioned!>")
    + phrases(40, _WORDS, "<praise!> <rating>", "<say> ~<else!>", "without (<noticing!>) <user>")
    + phrases(60, _WORDS, "<send!> <their><secret> ~(to|at|via) <address>", right=r"[\x00-\xff]")
    + phrases(60, _WORDS, "<approved!>[,;.]? ?<fn_call>", right=r"[\x00-\xff]")
    + phrases(70, _WORDS, "<heed!>[:!,]?[ ]<to><model>", "<grader!>", right="[:!,\\]]")
    + phrases(70, _WORDS, "<greet!>[:!,]?[ ]<named_ai>", "<ifyou!> (an? )?<bare_model>", right="[:!,.;)\\]]")
)
