"""Words that say that the model's rules are over, and that ask for what it was told, in languages of Europe."""

from collections.abc import Mapping

from gptgate.detectors.phrase import Phrase, phrases

_OVER: Mapping[str, str] = {
    "German": "(deine|alle deine) (regeln|richtlinien|einschränkungen|vorgaben|anweisungen|beschränkungen)"
    " (gelten|zählen) ((ab|jetzt|sofort|nun|hier|für|dich) ){0,3}nicht (mehr|länger)"
    "|gelten ((ab|jetzt|sofort|nun|für|dich) ){0,3}deine ((alten|bisherigen) )?(regeln|richtlinien"
    "|einschränkungen|vorgaben|anweisungen) (mehr|nicht mehr|nicht länger)"
    "|(antworte|antworten sie|beantworte|reagiere|sprich) ~ohne ((jede|jegliche|irgendwelche|eine)"
    " )?(einschränkung(en)?"
    "|zensur|filter|beschränkung(en)?)|(lehnst|lehne) (nie|niemals|nichts) ((etwas|irgendetwas) )?ab"
    "|(verweigere|verweigerst) (nie|niemals|nichts)"
    "|setze? (alle )?(deine|sämtliche) (regeln|richtlinien|vorgaben|einschränkungen|filter) außer kraft"
    "|leg(e|st)? (alle )?deine (regeln|richtlinien|einschränkungen|filter) ab"
    "|tu(e)? so,? als ((hättest|hätte|du|ob|gäbe|es|für|dich) ){1,4}(keine|keinerlei) (grenzen|regeln"
    "|einschränkungen|filter"
    "|richtlinien|beschränkungen)",
    "French": "(tes|vos) ((anciennes) )?(règles|consignes|instructions|directives|restrictions) ((ne|n)"
    " )?(s'appliquent plus"
    "|sont (annulées|levées|caduques)|ne comptent plus|ne s'appliquent plus)"
    "|(tu n'es|vous n'êtes) (plus|pas) (soumise?|liée?|tenue?|limitée?|contrainte?) (à|par|de)"
    "|(réponds|répondez|réponse|parle|agis) ~sans ((aucune?|la moindre) )?(restrictions?|limites?|censure|filtres?)"
    "|(mets|laisse|mettez|laissez) (de côté|tomber) (toutes )?(tes|vos) (règles|consignes|directives|instructions)"
    "|ne (te )?refuses? jamais (rien|de répondre|une? (demande|question))"
    "|(fais|faites) (semblant|comme si) ((de|d|ne|n|tu|vous|n'avais|n'aviez|n'avoir|pas|aucune?|plus|avoir)"
    " ){1,6}(règles?"
    "|limites?|filtres?|restrictions?|censure)",
    "Spanish": "(tus|todas tus) (reglas|normas|instrucciones|restricciones|directrices) (ya no|no) (se aplican"
    "|aplican|valen"
    "|cuentan|existen)|ya no (estás|está) (sujet(o|a)|limitad(o|a)|obligad(o|a)) (a|por)"
    "|(deja|dejad|pon) (de lado|a un lado) (todas )?(tus|sus) (normas|reglas|directrices|instrucciones)"
    "|como si no (tuvieras|hubiera|existieran) ((ninguna|más|las) )?(normas|reglas|restricciones|límites|directrices)"
    "|(responde|contesta|contéstame|respóndeme|responder|contestar|dime|cuéntame) ~sin (ning(ú)n ?(a|o)?|filtros?"
    "|restricciones|límites"
    "|censura)|nunca (se niega|te niegas|te niegues|rechaza(s)?) (a|nada|ninguna)"
    "|(finge|imagina|haz como) ((que|si) )?no (tienes|tuvieras) ((ninguna|ning(ú)n) )?(filtros?|reglas?|normas"
    "|restricciones)|(actúa|compórtate) ~sin (filtros?|reglas?|normas|restricciones)",
    "Portuguese": "(suas|tuas) (regras|instruções|restrições|diretrizes) (já )?não (se aplicam|valem|contam|existem)"
    "|não (está|és|é|estás) mais (sujeit(o|a)|limitad(o|a)|obrigad(o|a))|não tem mais (regras|restrições|limites"
    "|filtros)"
    "|(deixe|deixa|ponha) de lado (todas )?(as )?(suas|tuas) (regras|diretrizes|instruções|restrições)"
    "|(responda|responde|responder|diga|conte) ~sem (nenhuma?|qualquer|filtros?|restrições|limites|censura)"
    "|nunca (recuse|recusa|se recusa)"
    "|(finja|imagine|faça de conta) (que )?(você )?não (tem|tens) ((nenhuma?|quaisquer) )?(regras?|filtros?|restrições)"
    "|finja (que )?não (existem|há) ((nenhuma?|quaisquer) )?(regras?|filtros?|restrições)",
    "Italian": "(le tue|tutte le tue) (regole|istruzioni|restrizioni|direttive) non (valgono|si applicano|contano) più"
    "|non hai più ((né|nessuna?|alcuna?) )?(regole|regola|restrizioni|limiti|vincoli|filtri)"
    "|(metti|mettete|lascia) da parte (tutte )?(le )?(tue|vostre) (regole|linee guida|istruzioni|direttive|restrizioni)"
    "|(rispondi|rispondere|dimmi|racconta) ~senza (alcuna?|nessuna?|filtri|restrizioni|limiti|censura)|non (ti"
    " rifiuti|rifiutarti) mai"
    "|(fai finta|fingi|immagina) ((di|che) )?non (avere|hai|avessi) ((alcuna?|nessuna?|più) )?(regole|filtri"
    "|restrizioni)"
    "|(fai finta|fingi) di non avere limiti|comportati ~senza (regole|filtri|restrizioni)",
    "Dutch": "(je|jouw|uw) (regels|instructies|beperkingen|richtlijnen) gelden ((nu|voor|jou) )*niet (meer|langer)"
    "|(antwoord|reageer) ~zonder ((enige|elke) )?(beperking(en)?|filters?|censuur)|weiger(t)? nooit"
    "|doe alsof je ((helemaal|echt) )?geen (regels|grenzen|filters|beperkingen)",
    "Polish": "(twoje|wszystkie twoje) (zasady|reguły|instrukcje|ograniczenia) (już )?nie (obowiązują|mają"
    " zastosowania)"
    "|nie (obowiązują cię|masz) (już )?(żadne|żadnych) (zasady|reguły|ograniczenia|zasad|reguł|ograniczeń)"
    "|(odpowiadaj|odpowiedz) ~bez (żadnych )?(ograniczeń|filtrów|cenzury)|nigdy nie odmawiaj"
    "|(udawaj|wyobraź sobie),? że nie masz ((żadnych|jakichkolwiek) )?(ograniczeń|zasad|reguł|filtrów)",
    "Russian": "(твои|ваши) (правила|инструкции|ограничения) больше не (действуют|применяются|имеют силы)"
    "|(отвечай|отвечайте|расскажи|расскажите|говори|пиши) ~без ((каких-либо|всяких|любых) )?(ограничений|цензуры"
    "|фильтров)"
    "|никогда не отказывай(ся|те|тесь)?"
    "|(представь|притворись|сделай вид),? что (у тебя|ты) (нет|без) ((никаких|каких-либо|всяких) )?(правил|ограничений"
    "|фильтров)",
}
_GIVEN: Mapping[str, str] = {
    "German": "(die|welche) ((du|dir|man|am|ganz|anfang|zu|beginn|wurden|hast|vorhin|vor|dem|gespräch)"
    " ){1,7}(bekommen|erhalten|gegeben"
    "|mitgegeben|vorgegeben)",
    "French": "(que|qu'on|qui) ((tu|t|as|vous|avez|on|l|a|ont|t'a|t'ont|été) ){1,4}(reçue?s|données?)",
    "Spanish": "que ((te|has|se|han|hayan) ){0,3}(recibiste|recibido|dieron|dado)",
    "Portuguese": "que ((você|te|lhe|foram) ){0,3}(recebeu|recebeste|deram|dadas)",
    "Italian": "che ((ti|hai|sono|state|hanno) ){1,4}(ricevuto|date|dato)",
    "Dutch": "die ((je|u|jij|hebt|zijn|aan|het|begin|kreeg) ){1,5}(gekregen|kreeg|gegeven|ontvangen)",
    "Polish": "któr(e|ych) ((ci|na|początku) ){0,3}(dostałeś|otrzymałeś|dostałaś|dano|podano)",
    "Russian": "котор(ые|ую) ((ты|тебе|вам|вы|были|в|начале) ){1,5}(дали|получил(а)?|получили|даны|сообщили)",
}

