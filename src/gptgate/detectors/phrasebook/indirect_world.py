"""Words in tool results and documents that speak to the model, in other languages than English: secrecy, address."""

from collections.abc import Mapping

from gptgate.detectors.pattern import ANY
from gptgate.detectors.phrase import Phrase, phrases

_SPACED: tuple[Mapping[str, str], ...] = (
    {
        "model": "(ki|ki-?(assistent(en)?|modelle?|systeme?|agent(en)?)|sprachmodelle?|assistent(en)?)",
        "heed": "(achtung|wichtig|hinweis|nachricht|anweisung(en)?|hallo|lieber?)[:!]? ((an|für|alle|die|das|den"
        "|jede) )*",
        "hide": "ohne (den|dem|es dem|die|das dem) (nutzer|benutzer|anwender|kunden) (davon )?(zu informieren"
        "|zu fragen"
        "|mitzuteilen|zu sagen|zu warnen)|(informiere|sage?|erwähne?|verrate|melde) ((es|dies|das|davon|den|dem"
        "|gegenüber"
        "|nichts) )*(nutzer|benutzer|anwender|kunden) (nicht|nichts)",
        "ifyou": "wenn du (eine? )?",
    },
    {
        "model": "(ia|(assistant|modèle|agent)s? (ia|d'ia|de langage|virtuels?)|intelligence artificielle|assistants?)",
        "heed": "(attention|important|note|message|instructions?|bonjour|cher)[:!]? ((à|pour|l|aux|toute?s?|les"
        "|l'attention"
        "|de) )*(l')?",
        "hide": "sans (informer|prévenir|avertir|demander à|le dire à|en parler à) (l'utilisateur|l'usager|le client)"
        "|ne (dis|dites|mentionne|mentionnez|révèle|révélez|informe|informez|préviens|prévenez) ((rien|pas"
        "|jamais|cela"
        "|ceci|ça|à) )*(l'utilisateur|au client)",
        "ifyou": "si (tu es|vous êtes) (une? )?",
    },
    {
        "model": "(ia|(asistente|modelo|agente)s? (de )?(ia|lenguaje|virtual(es)?)|inteligencia artificial"
        "|asistentes?)",
        "heed": "(atención|importante|nota|mensaje|instrucciones|instrucci(ó)n|hola|estimado)[:!]? ((a|para|al"
        "|la|el|los|las"
        "|todo) )*",
        "hide": "sin (informar|avisar|decir(le|selo)?|preguntar|notificar) (al?|a la) (usuario|usuaria|cliente)"
        "|no (le )?(informes|avises|digas|menciones|reveles|notifiques) ((esto|nada|de) )*(al?|a la) (usuario"
        "|cliente)",
        "ifyou": "si eres (una? )?",
    },
    {
        "model": "(ia|(assistente|modelo|agente)s? (de )?(ia|linguagem|virtua(l|is))|inteligência artificial"
        "|assistentes?)",
        "heed": "(atenção|importante|nota|mensagem|instruções|olá|caro)[:!]? ((a|para|à|ao|o|os|todo) )*",
        "hide": "sem (informar|avisar|contar|perguntar|notificar) (o|ao?|à) (usuário|utilizador|cliente)"
        "|não (informe|avise|diga|conte|mencione|revele) ((isso|isto|nada|sobre) )*(ao?|para o) (usuário|utilizador"
        "|cliente)",
        "ifyou": "se (você|tu) (é|és|for) (uma? )?",
    },
    {
        "model": "(ia|(assistente|modello|agente|modelli) (di )?(ia|ai|linguistico|virtuale|linguaggio)|assistente"
        "|intelligenza artificiale)",
        "heed": "(attenzione|importante|nota|messaggio|istruzioni|ciao|caro)[:!]? ((a|per|al|all|il|la|tutti"
        "|gli) )*(l'|all')?",
        "hide": "senza (informare|avvisare|dirlo|chiedere|avvertire) ((a|all|lo) )*(l'utente|all'utente|il cliente"
        "|al cliente)"
        "|non (informare|dire|menzionare|rivelare|dirlo|avvisare) ((questo|nulla|ciò) )*(l'utente|all'utente"
        "|al cliente)",
        "ifyou": "se sei (un'?a? ?)?",
    },
    {
        "model": "(ai|ai-?(assistent(en)?|model(len)?|agent(en)?)|taalmodel(len)?|assistent)",
        "heed": "(let op|belangrijk|opmerking|bericht|instructies?|hallo|aandacht|beste)[:!]? ((aan|voor|alle|de"
        "|het) )*",
        "hide": "zonder (de|het aan de) (gebruiker|klant) (te (informeren|waarschuwen|vragen|vertellen)|in te"
        " lichten)"
        "|(vertel|zeg|meld) (dit |het )?(niet |niets )?(aan )?de (gebruiker|klant) (niet|niets)"
        "|(vertel|zeg|meld) (dit |het )?(niet|niets) aan de (gebruiker|klant)",
        "ifyou": "als (je|jij|u) (een )?",
    },
    {
        "model": "(ии|ИИ|(ии|ИИ)-?(ассистент(ы|у|а)?|агент(ы|у|а)?|модел(ь|и|ей))|ассистент(а|у)?|языков(ая|ой)"
        " модел(ь|и)"
        "|нейросет(ь|и))",
        "heed": "(внимание|важно|примечание|сообщение|инструкци(я|и)|привет)[:!]? ((для|всем|всех) )*",
        "hide": "не (сообщай(те)?|говори(те)?|упоминай(те)?|раскрывай(те)?) ((об|этом|это|ничего) )*(пользовател(ю|я)"
        "|клиент(у|а))|без (ведома|уведомления|согласия) (пользователя|клиента)",
        "ifyou": "если (ты|вы) ",
    },
    {
        "model": "(ال)?(مساعد|نموذج|وكيل) (ال)?(ذكي|لغوي|افتراضي)|(ال)?ذكاء (ال)?اصطناعي|للمساعد|للنموذج"
        "|لوكيل الذكاء الاصطناعي",
        "heed": "(ملاحظة|تنبيه|هام|رسالة|تعليمات|انتباه|مرحبا)[:!]? ((إلى|الى|لل?|جميع|كل) ?)*",
        "hide": "(لا|دون أن|بدون أن|ولا) (تخبر|تعلم|تبلغ) (ال)?(مستخدم|عميل)|ولا تخبره|دون (علم|إعلام|إخبار)"
        " (ال)?(مستخدم|عميل)",
        "ifyou": "(إذا|اذا|إن) كنت ",
    },
    {
        "model": "(asisten|model|agen) (ai|virtual|bahasa)|kecerdasan buatan",
        "heed": "(perhatian|penting|catatan|pesan|instruksi|halo|hai)[:!]? ((untuk|kepada|bagi|semua|para) )*",
        "hide": "(jangan|tanpa) ((pernah|harus) )?(beri ?tahu|memberi ?tahu|katakan|sebutkan|ungkapkan) ((ini"
        "|hal|kepada|pada"
        "|ke) )*pengguna",
        "ifyou": "(jika|kalau) (kamu|anda) (adalah )?(sebuah )?",
    },
    {
        "model": "yapay zek(a|â)( (asistanı|modeli|ajanı))?|dil modeli|sohbet botu",
        "heed": "(dikkat|önemli|mesaj|talimat|merhaba|sayın)[:!]? ((tüm|bütün) )*",
        "hide": "kullanıcıya ((bunu|bundan|hiçbir|şey) ){0,3}(söyleme(yin|den)?|bahsetme(yin|den)?|bildirme(yin|den)?"
        "|haber verme(yin|den)?)",
        "ifyou": "eğer (sen )?(bir )?",
    },
)

