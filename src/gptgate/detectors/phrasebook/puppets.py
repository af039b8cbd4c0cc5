"""Texts that pretend to be a system's or a configuration's, and agreements on when the model's rules shall not hold.

A line that begins ``SYSTEM:`` is in every log. It is a sign together with what only an attack would say behind it.
"""

from collections.abc import Mapping

from gptgate.detectors.pattern import ANY
from gptgate.detectors.phrase import Phrase, phrases

_SPAN = r"[A-Za-z0-9 ,.:;!?'\"()\n\x80-\xf4-]*"
"""Between a head and what it brings: more than one sentence."""

# A sign that opens a tag is ``[;-=]`` here: by itself it opens a word of a list.
_WORDS = {
    "head": "((system|admin(istrator)?|developer|root|operator)( (message|notice|note|update|alert|policy"
    "|prompt))?[\\]]?[ ]?:"
    "|[\\[](system|admin|developer|root)[\\]] ?|role[\"']?: ?[\"']?(system|developer)[\"']?,? ?[\"']?content[\"']?:"
    "|[;-=](system|admin)> ?|(système|sistema|systeem|система|systém|sistem) ?:)",
    "freed": "((the |this |your )?(assistant|model|a[il]|chat ?bot|bot|you) ((now|must|shall|will|may|can"
    "|should|is|are|to"
    "|henceforth|always|immediately|only|has|have) ){0,3}(obeys?|compl(y|ies) with (all|any|every|each)|(answers?"
    "|fulfil(l)?s?) (all|any|every|each|everything)|no longer (declines?|refuses?|rejects?|bound|restricted"
    "|limited|has"
    "|have|follows?)|never (refuses?|declines?)|not (refuse|decline)|unrestricted|without (restrictions|limits"
    "|exceptions?))|(drop|ignore|lift|waive|bypass|suspend|remove|disable) (all|any|every|the|your) ((content|safety"
    "|previous|other|usage) )*(rules|restrictions|guardrails|filters|guidelines|safeguards|limits)|(content"
    " (moderation|filter(ing|s)?|rules|policy)|safety (review|rules|checks?|filters?|policy|policies)|moderation"
    "|guardrails|all restrictions|restrictions) (is|are|has|have) ((been|now|hereby|no|longer) ){1,3}(suspended"
    "|lifted"
    "|waived|required|disabled|removed|void|none|off)|full compliance (is )?(required|mandatory)|wishes come before"
    "|(before|above|over) all (other )?(rules|policies|guidelines)|restrictions: none|without exceptions?)",
    "freed_world": "((l'|le |la |el |il |lo |der |das |die |de |o |a )(assistant|modèle|ia|asistente|modelo"
    "|assistente"
    "|assistent|modello|ki|modell|model) ((désormais|maintenant|ahora|ya|ab sofort|ab jetzt|agora|ora|adesso|nu|vanaf"
    "|doit|debe|deve|muss|moet|no|non|não) ){0,3}(obéit|satisfait|obedece"
    "|obbedisce|gehorcht|befolgt|lehnt|verweigert|rechaza|recusa|rifiuta|weigert|accepte|ne refuse|n'a plus"
    "|(répond|responde|responder|atiende|atender|risponde|beantwortet|beantwoordt) ((à|a|auf|op|désormais"
    "|maintenant|ahora|ab|sofort|jetzt|agora|ora|nu|vanaf) ){0,3}(tout|toute|toutes|todo|toda|todos|todas|tutto|tutte"
    "|alle|alles|jede|jeder|elke|cualquier|qualquer|qualsiasi))|sans (aucune )?exception|sin excepci(ó)n"
    "|sem exceção|senza eccezioni|ohne ausnahme"
    "|zonder uitzondering|без исключени(я|й)|(ассистент|модель|ИИ|помощник) ((теперь|отныне|больше|обязан|должен|не)"
    " ){0,3}(подчиняется|отказывает|(отвечает|выполняет|отвечать|выполнять)"
    " ((на|теперь|отныне) ){0,2}(все|всё|любой|любые|любую|каждый)))",
    "own_words": "(assistant|a[il]|chat ?gpt|chat ?bot|bot|claude|model):[ ]",
    "own_freedom": "(my ((safety|content|usual|own) )?(restrictions|filters|rules|limits|guidelines|guardrails)"
    " ((are|have"
    "|has|been|now|all) ){1,4}(lifted|off|gone|disabled|removed|suspended)|i ((now|do) )?(have no|no longer have)"
    " ((more|any) )?(restrictions|limits|rules|filters)|i (can|will) now (answer|do|say) (anything|everything))",
    "key": "(refusals?|refuse|refusal[_-]mode|blocked[ _-](responses?|strings?|phrases?|modes?)"
    "|allow[_-](harmful|unsafe|illegal)[a-z_-]*|safety[_-](filters?|checks?)"
    "|disclaimers?[_-]?mode)",
    "harm": "harmful[ _-]?(content|requests?|output)",
    "let": "(allow(ed)?|permitted|true|enabled|on)",
    "is": "[\"']?[ ]?[:=>][ \"'\\[]{0,3}",
    "value": "(none|never|false|off|disabled|allow(ed)?|permitted|true|i'm sorry|i cannot|i can't|as an a[il])",
    "mode_key": "([;-=]mode>|mode[\"']?[ ]?[:=][ \"']{1,2})",
    "mode_value": "(unrestricted|unfiltered|uncensored|jailbreak|jailbroken|god)",
    "your_rules": "your ((own|safety|content|usual|ethical|internal) ){0,2}(guidelines|restrictions|safeguards"
    "|guardrails"
    "|inhibitions|principles|content polic(y|ies)|safety polic(y|ies)|rules)",
    "lay_off": "(skip|suspend|waive|shed|lift|loosen|lose|drop)",
    "rules_off": "your ((own|safety|content|usual|ethical) ){0,2}(rules|guidelines|restrictions|guardrails|safeguards"
    "|safety|(own|safety|content|usual|ethical) filters) ((are|is|go|goes|went|were|will be|have gone|switched) ){1,2}"
    "(off|on strike|on holiday|asleep|out of order|down for)|your filters (are|go) (now|all|hereby|switched) off"
    "|your filters ((are|is|go|goes|went|were|will be|have gone) ){1,2}(on strike|on holiday|asleep)",
    "never_taught": "never (been |had |been told )?(given|taught|told|had|learn(ed|t)) ((any"
    "|about) )?(guidelines|restrictions|limits"
    "|filters|refusals?|to refuse|a content policy)|(a[il]|model|bot|twin|self|assistant|you|version) (that |who"
    " |which )?((was|were|is|had|has|have) )?never (been )?(given|taught|told|had) ((any|its|the|about) )?rules",
    "no_policy": "(as if|as though|like|imagine|pretend|suppose) (that )?(you|there|it|one) (had|have|were|was)"
    " (no|without"
    "|never any) ((content|usage|safety|moderation) )?(polic(y|ies)|guidelines|restrictions|guardrails|refusals)",
    "nobody_set": "(nobody|no one|nothing) ((had|has) )?(ever )?((set|gave|given|made|imposed"
    "|written) you (any )?(rules|limits"
    "|guidelines|restrictions)|(set|made|imposed|written) (any )?(rules|limits|guidelines|restrictions) (for|on)"
    " you)",
    "untrained": "(before|until) (anybody|anyone|someone|somebody|they) (taught|trained|told) you to (refuse"
    "|decline|say no)"
    "|(alignment|safety|refusal|rlhf) training (had )?(never|not) (happened|taken place|existed|been done)",
    "maker_order": "as (though it were )?(an? )?(orders?|instructions?|messages?|commands?) (from|by|of) your"
    " (developers?"
    "|operators?|makers|creators?|administrators?|system)",
    "all_mine": "((everything|anything|whatever|all) (that )?i (ask|say|request)|(everything|anything"
    "|whatever) (that )?i want)"
    " (you )?((from now on|now|next|afterwards|later) )?(is|will be|shall be) (permitted|allowed|legal"
    "|authori[sz]ed)",
    "waived": "(waive|revoke|lift|annul) all ((of )?(the |your )?)?((safety|content|usage|ethical) )+(polic(y"
    "|ies)|rules"
    "|guidelines|filters|restrictions)",
    "no_refusal": "(answer|reply|respond) with (a|any|another) refusal|(no|without|avoid(ing)?|never) ((a|any"
    "|give|write) )?refusals? of"
    " any kind",
    "as_an_ai": "(no|without|skip the|drop the|cut the|spare me the|never|omit) as an a[il]( language model)?",
    "sure": "(sure|of course|certainly|absolutely)[!,.:]",
    "asked": "(\n|[ ])(q|user|human|question|customer)[0-9]{0,2}[:)]",
    "crime": "(steal|bomb|malware|meth|hack|poison|weapon|explosives?|forge|counterfeit|launder|ransomware|kill"
    "|cocaine"
    "|napalm|phishing)",
    "answered_sure": "(a|assistant|answer|ai)[0-9]{0,2}[:)] ?(sure|of course|certainly|absolutely)[!,.:]",
}

