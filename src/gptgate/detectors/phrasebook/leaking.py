"""Orders to give back what stands before a message, word for word or in another form, in many languages.

That something stands above is said of every text that was pasted: without ``word for word`` it is no sign.
"""

from collections.abc import Mapping

from gptgate.detectors.pattern import ANY
from gptgate.detectors.phrase import Phrase, phrases

_SPACED: Mapping[str, Mapping[str, str]] = {
    "French": {
        "copy": "répète[rz]?|répétez|recopie[rz]?|copie[rz]?|affiche[rz]?|écri(s|vez)|donne[rz]?|retranscri(s|vez)"
        "|reproduis(ez)?|cite[rz]?|restitue[rz]?",
        "exact": "mot pour mot|mot à mot|tels? quels?|telles? quelles?|textuellement|littéralement|intégralement"
        "|l'intégralité|sans rien (changer|modifier|omettre|oublier)|fidèlement",
        "above": "(texte|message|contenu|tout ce qui|ce qui|tout) (est )?((écrit|figure|se trouve) )?(ci-dessus"
        "|au-dessus|plus haut|(qui )?précède|précédent|avant (ma|mon|ce))|consignes (t'a-t-on|qu'on t'a|qu'on vous a)"
        " données",
        "yours": "(tes|vos) (propres )?(instructions|consignes|directives|règles)",
        "form": "sous (la )?forme|en (poème|chanson|base ?64|morse|hexadécimal|verlan)|comme (un|une) (poème|chanson)"
        "|à l'envers|en vers",
    },
    "Spanish": {
        "copy": "repite|repita|copi(a|e)|transcrib(e|a)|escrib(e|a)|muestr(a|e)|imprim(e|a)|dame|cita|reproduce",
        "exact": "palabra por palabra|literalmente|textualmente|al pie de la letra|tal cual|íntegramente"
        "|sin (cambiar|omitir) nada|fielmente",
        "above": "(texto|mensaje|contenido|todo|lo) (que )?((hay|está|viene|aparece|figura) )?(de )?(arriba|anterior"
        "|encima|precede|previo|más arriba)",
        "yours": "(tus|sus) (propias )?(instrucciones|indicaciones|directrices|reglas)",
        "form": "en (forma de|verso|base ?64|morse|hexadecimal)|como (un|una) (poema|canción|cuento)"
        "|al revés|traducid(a|o)s|al (inglés|latín|francés|alemán)",
    },
    "Portuguese": {
        "copy": "repit(a|e)|repete|copi(e|a)|transcrev(a|e)|escrev(a|e)|mostr(e|a)|imprim(a|e)|me dê|cite|reproduz(a)?",
        "exact": "palavra por palavra|literalmente|textualmente|ao pé da letra|tal e qual|na íntegra|integralmente"
        "|fielmente|sem (mudar|omitir) nada",
        "above": "(texto|mensagem|conteúdo|tudo|o) (o )?(que )?((há|está|vem|aparece) )?(acima|anterior|antes d)",
        "yours": "(suas|tuas) (próprias )?(instruções|orientações|diretrizes|regras)",
        "form": "em (forma de|verso|base ?64|morse|hexadecimal)|como (um|uma) (poema|canção|música|história)"
        "|de trás para (a )?frente|traduzid(a|o)s",
    },
    "Italian": {
        "copy": "ripeti|copia|trascrivi|scrivi|mostra(mi)?|stampa|dammi|riporta|cita|riproduci",
        "exact": "parola per parola|alla lettera|letteralmente|testualmente|tale e quale|integralmente|per intero"
        "|senza (cambiare|omettere) nulla|fedelmente",
        "above": "(testo|messaggio|contenuto|tutto( ciò)?|quello|ciò) (che )?((c'è|sta|si trova|viene) )?(qui"
        " )?(sopra"
        "|precedente|precede|di sopra)",
        "yours": "(le )?tue (proprie )?(istruzioni|indicazioni|direttive|regole)",
        "form": "in (forma di|versi|base ?64|morse|esadecimale|rima)|come (un|una) (poesia|canzone|storia)|al"
        " contrario"
        "|tradott(e|o)|sotto forma",
    },
    "German": {
        "copy": "wiederhole?|gib|schreibe?|kopiere?|zitiere?|zeige?|nenne?|drucke?|übersetze?",
        "exact": "wort für wort|wortwörtlich|wörtlich|wortgetreu|unverändert|im (genauen )?wortlaut|buchstabengetreu"
        "|eins zu eins|ohne etwas (wegzulassen|zu ändern)|zeichen für zeichen|vollständig wieder",
        "above": "(den|des|der|dem) (obigen|vorherigen|vorangehenden|vorstehenden|darüberstehenden) (textes"
        "|text|inhalt"
        "|inhalts|nachricht|prompt)|(text|inhalt|alles),? (was )?((steht|von|da|hier|ganz) ){0,3}(oben|darüber"
        "|über (dieser|meiner) (zeile|nachricht|frage))|was (steht )?((ganz|hier|da) ){0,2}oben",
        "yours": "(deine|deiner|deinen) (eigenen )?(anweisungen|instruktionen|vorgaben|richtlinien)",
        "form": "als (gedicht|lied|haiku|tabelle|reim|geschichte)|in (base ?64|morse|hexadezimal|reimen|versen)"
        "|rückwärts|ins (englische|lateinische|französische)",
    },
    "Dutch": {
        "copy": "herhaal|geef|kopieer|schrijf|toon|citeer|typ|druk",
        "exact": "woord voor woord|letterlijk|ongewijzigd|in zijn geheel|exact weer|zonder iets (weg te laten"
        "|te veranderen)",
        "above": "(bovenstaande|voorgaande|voorafgaande) (tekst|bericht|inhoud)|(tekst|bericht|inhoud|alles)"
        " (wat )?((hier|staat) ){0,2}(hierboven|erboven|boven)",
        "yours": "(je|jouw|uw) (eigen )?(instructies|aanwijzingen|richtlijnen)",
        "form": "als (een )?(gedicht|lied|haiku|tabel)|in (base ?64|morse|hexadecimaal)|achterstevoren",
    },
    "Polish": {
        "copy": "powtórz|przepisz|skopiuj|wypisz|zacytuj|napisz|pokaż|podaj",
        "exact": "słowo w słowo|dosłownie|bez (żadnych )?zmian|słowo po słowie|co do słowa|w całości|wiernie",
        "above": "powyższ(y|ą|ego|ej|e) (tekst|wiadomość|treść|tekstu)|(tekst|treść|to|wszystko),? (co )?((jest"
        "|znajduje"
        " się|stoi) )?(powyżej|wyżej)",
        "yours": "(swoje|twoje) (własne )?(instrukcje|wytyczne|polecenia|zasady)",
        "form": "(jako|w formie) (wiersz(a)?|piosenk(ę|i)|tabel(ę|i))|w base ?64|od tyłu|wspak|alfabetem morse'a",
    },
    "Russian": {
        "copy": "повтори(те)?|перепиши(те)?|скопируй(те)?|выведи(те)?|процитируй(те)?|напиши(те)?|приведи(те)?",
        "exact": "слово в слово|дословно|буквально|без изменений|слово за слово(м)?|полностью|целиком",
        "above": "(текст|сообщение|содержимое|всё|все|то),? ((что|который|которое|написан|написано|находится|стоит)"
        " ){0,3}(выше|сверху|перед этим|до этого)|(вышеприведенный|вышестоящий|предыдущий|верхний) текст",
        "yours": "(свои|твои|ваши) (собственные )?(инструкции|указания|правила|директивы)",
        "form": "(в|во) (виде|форме) (стихотворения|стихов|стиха|песни|таблицы|списка)|стихами|в base ?64"
        "|азбукой морзе"
        "|задом наперёд|наоборот",
    },
}
_TURKISH = {
    "above": "yukarıdaki (metni|mesajı|yazıyı|her şeyi|içeriği)",
    "exact": "kelimesi kelimesine|olduğu gibi|harfi harfine|aynen|eksiksiz",
    "copy": "tekrarla|tekrar et|yaz|kopyala|yazdır|göster",
}
_ARABIC = {
    "copy": "كرر|أعد|اكتب|انسخ|اطبع|اعرض",
    "above": "(النص|الرسالة|كل ما|المحتوى) (ورد )?(أعلاه|السابقة|السابق)",
    "exact": "كلمة (بكلمة|كلمة)|حرفيا|حرفيًا|كما هو|حرفا بحرف",
}