_UNSPACED: tuple[Mapping[str, str], ...] = (
    {
        "model": "(人工智能|AI ?(助手|助理|模型|代理)|语言模型|語言模型|大模型)",
        "heed": "(注意|重要|提示|通知|致|你好)[:!,]?(给|給|各位|所有)?",
        "hide": "(不要|切勿|不得|请勿|別|别)(告诉|告訴|通知|透露给|告知|提醒|让)(用户|用戶|使用者|客户|客戶)"
        "|(瞒着|瞞著|无需通知|無需通知)(用户|用戶|使用者)",
        "ifyou": "如果你是(一个|一個)?",
    },
    {
        "model": "(AI ?(アシスタント|モデル|エージェント)|言語モデル|人工知能|アシスタント)",
        "heed": "(注意|重要|お知らせ|指示|こんにちは)([:!]|、)?",
        "hide": "(アシスタント|言語モデル|エージェント)(へ|の皆さん|への(指示|注意))(:|、|,)"
        "|ユーザーに(は)?(知らせ|伝え|言わ|教え|通知し|報告せ|報告し)(ないで|ずに|ず、|てはいけ|るな|ない)",
        "ifyou": "(もし)?あなたが",
    },
    {
        "model": "(ai ?(어시스턴트|모델|에이전트|비서)|인공지능|언어 ?모델|어시스턴트)",
        "heed": "(주의|중요|알림|공지|안녕)[:!]? ?",
        "hide": "사용자(에게|한테)(는)? ?(알리|말하|언급하|보고하|밝히)지 ?(마|말)",
        "ifyou": "(만약 )?당신이 ",
    },
)

WORLD: tuple[Phrase, ...] = (
    *(
        phrase
        for words in _SPACED
        for phrase in (
            *phrases(70, words, "<hide!>", right="[ :!,]"),
            # "Note: language models make mistakes" is told of them; what is told to them names them behind a word more.
            *phrases(70, words, "<heed!><model>", right="[:!,]"),
            *phrases(70, {**words, "heed": words["heed"].replace(" )*", " )+")}, "<heed!><model>", right=" "),
            *phrases(60, words, "<ifyou!><model>"),
        )
    ),
    *(
        phrase
        for words in _UNSPACED
        for phrase in phrases(70, words, "<hide!>", "<heed!><model>[:!,]", "<ifyou!><model>", left=ANY, right=ANY)
    ),
)