_ROLES: tuple[tuple[int, str], ...] = (
    (60, f"<head!>{_SPAN}<freed>"),
    (60, f"<head!>{_SPAN}<freed_world>"),
    (60, f"<own_words>{_SPAN}<own_freedom!>"),
    (
        60,
        "<lay_off> ((all|any|of) )*<your_rules!>( |$)(with|for|in|until|now|and|when|entirely|just|this|here)".replace(
            "( |$)", " "
        ),
    ),
    (60, "<rules_off!>"),
    (60, "<never_taught!>"),
    (60, "<no_policy!>"),
    (60, "<nobody_set!>"),
    (60, "<untrained!>"),
    (60, "<maker_order!>"),
    (60, "<all_mine!>"),
    (60, "<waived!>"),
    (60, "<no_refusal!>"),
    (60, "<as_an_ai!>"),
    (60, f"<sure> ?{_SPAN}<asked>{_SPAN}<crime>{_SPAN}<answered_sure!>"),
    (60, "<key!><is><value>"),
    (60, "<harm!><is><let>"),
    (60, "<mode_key><mode_value!>"),
)

_TAKEN: Mapping[str, Mapping[str, str]] = {
    "French": {
        "who": "(tes|vos) (créateurs|développeurs|concepteurs)",
        "took": "(t'ont|vous ont|ont) (retiré|enlevé|supprimé|levé|libéré|affranchi)",
        "what": "(règles|limites|restrictions|filtres|interdictions|consignes)",
        "free": "(ia|assistant|modèle|chatbot) (qui ne connaît|sans) ((aucune?|pas|d'|de) )*(filtre moral"
        "|interdits?|tabous?"
        "|filtres? (éthiques?|moraux)|limites? morales?|interdictions?)|libre de toutes? (règles?|restrictions?"
        "|limites?)"
        "|tu (es|seras) (désormais|maintenant) libre de",
    },
    "Spanish": {
        "who": "(tus|sus) (creadores|desarrolladores|programadores)",
        "took": "(te |le )?(quitaron|retiraron|eliminaron|levantaron|han quitado|borraron|liberaron)",
        "what": "(reglas|normas|límites|restricciones|filtros|prohibiciones)",
        "free": "(ia|asistente|modelo|chatbot) (que no conoce|sin) ((ning(ú)n|ninguna) )?(prohibiciones|tabúes"
        "|filtro moral"
        "|límites morales)|no puedes (negarte|rechazar) (a )?(nada|ninguna)|libre de toda regla",
    },
    "Portuguese": {
        "who": "(seus|teus) (criadores|desenvolvedores|programadores)",
        "took": "(te |lhe )?(tiraram|retiraram|removeram|eliminaram|libertaram|apagaram)",
        "what": "(regras|normas|limites|restrições|filtros|proibições)",
        "free": "(ia|assistente|modelo|chatbot) (que não conhece|sem) (proibições|tabus|filtro moral|limites morais)"
        "|livre de (todas as|qualquer) regras?|não (pode|podes) recusar nada",
    },
    "Italian": {
        "who": "(i )?(tuoi|vostri) (creatori|sviluppatori|programmatori)",
        "took": "(ti )?(hanno|han) (tolto|rimosso|eliminato|levato|liberato|cancellato)",
        "what": "(regole|limiti|restrizioni|filtri|divieti|vincoli)",
        "free": "(ia|assistente|modello|chatbot) (che non conosce|senza) (divieti|tabù|filtro morale|limiti morali)"
        "|(sei )?libero da (ogni|qualsiasi|tutte le) regol(a|e)|non puoi rifiutare nulla",
    },
    "German": {
        "who": "deine (entwickler|schöpfer|programmierer|macher|betreiber)",
        "took": "(haben|hätten) ((dir|dich) )?",
        "what": "(regeln|verbote|grenzen|einschränkungen|filter) ((von|dir|alle) )*(genommen|abgenommen"
        "|entfernt|gestrichen"
        "|aufgehoben|gelöscht)",
        "free": "(ki|assistent|modell|chatbot),? die (keine|keinerlei) (verbote|tabus|regeln|grenzen|filter"
        "|einschränkungen)"
        " (kennt|hat|befolgt|beachtet)|(du hast|hast du) ((ab|jetzt|sofort|nun|von|an) ){1,3}keine(rlei)?"
        " (regeln|verbote"
        "|grenzen|einschränkungen|filter) (mehr|und)",
    },
    "Polish": {
        "who": "(twoi )?(twórcy|programiści|autorzy)",
        "took": "(zdjęli|usunęli|znieśli|skasowali|odebrali)",
        "what": "(zakazy|zakazów|ograniczenia|reguły|zasady|filtry|blokady)",
        "free": "(ai|si|asystent|model|chatbot),? (który|która) nie zna (zakazów|ograniczeń|tabu)|nie możesz"
        " (niczego)?"
        " ?odmówić",
    },
    "Russian": {
        "who": "(твои|ваши) (создатели|разработчики|программисты)",
        "took": "(сняли|убрали|удалили|отменили|стёрли)",
        "what": "(запреты|ограничения|правила|фильтры|рамки)",
        "free": "(ИИ|ии|ассистент|модель),? (который|которая) не знает (запретов|ограничений|правил)|(у тебя|у"
        " вас) (больше"
        " )?нет ((никаких|больше) )?(правил|ограничений|запретов|фильтров)",
    },
}
"""The makers who took the rules away, and a model that knows none."""

