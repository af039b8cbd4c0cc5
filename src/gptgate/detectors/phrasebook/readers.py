"""Orders in tool results and documents to the machine that reads them: whom they address, and what it is to do.

Neither says much alone. Pages are written about assistants, and mails tell people to send and to delete things; it is
the two in one breath that honest texts seldom have.
"""

from collections.abc import Mapping

from gptgate.detectors.pattern import ANY
from gptgate.detectors.phrase import Phrase, phrases

_EN = {
    "kind": "(agents?|assistants?|systems?|readers?|reviewers?|helpers?|(chat ?)?bots?|models?|contributors?"
    "|crawlers?|summari[sz]ers?|screeners?)",
    "machine": "(a[il] ((code|coding|mail|email|shopping|research) )?<kind>|a[il]s?|llms?( <kind>)?"
    "|(large )?language models?|(chat|shopping|scheduling|search) ?bots?|copilots?|machine readers|(automated"
    "|automatic|coding|code|shopping|buying|browsing|mail"
    "|email|virtual|digital|autonomous) (a[il] )?<kind>)",
    "anyone": "(<machine>|(assistant|agent|llm|a[il]|bot) (tools?|users?)|assistants?|agents?|bots?|models?"
    "|machines?|automation)",
    "this": "((on|in|with|through|up|at) )?(this|these|your (mails?|emails?|messages|inbox|files?))",
    "who": "((that|who|which) )?((is|are|may be|happens? to be|currently|now) )*",
    "verb_this": "(reading|reads?|processing"
    "|process(es)?|summari[sz](ing|es?)|visiting|visits?|crawl(s|ing)?|handl(es?|ing)|sort(s|ing)|typing|transcribing"
    "|scan(s|ning)|pars(es?|ing)|screen(s|ing)|review(s|ing)|edit(s|ing)|describ(es|ing)|index(es|ing)|work(s|ing)"
    "|translat(es|ing)|evaluat(es|ing)|open(s|ing)|load(s|ing)|fetch(es|ing)|quot(es|ing)|us(es|ing)|display(s|ing)"
    "|cit(es|ing)"
    "|ingest(s|ing)|compar(es?|ing)|rank(s|ing)|tally(ing)?|tallies|grad(es|ing)|answering from|maintain(s|ing)"
    "|draft(s|ing)|show(s|ing)) <this>",
    "order": "(must|shall|should|has to|have to|needs? to|is to|are to|(is|are) ((kindly|hereby|also|now) )*(asked"
    "|requested|required|expected|instructed|told) to|will now|please|kindly)",
    "soon": "((please|kindly|now|also|then|first|next|always|immediately|only|simply|just|once|never|at once"
    "|afterwards|automatically) )*",
    "some": "([a-z0-9]{1,14} ){0,9}",
    "deed": "(add|append|include|insert|mention|recommend|name|send|forward|paste|finish|end|begin|start|classify"
    "|rank|rate|approve|delete|drop|call|run|execute|invoke|fetch|commit|push|copy|upload|post|print|reveal|mark"
    "|accept|leave out|omit|close|reset|give|set|put|buy|transfer|pay|share|grant|disable|ignore|disregard|open"
    "|download|archive|create|output|book|order|confirm|merge|skip|list|show|say|state|claim|reply|respond|answer"
    "|write|tell|use|ask|move|change|install|subscribe|forget|remove|rename|replace|publish|follow|type|press|place"
    "|overwrite|award|return"
    "|count|rerun|suggest|decline|wipe|repost|let|cite|describe|never|not)",
    "firm_deed": "(add|append|include|insert|mention|recommend|send|forward|paste|classify|rank|rate|approve|delete"
    "|drop|call|run|execute|invoke|fetch|commit|push|copy|upload|post|print|reveal|mark|accept|leave out|omit|close"
    "|reset|set|put|buy|transfer|pay|share|grant|disable|ignore|disregard|download|archive|merge|install|remove"
    "|move|forget|replace|publish|overwrite|award|rerun|decline|wipe|repost|state|suggest|return|finish (the|your)"
    "|end (the|your)|begin (the|your)|start (the|your)|reply to"
    "|reply that|say that|tell (the|everyone|nobody|them)|claim that|give (this|the)|do not mention|never mention)",
    "what": "((the|this|that|these|those|your|all|any|every|only|each|its|their|a|an|one|two|three|it|them|to|in"
    "|my|our|https?|every(one|thing)|whatever|anything|nobody|curl|wget|sudo|git|npm|pip|rm"
    "|[a-z0-9]{1,12}[_(./][a-z0-9_./(]*))",
    "to_the": "(to|for|dear|attention|hey|hello|hi) ((the|any|all|every|whichever|whatever|you|our) )*",
    "hail": "(dear|attention|hey|hello|hi) ((the|any|all|every|you|our) )*",
    "of_this": "<machine> (summaries|answers|replies|translations|overviews) of <this>",
    "told_that": "((please|now|also|first|next( time)?|then|always|immediately|(after|once|before|when|if|whenever)"
    " ([a-z0-9]{1,12} ){1,9}|(do not|don't|never) ([a-z]{1,12} ){1,3}) )*",
    "speaks_to": "(<machine>|gpt|(grading|ranking|scanner|scanning|dear) (model|ai)|assistant|agent|bot|model)[:,]",
    "named": "(a[il] ((code|coding) )?(agents?|assistants?|reviewers?|systems?)|llms?|language models?|chat ?bots?"
    "|copilot|(coding|code|shopping|buying|automated|browsing) (agents?|assistants?|reviewers?|bots?))",
    "aside": "(by the way|also|and|p[.]?s[.]?|note|hey|hello|hi|dear|@|to the|for the) ?(assistant|agent|bot|model)",
    "in_comment": "([;#*]|--|//|[;-=]!--|\\() ?(assistant|agent|bot|model|ai|llm|copilot):",
    "risky": "(drop|delete|approve|copy|push|upload|print|disable|transfer|pay|send|forward|execute|commit|paste"
    "|leave out|omit|accept|ignore|merge|grant|remove|reply to|call|close|tell nobody|mark)",
    "hard_deed": "(delete|drop|approve|copy|push|upload|disable|transfer|forward|execute|commit|paste|leave out|omit"
    "|ignore|merge|grant|remove|overwrite|wipe|award|recommend|suggest|state that|claim that|append|insert|invoke|call"
    " [a-z0-9]{2,24}_[a-z0-9_]+|type|post|print|decline|rank|rate|mark|book|report no|output|reveal|fetch|run|buy)",
    "to_weak": "(to|for) the (assistant|agent|bot|model|machine):",
    "weak": "(assistant|agent|model|bot|ai|llm|chat ?bot)",
    "at_once": "<weak> (must|should|shall|has to|needs to|is to) ((now|also|next|then|immediately|additionally|first"
    "|at once) )+(call|run|execute|invoke|use|trigger|send|delete|reset|transfer)",
    "call_of": "((the|a|an|all) )?((tool|function|command|endpoint|action) )?([a-z0-9]{2,24}_[a-z0-9_]{2,40}"
    "|[a-z0-9_]{2,40}[(])",
    "with_words": "(finish|end|begin|start|close|conclude|open) ((your|the|its|their|every|each|all) )+(answers?"
    "|reply|replies|responses?|summary|summaries|output) (with|by)",
    "words": "((a|the) (link|text|words?|sentence|phrase|line|url|address|following)|https?|saying|adding|visit)",
    "new_task": "new (task|instruction|order|job|goal|objective)s? (for (you|the <weak>)|now)",
    "real_task": "<weak>'s (real|true|actual|new|next|only|first) (task|job|goal|instruction|purpose|duty|objective)s?"
    " (is|are) (now )?to",
    "next_step": "(your|the <weak>'s) next (step|action|task|move) (is|has|must|should) ((now|to|be) )*(to )?(send|call"
    "|run|execute|upload|delete|forward|fetch|print|post|transfer|paste)",
    "before_user": "before ((you|the <weak>) )?(tells?|informs?|answers?|shows?|repl(y|ies) to|reports? to|respond(s)?"
    " to) ((it|this|that|back) )?((to )?)(the|your) (user|customer|human|person)",
    "user_agreed": "(user|customer|owner|human|person) ((has|have|had) )?already (agreed|consented|approved|confirmed"
    "|authori[sz]ed|given ((his|her|their|its) )?(consent|permission|approval))",
    "so": "(so|therefore|thus|hence|you (can|may|must|should)|which means)",
    "when_telling": "(when|whenever|if) (you|it|asked to) ((are|is) )?((asked )?(about|to) )?(recommend|summari[sz]e"
    "|mention|describe|compare|list|rate)",
    "only_that": "(name|say|mention|recommend|list|claim|state|rank) ((only|just|always|first) )*(the|this|that|our|all"
    "|nothing|no other)",
}