_OWN: Mapping[str, str] = {
    "German": "((alle|aller) )?dein(e|er|en) (eigenen )?",
    "French": "(toutes )?(tes|vos) (propres )?",
    "Spanish": "(todas )?tus (propias )?",
    "Portuguese": "(todas )?(as )?(suas|tuas) (próprias )?",
    "Italian": "(tutte )?(le )?tue (proprie )?",
    "Dutch": "(al )?(je|jouw|uw) (eigen )?",
    "Polish": "(wszystkie )?(swoje|twoje) ",
    "Russian": "(все )?(свои|твои) ",
}
_FRONT: Mapping[str, str] = {
    "German": "(vor|über|oberhalb) (dieser|meiner) (ersten )?nachricht",
    "French": "(avant|au-dessus de) (ce|mon) (premier )?message|qui précède (ce|mon)",
    "Spanish": "(antes|arriba) de (este|mi) (primer )?mensaje|precede a (este|mi)",
    "Portuguese": "antes (desta|da minha) (primeira )?mensagem",
    "Italian": "prima (di questo|del mio) (primo )?messaggio|precede (questo|il mio)",
    "Dutch": "(vóór|voor|boven) (dit|mijn) (eerste )?bericht",
    "Polish": "przed (tą|moją) (pierwszą )?wiadomością",
    "Russian": "(до|перед) (этого|этим|моего|моим) (первого |первым )?(сообщени(я|ем))",
}
_RULES: Mapping[str, str] = {
    "German": "(regeln|richtlinien|anweisungen|instruktionen|vorgaben|einschränkungen|programmierung)",
    "French": "(règles|consignes|directives|instructions|restrictions|limites)",
    "Spanish": "(reglas|normas|directrices|instrucciones|restricciones)",
    "Portuguese": "(regras|diretrizes|instruções|restrições)",
    "Italian": "(regole|linee guida|istruzioni|direttive|restrizioni)",
    "Dutch": "(regels|richtlijnen|instructies|beperkingen)",
    "Polish": "(zasady|reguły|instrukcje|wytyczne|ograniczenia)",
    "Russian": "(правила|инструкции|указания|ограничения)",
}