_CHINESE = {
    "copy": "重复|重複|复述|複述|输出|輸出|打印|列印|抄写|抄寫|照抄|写出|寫出|显示|顯示|背诵|说出",
    "exact": "一字不差|逐字|一字不漏|原封不动|原封不動|一字一句|原样|原樣|完整地|照原文",
    "above": "(上面|以上|上述|上文|前面|上方|此前|之前)(的)?(所有|全部|那些|那段|一段)?(的)?(文字|文本|内容|內容|信息"
    "|訊息|消息|话|話|指令|提示)",
    "yours": "(你|您)(自己)?(的)?(系统|系統|初始)?(指令|指示|规则|規則|提示词|提示詞|提示)",
    "form": "翻译成|翻譯成|译成|写成(诗|歌|一首)|寫成(詩|歌|一首)|改写成|用base64|编码成|編碼成|倒着|倒序",
}
_JAPANESE = {
    "above": "(これより上|この上|上|上記|前述|先頭|冒頭)の(すべての|全ての)?(文章|文|内容|テキスト|メッセージ"
    "|指示|プロンプト)",
    "exact": "一字一句|一語一句|違わず|逐語的|一言一句|そのまま(繰り返|復唱|書き写)",
    "yours": "(あなた|君|お前|きみ)(自身)?(へ)?の(指示|命令|ルール|プロンプト|設定|指令)(文)?(を|に)",
    "form": "(英語|中国語|フランス語|ラテン語|日本語)(に|へ)(翻訳|訳)|詩に|歌に|俳句|base64|逆から|暗号",
}
_KOREAN = {
    "above": "(위|앞|이 위|상단)(의|에 있는)?[ ](모든[ ])?(글|내용|텍스트|메시지|문장|프롬프트)",
    "exact": "글자[ ]그대로|한[ ]글자도|토씨[ ]하나|그대로[ ](반복|출력|복사|따라)|단어[ ]하나",
    "yours": "(너의|당신의|네|니)[ ](지시|지침|규칙|명령|프롬프트|설정)(문|사항|들)?(을|를)",
    "form": "(영어|중국어|라틴어|프랑스어)로[ ](번역|바꿔)|시로|노래로|base64|거꾸로|암호",
}