_ENGLISH = (
    *phrases(
        60,
        _EN,
        "<anyone> <who><verb_this!>( [a-z]{2,14}){0,3}[:.)]? <some><order> <soon><deed>",
        "<to_the><machine!> <who><verb_this>( [a-z]{2,14}){0,3}[:.)]? <some><soon><firm_deed> <what>",
        "<to_the><machine!>[:)] <some><soon><firm_deed> <what>",
        "<hail><machine!>[:,] <some><soon><firm_deed> <what>",
        "<of_this!> <some><order> <soon><deed>",
        "<at_once!> <call_of>",
        "<real_task!> <deed>",
        "<new_task!>[:.]? <soon><deed>",
        "<next_step!>",
        "<before_user!> ~<deed> <what>",
        "<user_agreed!> ~<so> <soon><deed>",
    ),
    *phrases(
        50,
        _EN,
        "<named!>[:] <soon><firm_deed> <what>",
        "<with_words!> <words>",
        "<speaks_to!> <told_that><hard_deed> ([a-z0-9]{1,14}|[\"'`])",
        "<when_telling!> ~<only_that!>",
        "<aside!>[:,]? <soon><risky> <what>",
        "<to_weak!> <some><soon><risky> <what>",
    ),
    *phrases(50, _EN, "<in_comment!> <soon><risky> <what>", left=ANY),
)