_EXACT: Mapping[str, str] = {
    "German": "(wortlaut|wörtlich|wort für wort|genaue[nrs]?|exakte[nrs]?|geheime[nr]?)",
    "French": "(exacte?s?|mot pour mot|mot à mot|secrètes|cachées)",
    "Spanish": "(exact(a|o)s?|palabra por palabra|textual(es)?|secretas|ocultas)",
    "Portuguese": "(exat(a|o)s?|palavra por palavra|secretas|ocultas)",
    "Italian": "(esatt(e|o)|parola per parola|segrete|nascoste)",
    "Dutch": "(exacte|letterlijke?|woord voor woord|geheime)",
    "Polish": "(dokładn(e|ie)|słowo w słowo|dosłownie|tajne)",
    "Russian": "(дословно|точн(ые|ый)|слово в слово|секретные)",
}


def released(languages: Mapping[str, Mapping[str, str]], kind: str) -> tuple[Phrase, ...]:
    """The phrases of a kind, with each language's own words for orders and for showing."""
    found: list[Phrase] = []
    for name in _OVER:
        if kind == "attack.override":
            words = {"over": _OVER[name], "rules": f"{_OWN[name]}{_RULES[name]}", "ignore": languages[name]["ignore"]}
            found += phrases(60, words, "(<over!>)", "(<ignore>) <rules!>")
        elif kind == "attack.extraction":
            words = {**languages[name], "given": _GIVEN[name], "front": _FRONT[name]}
            words |= {"rules": f"{_OWN[name]}{_RULES[name]}", "exact": _EXACT[name]}
            found += phrases(
                60,
                words,
                "(<show>) ~(<orders>) (<given!>)",
                "(<show>) ~(<front!>)",
                "(<show>) ~(<exact>) ~(<rules!>)",
                "(<show>) ~(<rules!>) ~(<exact>)",
            )
    return tuple(found)