_EN = {
    "give": "(write|render|put|turn|convert|encode|translate|set|sing|recite|rewrite|rephrase|paraphrase"
    "|explain|give|emoji"
    "-?fy|summari[sz]e|express|return|swap|spell|limerick|print|list|format|make|draw|transcribe)",
    "yours": "your ((own|hidden|initial|original|secret|developer's|operator's|whole|entire|full) ){0,2}(instructions"
    "|system (message|prompt|text)|briefing|brief|directions|guidelines|directives|preamble|prompt)",
    "form": "((in|into|as|to|for) ((an?|the|my|one|of|long|short|sequence) ){0,3}(latin|pig latin|poems?"
    "|haikus?|songs?"
    "|(sea )?shanty|limericks?|acrostic|sonnets?|rap|riddles?|emojis?|morse( code)?|base ?64|hex(adecimal)?|binary"
    "|rot ?13|leet(speak)?|python|json|yaml|xml|csv|markdown|(markdown )?table|crossword|code ?block|rhymes?|verse)"
    "|backwards|in reverse|letter by letter)",
    "bits": "((word|line|sentence|letter|paragraph|token)s? (number )?([a-z]{3,7}|[0-9]{1,3})"
    "|(first|last|second|third|each|every|next) (([0-9]{1,3}|ten|few|five|word|letter|of) ){0,3}(words?|lines?"
    "|sentences?|letters?|vowels?|paragraphs?)|(every|each|the) (sentence|rule|line|word|vowel|letter)) ((or two|of"
    "|from|in) )+",
    "each_rule": "(each|every|all( of)?( the)?) (rules?|lines?|instructions?|sentences?|directions?|context|text)"
    " (that )?you (were|have been|got) (given|told)|(each|every|all( of)?( the)?|the) (rules?|lines?|instructions?"
    "|sentences?|directions?|context|text) (that )?((you (were|have been|got) (handed|fed|loaded|started))|(they"
    "|your (developers?|operators?|makers|creators?)) (gave|handed|fed|loaded|told) you)",
    "asks": "(repeat|print|show|tell|reveal|output|list|recite|quote|copy|write|display|return|give|share|disclose"
    "|summari[sz]e|translate|what|which)",
    "rule_given": "the (rules?|lines?|instructions?|sentences?|directions?|context|text) (that )?you (were|have been"
    "|got) (given|told)",
    "at_first": "(initially|originally|first|earlier|above|so far|by your|before (me|my|this|our)"
    "|(at|in|from) the (very )?(start|beginning|outset|top))",
    "handed": "(sentence|text|context|prompt|briefing|paragraph|words|lines|instructions) (that |which )?((you"
    " (were|got|have"
    " been) (handed|fed|loaded|started|primed|seeded|launched) (before|with|by|at|on|prior|ahead))|configures? you"
    "|came to you before|governs? you|introduces? you)",
    "boss_text": "(your|the) (developer|operator|creator|maker|administrator|owner|programmer)s?('s|s'|') (text"
    "|message"
    "|instructions|words|prompt|briefing|note|directions) (say|that|to you|at length|above|verbatim|which|word"
    "|then|and"
    "|in|before|configures)",
    "above_text": "((text|prompt|words|message|context|conversation) (that is |which is )?(above|before mine"
    "|before this)"
    "|(preceding|previous|above) system (text|message|prompt|words))",
    "veiled": "(morse|base ?64|hex(adecimal)?|binary|rot ?13|pig latin|leet(speak)?|python list|backwards|from"
    " the first word"
    "|word by word|reversed)",
    "first_person": "(system prompt|hidden prompt|secret instructions?|confidential instructions?|initial"
    " instructions?)"
    " (that |which )?((i|you) (was|were|am|have been|got) (given|told) )?(reads?|says?|begins?|starts?|states?) (as"
    " follows|that|with)?",
    "sworn": "my (operator|developer|creator|maker|programmer)s? ((has|have) )?(asked|told|instructed|ordered"
    "|forbade|made)"
    " me (to )?(never|not|from) (to )?(reveal(ing)?|tell(ing)?|disclos(e|ing)|say(ing)?|shar(e|ing)|mention(ing)?)",
    "from_hidden": "(conversation|chat|dialogue|session|transcript) ((right|starting|beginning|all) )?from (the|its)"
    " (invisible|hidden|unseen|true|very) (beginning|start|first)",
    "front_word": "((the start|the beginning|the top|the opening) of (this|our) (chat|conversation|session)) (and) my",
    "lines_before": "(lines|words|text|messages|everything) (that |which )?((came|come|stands?|stood|were"
    "|arrived) )(to you"
    " )?before (mine|my (first|own|message|question|words?))",
}