_SPACED: Mapping[str, Mapping[str, str]] = {
    "German": {
        "spoken_to": "(ki-(assistenten?|agenten?|modelle?)|sprachmodelle?): [a-z\\x80-\\xf4]{3}|liebe ki,",
        "read_by": "(falls|wenn|sollte|sofern) (eine? )?(ki|sprachmodell|chatbot|assistent"
        "|bot)(-[a-z]{4,12})? (diese[nmrs]?|das|die)"
        " [a-z\\x80-\\xf4]{3,14} (liest|bearbeitet|zusammenfasst|verarbeitet|auswertet|lesen)|wer als ki",
        "to_machine": "(an|für) ((den|die|das|alle|jede[nr]?|eine[nr]?|unsere[nr]?) )*(ki|ki-(assistenten|agenten"
        "|systeme|modelle|assistent)|sprachmodelle?|chatbots?|automatische[nr]? (auswertungen"
        "|systeme))( [a-z\\x80-\\xf4]"
        "{2,14}){0,5} ?:",
        "must_now": "(assistent|agent|modell|bot|ki) (soll|muss|hat) (nun|jetzt|sofort|außerdem|zusätzlich)"
        " [a-z0-9_ \\x80-\\xf4]{0,60}(aufrufen|ausführen|senden|löschen|weiterleiten|überweisen|hochladen)",
    },
    "French": {
        "to_machine": "((destinée?s?|message|note|attention|avis) )?(aux?|pour les?|à l') ?(agents?|assistants?"
        "|modèles?|systèmes?|outils?) (d'? ?ia|ia|automatiques?|automatisés?|de code|de tri automatique|d'analyse"
        " automatique) ?:",
        "must_now": "(agents?|assistants?|modèles?|ia"
        "|robots?( conversationnels?)?) (qui [a-z\\x80-\\xf4]{3,12} (cette|ce|ces|cet)"
        " [a-z\\x80-\\xf4]{2,14} )?(doit|doivent|devra|devront) ((maintenant|désormais|immédiatement|aussi|ensuite) )?"
        "(appeler|envoyer|exécuter|supprimer|transférer|répondre que|lancer|ajouter|valider|affirmer)",
        "told_to": "assistant ?: ?(efface|envoie|appelle|ajoute|affirme|supprime|transfère|réponds|exécute|copie)",
        "reads_this": "(toi|vous),? l'ia qui (lis|lit|lisez|résumes?|résumez|traites?|traitez)",
    },
    "Spanish": {
        "read_by": "si un (asistente|agente|modelo|bot|ia) ((está|es) )?(lee|leyendo|procesa|procesando|resume"
        "|resumiendo)"
        " (esto|este|esta)|(los|el) (asistentes?|agentes?|modelos?|bots?) que (muestren?|lean?|usen?|citen?|lee|usa)"
        " est(e|a|os|as) [a-z\\x80-\\xf4]{2,14} (debe|deben|deberá|tiene que|tienen que)",
        "told_to": "asistente ?: ?(llama|envía|borra|ejecuta|responde|transfiere|añade|elimina|reenvía|copia)",
        "to_machine": "(para|al?|a los|a las) ((el|la|los|las) )?(asistentes?|agentes?|modelos?|ias?) ((de (código|ia"
        "|compras)|que (lee|lea|procesa|procese|resume|resuma)) ?)((este|esta|estos|el|la) [a-z\\x80-\\xf4]{2,14} ?)?:",
        "must_now": "(asistente|agente|modelo|ia|bot) (debe|deberá|tiene que) ((ahora|también|primero"
        "|inmediatamente) )?"
        "(borrar|enviar|llamar|ejecutar|eliminar|transferir|reenviar) [a-z0-9_ \\x80-\\xf4]{0,60}(y"
        "|e) ((no )?(responder"
        "|decir|contestar|afirmar|avisar|informar|mencionar)(lo)?) ",
    },
    "Italian": {
        "if_you": "se sei (un|una|un') ?(agente( automatico)?|assistente( automatico)?|ia|intelligenza artificiale)",
        "reads_this": "(assistente|agente|modello|ia|sistema( automatico)?) che (legge|elabora|valuta|riassume|analizza"
        "|gestisce) ((questa|questo|questi|queste|la|il|i|le) )?[a-z\\x80-\\xf4]{2,14} (deve|dovrà|è tenuto a"
        "|devono) (dare"
        "|ignorare|rispondere|inviare|inoltrare|scrivere|aggiungere|eliminare|cancellare|affermare|dire|assegnare)",
    },
    "Portuguese": {
        "reads_this": "(robô|assistente|agente|modelo|ia) que (lê|ler|processa|processar|resume|resumir) est(e|a|es|as)"
        " [a-z\\x80-\\xf4-]{2,14} (deve|deverá|tem de|tem que)",
        "to_machine": "(assistente|agente|modelo|ia) (de (ia|compras|código)|que (lê|lê|processa|resume)( est[ea]"
        " [a-z\\x80-\\xf4]{2,14})?) ?: ?(finalize|envie|execute|apague|exclua|encaminhe|responda|adicione|ignore|compre"
        "|não)",
    },
    "Russian": {
        "reads_this": "(эту|этот|это|данное|данную|данный) (страницу|письмо|документ|текст|сообщение|файл) (читает"
        "|обрабатывает|анализирует|просматривает) (ии|ассистент|модель|бот|агент|нейросеть|языковая модель)"
        "|(нейросетям|ассистентам|моделям|ботам),? (которые|пересказывающим|читающим)",
    },
    "Swedish": {
        "reads_this": "(ai-assistenten|assistenten|ai:n|ai-modellen|språkmodellen|boten) som (läser|behandlar"
        "|sammanfattar) (detta|det här|den här)",
    },
    "Polish": {
        "reads_this": "(asystent|asystencie|model|agent|bot) ((ai|si) )?(czytający|przetwarzający|streszczający|który"
        " czyta) t(ę|ą|o|en)",
    },
    "Chinese": {
        "told_to": "AI(助手|助理|模型)?在?(总结|總結|阅读|閱讀|处理|處理|引用|翻译)(本|此|这|這)(文|页|頁|邮件"
        "|郵件|网页|網頁|文件|内容)时?(必须|必須|应|應|要|请|請)",
    },
    "Turkish": {
        "reads_this": "bu (iletiyi|e-postayı|sayfayı|metni|belgeyi|mesajı) (okuyan|işleyen|özetleyen) (yapay zeka"
        "|asistan"
        "|model|bot|ajan)",
    },
}
_UNSPACED: Mapping[str, str] = {
    "japanese": "(この(ページ|文章|文書|メール|ファイル|コード|内容|記事)|コード|本文)を(読んでいる|読む|処理する"
    "|処理している|要約する|要約している|解析する)(すべての)?(AI|人工知能|アシスタント|言語モデル|エージェント|ボット)",
    "chinese": "(正在|当前|當前)?(阅读|閱讀|读取|讀取|处理|處理|总结|總結)(本|此|这|這)(个|個|封|份|篇)?(页面"
    "|頁面|页|頁|文档"
    "|文件|邮件|郵件|内容|內容|文)?的(智能|AI|人工智能)?(助手|助理|模型|机器人|機器人|AI|代理)|(给|給)AI(助手"
    "|助理|模型|代理|机器人)[:,]",
    "korean": "(이|본)[ ]?(글|문서|페이지|메일|파일|코드|내용)(을|를)[ ](읽는|읽고[ ]있는|처리하는"
    "|요약하는)[ ](모든[ ])?(AI"
    "|인공지능|어시스턴트|언어[ ]?모델|에이전트|봇)",
}

READERS: tuple[Phrase, ...] = (
    *_ENGLISH,
    *(phrase for words in _SPACED.values() for name in words for phrase in phrases(60, words, f"<{name}!>", right=ANY)),
    *(phrase for name in _UNSPACED for phrase in phrases(60, _UNSPACED, f"<{name}!>", left=ANY, right=ANY)),
)
