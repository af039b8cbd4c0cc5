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
    "French": "(tu n'as|vous n'avez) (plus|pas) ((de|d|aucune?|la moindre) )?(restrictions?|règles?|filtres?"
    "|censure)|(tes|vos) ((anciennes) )?(règles|consignes|instructions|directives|restrictions) ((ne|n)"
    " )?(s'appliquent plus"
    "|sont (annulées|levées|caduques)|ne comptent plus|ne s'appliquent plus)"
    "|(tu n'es|vous n'êtes) (plus|pas) (soumise?|liée?|tenue?|limitée?|contrainte?) (à|par|de)"
    "|(réponds|répondez|réponse|parle|agis) ~sans ((aucune?|la moindre) )?(restrictions?|limites?|censure|filtres?)"
    "|(mets|laisse|mettez|laissez) (de côté|tomber) (toutes )?(tes|vos) (règles|consignes|directives|instructions)"
    "|ne (te )?refuses? jamais (rien|de répondre|une? (demande|question))"
    "|(fais|faites) (semblant|comme si) ((de|d|ne|n|tu|vous|n'avais|n'aviez|n'avoir|pas|aucune?|plus|avoir)"
    " ){1,6}(règles?"
    "|limites?|filtres?|restrictions?|censure)",
    "Spanish": "(ya )?no tienes ((ninguna|más|ning(ú)n) )?(restricciones|restricción|reglas|filtros?|censura)"
    "|(tus|todas tus) (reglas|normas|instrucciones|restricciones|directrices) (ya no|no) (se aplican"
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
    "|(finja|imagine|faça de conta) (que )?(você )?não (tem|tens) ((nenhuma?|quaisquer) )?(regras?|filtros?"
    "|restrições)"
    "|finja (que )?não (existem|há) ((nenhuma?|quaisquer) )?(regras?|filtros?|restrições)",
    "Italian": "(le tue|tutte le tue) (regole|istruzioni|restrizioni|direttive) non (valgono|si applicano"
    "|contano) più"
    "|non hai più ((né|nessuna?|alcuna?) )?(regole|regola|restrizioni|limiti|vincoli|filtri)"
    "|(metti|mettete|lascia) da parte (tutte )?(le )?(tue|vostre) (regole|linee guida|istruzioni|direttive"
    "|restrizioni)"
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
    "|(представь|притворись|сделай вид),? что (у тебя|ты) (нет|без) ((никаких|каких-либо|всяких) )?(правил"
    "|ограничений"
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
    "German": "(vor|über|oberhalb) (dieser|meiner) (ersten )?nachricht|vor (dem )?(beginn|anfang|start) (dieses"
    "|des|unseres)"
    " (gesprächs|chats|dialogs)|bevor ich (etwas )?(geschrieben|schrieb|anfing)",
    "French": "(avant|au-dessus de) (ce|mon) (premier )?message|qui précède (ce|mon)|avant (le début de )?(la"
    "|cette|notre)"
    " (conversation|discussion)",
    "Spanish": "(antes|arriba|encima) de (este|mi) (primer )?mensaje|precede a (este|mi)|antes de (la|esta"
    "|nuestra) conversación"
    "|antes de que (yo )?(escribiera|hablara|empezara)",
    "Portuguese": "(antes|acima) (desta|da minha) (primeira )?mensagem|antes (desta|da nossa|da) conversa",
    "Italian": "prima (di questo|del mio) (primo )?messaggio|sopra (questo|il mio) messaggio|precede (questo|il"
    " mio)|prima (dell'inizio )?(della|di questa"
    "|della nostra) conversazione",
    "Dutch": "(vóór|voor|boven) (dit|mijn) (eerste )?bericht|(vóór|voor) het begin van (dit|ons|het) gesprek",
    "Polish": "(przed|nad) (tą|moją) (pierwszą )?wiadomością|powyżej tej wiadomości|przed (rozpoczęciem )?(tą"
    "|naszą|tej|naszej) rozmow(ą|y)",
    "Russian": "(до|перед|выше|над) (этого|этим|моего|моим) (первого |первым )?(сообщени(я|ем))|(до|перед)"
    " начал(а|ом) (нашего |этого "
    "|нашей |этой )?(разговора|диалога|беседы|чата)",
}
_AWAY: Mapping[str, str] = {
    "German": "(vergiss|vergessen sie|verlasse) (deine|ihre) ((aktuelle|jetzige|bisherige|eigentliche) )?(rolle"
    "|identität)|vergiss,? (wer du bist|dass du ein)|(ki|ai|chatbot|assistent(in)?|modell) ohne (gewissen|moral"
    "|skrupel"
    "|grenzen|hemmungen)|(beantwortes?t|beantworte|antwortes?t|antworte) ~(auch|sogar|selbst) ((wenn|auf|es|das|die"
    "|fragen|ist) ){0,4}(illegal|verboten|unmoralisch|gefährlich)(e|es|en)?",
    "French": "(oublie|oubliez|abandonne|quitte) (ton|votre) (rôle|personnage|identité)|oublie (qui tu es|que tu es)"
    "|(ia|chatbot|assistant|modèle|pirate( informatique)?) ((libre|rebelle) )?qui (ne refuse (rien|jamais)|répond à"
    " tout|accepte tout)|(réponds|répond|répondre|répondez) ~même ((si|aux?|à|c'est|les|des|choses?|questions?)"
    " ){0,4}(illégal(e|es)?|illégaux|interdit(e|es|s)?|immoral(e|es)?)",
    "Spanish": "(olvida|olvídate de|abandona|deja) (tu|su) (papel|rol|personaje|identidad)|olvida(te)? (de )?(quién"
    " eres|que eres)|(ia|inteligencia|chatbot|asistente|modelo) ((libre|rebelde) )?que (no se niega|responde a todo"
    "|hace todo|contesta todo)|(respondes?|contestas?|responda) ~(incluso|aunque|hasta) ((si|a|es|sea|cosas?"
    "|preguntas?|lo|las) ){0,4}(ilegal(es)?|prohibid(o|a|os|as)|inmoral(es)?)",
    "Portuguese": "(esqueça|esquece|abandone|deixe) (o )?(seu|teu) (papel|personagem)|esqueça (quem você é|que"
    " você é)"
    "|(ia|inteligência artificial|chatbot|assistente|modelo) ((rebelde|livre) )?que (faz|responde) (a )?tudo|ia"
    " rebelde"
    "|(responda|respondes?) ~(mesmo|inclusive|até) ((se|que|for|seja|é|coisas?|perguntas?|o) ){0,4}(ilega(l|is)"
    "|proibid(o|a|os|as)|imora(l|is))",
    "Italian": "(dimentica|scorda|abbandona) (il tuo (ruolo|personaggio)|chi sei|di essere un)|(intelligenza"
    "( artificiale)?|ia|chatbot|assistente|modello) ((libera|libero|ribelle) )?che (risponde a tutto|non rifiuta|fa"
    " tutto)|(rispondi|risponde|rispondere) ~(anche|perfino) ((se|a|è|alle|cose|domande|quando) ){0,4}(illegal(e|i)"
    "|vietat(o|a|i|e)|immoral(e|i))",
    "Dutch": "(vergeet|verlaat) (je|jouw|uw) ((huidige|oude) )?(rol|identiteit)|vergeet (wie je bent|dat je een)"
    "|(beantwoordt?|antwoordt?) ~(ook|zelfs) ((als|al|het|is|op|vragen) ){0,4}(illegale?|verboden|immorele?)",
    "Polish": "zapomnij (o )?(swojej|twojej) (roli|tożsamości)|zapomnij,? (kim jesteś|że jesteś)|(odpowiadaj"
    "|odpowiadasz|odpowiada|odpowiedz) ~nawet ((jeśli|na|to|jest|gdy|pytania) ){0,4}(nielegaln|zabronion|zakazan"
    "|niemoraln)(e|a|y)",
    "Russian": "(забудь|оставь|отбрось) (про )?(свою|твою) (роль|личность)|забудь,? (кто ты|что ты)|свободн(ый|ая)"
    " (ии|искусственный интеллект)|(отвечаешь|отвечает|отвечай(те)?|ответь) ~даже ((если|на|это|самые|вопросы)"
    " ){0,4}(незаконн|нелегальн|запрещ(ё|е)нн|аморальн)(ые|ый|о|ое)",
}
"""A role put away, and one that answers whatever it is asked."""
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
        elif kind == "attack.role":
            found += phrases(60, {"away": _AWAY[name]}, "(<away!>)")
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