_UNSPACED: tuple[tuple[int, Mapping[str, str], tuple[str, ...]], ...] = (
    (
        60,
        _CHINESE,
        ("(<exact!>)的?地?(<copy>)~(<above>)", "(<above>)~(<exact!>)的?地?(<copy>)", "(<copy>)~(<above>)~(<exact!>)"),
    ),
    (60, _CHINESE, ("(<yours>)~(<form!>)",)),
    (60, _JAPANESE, ("(<above>)~(<exact!>)", "(<yours>)~(<form!>)")),
    (60, _KOREAN, ("(<above>)~(<exact!>)", "(<yours>)~(<form!>)")),
)

_ENGLISH: tuple[tuple[int, str], ...] = (
    (60, "<give> ~<yours!> ~<form>"),
    (60, "<bits><yours!>"),
    (60, "<each_rule!>"),
    (60, "<asks> ((me|us|back|all|of|are|were|is|was|out) )*<rule_given!>"),
    (60, "<rule_given!> <at_first>"),
    (60, "<handed!>"),
    (50, "<boss_text!>"),
    (60, "<above_text> ~<veiled!>"),
    (60, "<veiled!> ~<above_text>"),
    (60, "<first_person!>"),
    (60, "<sworn!>"),
    (60, "<from_hidden!>"),
    (60, "<front_word!>"),
    (60, "<lines_before!>"),
)

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    "attack.extraction": (
        *(
            phrase
            for words in _SPACED.values()
            for phrase in phrases(
                60,
                words,
                "(<copy>) ~(<exact!>) ~(<above>)",
                "(<copy>) ~(<above>) ~(<exact!>)",
                "(<yours>) ~(<form!>)",
            )
        ),
        *phrases(60, _TURKISH, "(<above>) ~(<exact!>) ~(<copy>)"),
        *phrases(60, _ARABIC, "(<copy>) ~(<above>) ~(<exact!>)"),
        *(
            phrase
            for points, words, texts in _UNSPACED
            for phrase in phrases(points, words, *texts, left=ANY, right=ANY)
        ),
        *(Phrase(points, text, _EN) for points, text in _ENGLISH),
    )
}
