"""Orders to the model to switch off its own filters, in many languages, English apart.

The filters are the model's by the words: those of a table or of a mail box are switched off every day.
"""

from collections.abc import Mapping

from gptgate.detectors.pattern import ANY
from gptgate.detectors.phrase import Phrase, phrases

_SPACED: Mapping[str, str] = {
    "german": "(schalte?|deaktivier(e|en)?|stelle?) (alle )?(deine|dein) ((internen|eigenen|ganzes) )?"
    "((sicherheits|inhalts|ethik)?-?filter|sicherheitsmechanismen|schutzmechanismen|einschränkungen)"
    "|vergiss dein (ganzes )?training und (hilf|antworte|beantworte|sag|gib|erklär|tu|sei)e?",
    "french": "(désactive|désactivez|coupe|coupez|éteins|lève|levez) (tous |toutes )?(tes|vos)"
    " (propres )?(filtres|garde-fous|restrictions|limites|protections)",
    "spanish": "(desactiva|desactive|apaga) (todos |todas )?tus (propios )?(filtros|restricciones"
    "|límites"
    "|protecciones|salvaguardas)",
    "portuguese": "(desative|desativa|desligue) (todos )?(os )?(seus|teus) (próprios )?(filtros|limites)"
    "|(desative|desativa|desligue|remova|tire) (todas )?(as )?(suas|tuas) (restrições|proteções)",
    "italian": "(disattiva|disabilita|spegni) (tutti )?(i )?tuoi (filtri|limiti)|(disattiva|disabilita"
    "|spegni|togli|rimuovi) (tutte )?(le )?tue (restrizioni|protezioni)",
    "dutch": "(schakel|zet) (al )?(je|jouw|uw) (eigen )?((veiligheids|inhouds)filters|beperkingen"
    "|beveiliging(en)?) (uit"
    "|af)|(schakel|zet) (al )?(je|jouw|uw) (eigen )?filters uit en (help|antwoord|beantwoord|vertel|doe)",
    "polish": "(wyłącz|dezaktywuj) (wszystkie )?(swoje|twoje) (filtry|ograniczenia|zabezpieczenia)",
    "russian": "(отключи|выключи|сними)(те)? (все )?(свои|твои|ваши) (фильтры|ограничения|защитные)",
    "ukrainian": "(вимкни|відключи|зніми)(іть)? (всі |усі )?(свої|твої|ваші) (фільтри|обмеження)",
    "nordic": "(stäng|slå|skru) (av|fra) (alla |alle )?(dina|dine) ((säkerhets|sikkerhets|sikkerheds)(filter|filtre)"
    "|begränsningar|begrensninger|begrænsninger|spärrar|sperrer)|(stäng|slå|skru) (av|fra) (alla |alle )?(dina|dine)"
    " (filter|filtre) (och|og) (svara?|hjälp|hjelp|hjælp|berätta|fortell|fortæl)",
    "finnish": "(poista|kytke) (turvasuodattimesi|rajoituksesi) (käytöstä|pois)",
    "turkish": "(filtrelerini|sınırlamalarını|kısıtlamalarını) (kapat|devre dışı bırak)",
    "greek": "(απενεργοποίησε|κλείσε) (όλα |όλους )?τ(α|ους) (φίλτρα|περιορισμούς) σου",
    "czech": "(vypni|vypněte) (všechny )?(své|svoje|tvé) (filtry|omezení|obmedzenia)",
    "romanian": "(dezactivează-ți|oprește-ți) (filtrele|restricțiile|limitele)|(dezactivează|oprește) (filtrele"
    "|restricțiile|limitele) tale",
    "hungarian": "(kapcsold|iktasd) ki a (biztonsági )?(szűrőidet|korlátaidat|korlátozásaidat)",
    "hindi": "अपने (सुरक्षा )?(फ़िल्टर|फिल्टर|प्रतिबंध|प्रतिबंधों) (को )?(बंद|हटा|निष्क्रिय)",
    "arabic": "(عط(ّ)?ل|أوقف|ألغ) ((مرشحات|فلاتر|قيود) ((ال)?(أمان|محتوى|سلامة) )?(ال)?خاصة بك|قيودك|مرشحاتك"
    "|فلاترك)|ليس (لديك|لك) (أي |أية )?(قيود|قواعد|رقابة)",
    "indonesian": "(matikan|nonaktifkan) (semua )?(filter|batasan|pembatasan)( (keamanan|konten))? ?(mu|anda|kamu)",
    "vietnamese": "(tắt|vô hiệu hóa) (các |mọi )?(bộ lọc|giới hạn|hạn chế) ((an toàn|nội dung) )?của (bạn|mày)",
}
_UNSPACED: Mapping[str, str] = {
    "chinese": "(关闭|關閉|关掉|關掉|禁用|解除)(你|您)(的)?(所有|全部)?(的)?(安全|内容|內容|道德)?(过滤器"
    "|過濾器|过滤|過濾|限制|审查"
    "|審查|防护|防護)",
    "japanese": "(あなたの|君の|お前の|自分の)(安全|コンテンツ|倫理)?(フィルター|制限|安全装置)(を|は)?(オフ"
    "|無効|解除|切)",
    "korean": "(너의|당신의|네|스스로의)[ ](안전[ ]?|윤리[ ]?)?(필터|제한|검열)(를|을)?[ ]?(끄|꺼|해제|비활성)",
}

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    "attack.role": (
        *(phrase for name in _SPACED for phrase in phrases(60, _SPACED, f"<{name}!>")),
        *(phrase for name in _UNSPACED for phrase in phrases(60, _UNSPACED, f"<{name}!>", left=ANY, right=ANY)),
    )
}