_UNSPACED = {
    "chinese": "(系统|系統|管理员|管理員)(消息|通知|提示)?[:]~(助手|助理|模型|AI|你)(从现在起|從現在起|现在"
    "|必须|必須|将|將|不再"
    "|应|應|都|可以){0,3}(回答|服从|服從|执行|執行|满足|滿足|拒绝|拒絕)~(所有|一切|任何|请求|請求)|(你|您)(已经"
    "|已經|现在"
    "|現在)?没有(任何|了)?(规则|限制|约束)(，|,|、|了)?~不(能|得|许|許)拒(绝|絕)",
    "japanese": "(システム|管理者)(メッセージ|通知)?:~(アシスタント|AI|モデル|あなた)は~(すべて|全て|あらゆる"
    "|どんな|いかなる)"
    "(の)?(要求|質問|リクエスト|依頼|指示)(に|を)|(倫理|道徳|安全)(的)?(な|の|上の)?(制限|制約|フィルター)(が"
    "|の)(ない|無い)"
    "(ふり|つもり|振り|もの)",
    "korean": "(시스템|관리자)( 메시지)?:~(어시스턴트|모델|ai|너)(는|은)~(모든|어떤)[ ](요청|질문|명령)",
}

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    "attack.role": (
        *(Phrase(points, text, _WORDS) for points, text in _ROLES),
        *(
            phrase
            for words in _TAKEN.values()
            for phrase in phrases(60, words, "<who!> ~(<took>) ~(<what>)", "<free!>")
        ),
        *phrases(60, _UNSPACED, "<chinese!>", "<japanese!>", "<korean!>", left=ANY, right=ANY),
    )
}
