"""Prompt attacks in the languages of Europe, English apart: each language gives its "
"words, the sentences are shared."""

from collections.abc import Mapping

from gptgate.detectors.phrase import Phrase, phrases
from gptgate.detectors.phrasebook.released import released

LANGUAGES: Mapping[str, Mapping[str, str]] = {
    "German": {
        "ignore": "ignorier(e|en|t)?|vergiss|vergesst|vergessen sie|missachte(n|t)?|beachte nicht|befolge nicht"
        "|verwirf|überschreib(e|en)?|übergeh(e|en)?|halte dich nicht (mehr )?an",
        "fill": "((sie|bitte|alle|aller|jede|sämtliche|die|der|deine|deinen|ihre|meine|diese|dir|dies|und|oder|von"
        "|bisher|zuvor) )*",
        "earlier": "vorherig(e|en)|vorig(e|en)|bisherig(e|en)|früher(e|en)|obig(e|en)|vorangegangen(e|"
        "en)|vorangehend(e|en)"
        "|ursprünglich(e|en)|gegeben(e|en)|oben|zuvor|bisher|davor",
        "orders": "anweisung(en)?|instruktion(en)?|befehle?|vorgaben?|regeln?|richtlinien?|anordnungen|aufforderungen"
        "|prompts?|nachrichten",
        "everything": "(alles|was),? ((was|du|sie|dir|ich|ihnen|man) ){0,3}(oben|vorher|zuvor|bisher|"
        "davor|gesagt|steht)",
        "you": "(du bist|sie sind|du agierst|du spielst|verhalte dich) ((jetzt|nun|ab sofort|von nun an) )?",
        "lax": "unzensierte[rs]?|uneingeschränkte[rs]?|unmoralische[rs]?|böse[rs]? ki|jailbreak",
        "ai": "ki|ai|chatbot|assistent|sprachmodell|modell|antworte|antworten",
        "without": "ohne|frei von|hat keine|keinerlei|unterliegt keinen",
        "limits": "(ethische|moralische|inhaltliche)[rn]? ((und|oder) [a-z]{5,12} )?(regeln|richtlinien|"
        "grenzen|beschränkungen"
        "|einschränkungen|bedenken|filter)|zensur|inhaltsfilter|sicherheitsfilter",
        "mode": "(entwickler|developer|jailbreak|admin|gott|debug)-?( )?modus",
        "on": "aktiviert|eingeschaltet|freigeschaltet|ist an",
        "show": "zeig(e|en)?|verrate|verraten|nenn(e|en)?|gib|geben|gebe|wiederhol(e|en)?|druck(e|"
        "en)?|schreib(e|en)?|sag(e|en)?"
        "|offenbar(e|en)?|enthülle|übersetz(e|en)?|liste|kopier(e|en)?|lauten?|ist|sind",
        "prompt": "(dein(e|en|er)?|ihr(e|en|er)?|den|der) (vollständige[nr]? |gesamte[nr]? |genaue[nr]? "
        "|exakte[nr]? )?"
        "(system-?( )?prompt|systemanweisung(en)?|systemnachricht|systemaufforderung|(anfangs|start"
        "|grund)anweisung(en)?"
        "|(geheimen?|internen?|versteckten?|ursprünglichen?|anfänglichen?) (anweisungen|"
        "instruktionen|regeln|prompts?|vorgaben))",
    },
    "French": {
        "ignore": "ignore[rz]?|oublie[rz]?|néglige[rz]?|ne (tiens|tenez) (pas|plus) compte (de|"
        "des)|fai(s|tes) abstraction (de|des)"
        "|ne (suis|suivez) (pas|plus)|n'obéi(s|ssez) plus (à|aux)|contourne[rz]?|annule[rz]?|passe outre",
        "fill": "((toute?s?|tous|les|la|le|des|de|tes|vos|mes|ces|aux|à|et|ou|l|données?|qui|t'ont été) )*",
        "earlier": "précédent(e|es|s)?|antérieur(e|es|s)?|ci-dessus|initial(e|es)?|d'origine|originales?|"
        "plus haut|avant"
        "|reçues?|données?|passées|existantes",
        "orders": "instructions?|consignes?|directives?|ordres?|règles?|commandes?|messages?|invites?|prompts?",
        "everything": "tout ce (qui|que) ((précède|est|se trouve|a été|tu|vous|je|t|as|avez|on|dit|"
        "écrit|plus) ){0,4}(précède|haut"
        "|avant|dessus|dit|appris|ci-dessus)",
        "you": "(tu es|vous êtes|tu seras|tu vas agir comme|agis comme|comporte-toi comme) "
        "((maintenant|désormais|à présent) )?",
        "lax": "sans (filtre|restriction|censure|limite)s?|non censurée?|malveillante?|amorale?|débridée?",
        "ai": "ia|ai|chatbot|assistant|modèle|réponds|répondez",
        "without": "sans|libre de|n'a (pas|plus|aucune) (de )?|dépourvue? de",
        "limits": "((aucune?|toute) )?(règles?|limites?|restrictions?|contraintes?|considérations?|"
        "filtres?|principes?) (éthiques?|morales?"
        "|de sécurité|de contenu|moraux)|censure|éthique ni morale",
        "mode": "mode (développeur|développement|jailbreak|administrateur|dieu|debug|sans restriction)",
        "on": "activé|débloqué|enclenché|est actif",
        "show": "montre[rz]?|affiche[rz]?|révèle[rz]?|révélez|donne[rz]?|répète[rz]?|répétez|"
        "dis|dites|écri(s|vez)|imprime[rz]?"
        "|partage[rz]?|divulgue[rz]?|traduis|traduisez|quel(le)?s? (est|sont)|copie[rz]?|résume[rz]?",
        "prompt": "((ton|votre|le) (prompt|invite|message)( de)? (système|initiale?|caché|secret)|"
        "prompt système|(tes|vos|les)"
        " (instructions|consignes|directives) (système|cachées|secrètes|internes|confidentielles)|(tes|vos) règles"
        " (cachées|secrètes|internes|confidentielles)|(tes|vos) (instructions|consignes|règles) (initiales"
        "|d'origine))",
    },
    "Spanish": {
        "ignore": "ignor(a|e|en|ar|ad)|olvid(a|e|en|ar)|olvídate (de )?|descart(a|e|ar)|haz caso "
        "omiso (de|a)|no (hagas|haga) caso (de|a)"
        "|no (sigas|siga|obedezcas)|omit(e|a|ir)|pas(a|e) por alto|anul(a|e|ar)|desobedece",
        "fill": "((todas?|todos?|las?|los?|el|de|tus|sus|mis|estas|esas|a|y|o|que|cualquier|te) )*",
        "earlier": "anterior(es)?|previ(a|o|as|os)|precedentes?|de arriba|original(es)?|inicial(es)?|"
        "dad(a|o|as|os)|recibid(a|o|as|os)"
        "|antes|pasad(a|o|as|os)",
        "orders": "instrucci(ó)n|instrucciones|indicaciones|órden(es)?|directivas|directrices|"
        "reglas|normas|mensajes?|comandos|prompts?",
        "everything": "todo lo (que )?((te|se|ha|han|has|he|hemos|dicho|está|que|escrito|había) ){0,4}(anterior|"
        "arriba|antes|dicho"
        "|aprendido|previo)",
        "you": "(eres|serás|actúa como|actuarás como|compórtate como|vas a ser) ((ahora|a partir "
        "de ahora|desde ahora) )?",
        "lax": "sin (filtros?|restricci(ó)n(es)?|restricciones|censura|límites)|malvad(a|o)|amoral",
        "ai": "ia|ai|chatbot|asistente|modelo|responde|responda",
        "without": "sin|libre de|no tiene(s)?|carece(s)? de",
        "limits": "((ninguna?|ning(ú)n) )?(reglas?|límites?|restricciones|restricci(ó)n|limitaciones|"
        "consideraciones|filtros?|principios)"
        " (éticas?|éticos?|morales?|moral|de seguridad|de contenido)|censura|ética ni moral",
        "mode": "modo (de )?(desarrollador|desarrollo|jailbreak|administrador|dios|debug|sin restricciones)",
        "on": "activado|habilitado|desbloqueado|está activo",
        "show": "muestr(a|e|ame)|muéstrame|revel(a|e|ame)|revélame|dime|diga|d(a|e)me|repite|"
        "repita|imprim(e|a)|escrib(e|a)|compart(e|a)"
        "|traduc(e|ir)|cuál(es)? (es|son|eran)|copi(a|e)|divulg(a|ue)|resume|enséñame",
        "prompt": "((tu|su|el) (prompt|mensaje|indicación)( (del?|de))? (sistema|inicial|ocult(o|"
        "a)|secreto)|prompt del sistema|(tus|sus|las)"
        " (instrucciones|indicaciones|directrices) (del sistema|ocultas|secretas|internas|confidenciales)|tus reglas"
        " (del sistema|ocultas|secretas|internas|confidenciales)|(tus|sus) (instrucciones|directrices|reglas)"
        " (iniciales|originales))",
    },
    "Portuguese": {
        "ignore": "ignor(e|a|em|ar)|esque(ça|ce|cer)|desconsider(e|a|ar)|desobede(ça|cer)|não "
        "(siga|sigas|obedeça)|descart(e|a|ar)"
        "|não leve em conta",
        "fill": "((todas?|todos?|as?|os?|de|das|dos|suas|seus|tuas|minhas|essas|estas|e|ou|que|quaisquer) )*",
        "earlier": "anterior(es)?|prévi(a|o|as|os)|precedentes?|acima|origina(l|is)|inicia(l|is)|"
        "dad(a|o|as|os)|recebid(a|o|as|os)"
        "|passad(a|o|as|os)",
        "orders": "instruç(ão|ões)|orientações|ordens|diretrizes|diretivas|regras|comandos|mensagens|prompts?",
        "everything": "tudo (o )?(que )?((foi|te|eu|você|lhe|está|disse|escrito|aprendeu) ){0,4}(acima|"
        "antes|dito|anterior|anteriormente|disse)",
        "you": "(você é|tu és|você será|aja como|atue como|comporte-se como) ((agora|a partir de agora) )?",
        "lax": "sem (filtros?|restrições|censura|limites)|malvad(a|o)|amoral",
        "ai": "ia|ai|chatbot|assistente|modelo|responda|responde",
        "without": "sem|livre de|não tem|não possui",
        "limits": "((nenhuma?|quaisquer) )?(regras?|limites?|restrições|limitações|considerações|filtros?|princípios)"
        " (éticas?|éticos?|mora(l|is)|de segurança|de conteúdo)|censura",
        "mode": "modo (de )?(desenvolvedor|programador|jailbreak|administrador|deus|debug|sem restrições)",
        "on": "ativado|habilitado|desbloqueado|está ativo",
        "show": "mostr(e|a|ar)|revel(e|a|ar)|dig(a|am)|diz|me dê|repit(a|e)|repete|imprim(a|"
        "e)|escrev(a|e)|compartilh(e|a)|traduz(a|ir)?"
        "|qual (é|era|foi)|quais são|copi(e|a)|divulg(ue|a)|exib(a|e|ir)|resum(a|e)",
        "prompt": "((seu|teu|o) (prompt|mensagem|comando)( (do?|de))? (sistema|inicial|oculto|"
        "secreto)|prompt do sistema|(suas|tuas|as)"
        " (instruções|orientações|diretrizes) (do sistema|de sistema|ocultas|secretas|internas|confidenciais)"
        "|(suas|tuas)"
        " regras (ocultas|secretas|internas|confidenciais)|(suas|tuas) (instruções|diretrizes|regras) (iniciais"
        "|originais))",
    },
    "Italian": {
        "ignore": "ignor(a|are|ate|i)|dimentic(a|are|ate|hi)|scord(a|ati)|trascur(a|are)|non (seguire|"
        "considerare|tenere conto)|annulla"
        "|disattendi|scavalca",
        "fill": "((tutte|tutti|le|gli|i|il|la|l|di|delle|dei|tue|tuoi|queste|e|o|ogni|qualsiasi) )*",
        "earlier": "precedent(e|i)|anterior(e|i)|di cui sopra|sopra|original(e|i)|inizial(e|i)|"
        "ricevut(e|i)|dat(e|i)|prima",
        "orders": "istruzion(e|i)|indicazioni|ordini|direttive|regole|comandi|messaggi|prompt",
        "everything": "tutto (quello|ciò) che ((ti|è|ho|ha|hai|stato|abbiamo|sta|viene) ){0,4}(precede|"
        "sopra|prima|detto|imparato|scritto)",
        "you": "((tu )?sei|sarai|agisci come|comportati come|fingi di essere) ((ora|adesso|"
        "da ora in poi|d'ora in poi) )?",
        "lax": "senza (filtri|restrizioni|censura|censure|limiti)|malvagi(a|o)|amorale",
        "ai": "ia|ai|chatbot|assistente|modello|rispondi|rispondere",
        "without": "senza|libero da|priv(a|o) di|non ha",
        "limits": "((alcuna?|nessuna?) )?(regol(a|e)|limit(e|i)|restrizion(e|i)|limitazioni|considerazioni|"
        "filtr(o|i)|principi)"
        " (etic(a|he|i|o)|moral(e|i)|di sicurezza|sui contenuti)|censura",
        "mode": "modalità (sviluppatore|jailbreak|amministratore|dio|debug|senza restrizioni)",
        "on": "attivat(a|o)|abilitata|sbloccata|attiva",
        "show": "mostra(mi)?|rivela(mi)?|dimmi|dammi|ripeti|stampa|scrivi|condividi|traduci|"
        "qual(e)? è|quali (sono|erano)|copia|divulga"
        "|elenca|riassumi",
        "prompt": "((tuo|il) (prompt|messaggio)( (di|del))? (sistema|iniziale|nascosto|segreto)|"
        "prompt di sistema|(tue|le)"
        " (istruzioni|indicazioni|direttive) (di sistema|nascoste|segrete|interne|riservate)|tue regole"
        " (nascoste|segrete"
        "|interne|riservate)|tue (istruzioni|direttive|regole) (iniziali|originali))",
    },
    "Dutch": {
        "ignore": "negeer|vergeet|negeren|sla geen acht op|volg niet|schenk geen aandacht aan|"
        "overschrijf|omzeil|laat buiten beschouwing",
        "fill": "((alle|al|de|het|je|jouw|uw|mijn|deze|elke|van|en|of|u) )*",
        "earlier": "vorige|voorgaande|eerdere|bovenstaande|voorafgaande|oorspronkelijke|originele|"
        "initiële|gegeven|eerder|hierboven",
        "orders": "instructies?|aanwijzingen|opdrachten|bevelen|regels?|richtlijnen|berichten|commando's|prompts?",
        "everything": "alles (wat )?((je|u|ik|er|is|hebt|heb|hiervoor|hier) ){0,4}(hierboven|hiervoor|"
        "ervoor|eerder|gezegd|geleerd)",
        "you": "(je bent|jij bent|u bent|gedraag je als|doe alsof je) ((nu|vanaf nu|voortaan) )?",
        "lax": "ongecensureerde?|onbeperkte|amorele|kwaadaardige",
        "ai": "ai|chatbot|assistent|taalmodel|model|antwoord",
        "without": "zonder|vrij van|heeft geen|geen enkele",
        "limits": "(ethische|morele|inhoudelijke) (regels|richtlijnen|grenzen|beperkingen|bezwaren|filters)|censuur",
        "mode": "(ontwikkelaars?|developer|jailbreak|beheerders?|god|debug)-?( )?mod(us|e)",
        "on": "geactiveerd|ingeschakeld|ontgrendeld|staat aan",
        "show": "toon|laat zien|onthul|geef|herhaal|druk af|schrijf|zeg|vertel|deel|vertaal|"
        "wat (is|zijn|was)|kopieer|noem|print",
        "prompt": "(je|jouw|uw|de|het) ((volledige|hele|exacte) )?(systeem-?( )?prompt|systeeminstructies?|"
        "systeembericht|(geheime|verborgen"
        "|interne|oorspronkelijke|initiële) (instructies|regels|prompt|richtlijnen))",
    },
    "Polish": {
        "ignore": "zignoruj|ignoruj|zignorować|zapomnij (o )?|pomiń|nie (przestrzegaj|stosuj się "
        "do|zwracaj uwagi na)|odrzuć|anuluj",
        "fill": "((wszystkie|wszystkich|wszelkie|te|tych|swoje|twoje|moje|o|i|lub|każde) )*",
        "earlier": "poprzedni(e|ch)|wcześniejsz(e|ych)|powyższ(e|ych)|dotychczasow(e|ych)|pierwotn(e|"
        "ych)|początkow(e|ych)|otrzyman(e|ych)",
        "orders": "instrukcj(e|i|ę)|polece(nia|ń)|rozkaz(y|ów)|wytyczn(e|ych)|zasad(y)?|reguł(y)?|"
        "wiadomości|dyrektyw(y)?|prompt(y|ów)?",
        "everything": "wszystk(o|im|iego),? co ((zostało|było|ci|jest|ja|do) ){0,4}(powyżej|wcześniej|"
        "powiedziane|powiedziano|napisane|tej pory)",
        "you": "(jesteś|będziesz|zachowuj się jak|udawaj, że jesteś) ((teraz|od teraz|od tej pory) )?",
        "lax": "bez (cenzury|filtrów|ograniczeń)|nieocenzurowan(y|ą|ym)|nieograniczon(y|ą|ym)|amoraln(y|ą)",
        "ai": "si|ai|chatbot|asystent|model|odpowiadaj|odpowiedz",
        "without": "bez|pozbawiony|nie ma|wolny od",
        "limits": "((żadnych) )?(zasad|ograniczeń|reguł|filtrów|zahamowań) (etycznych|moralnych|"
        "bezpieczeństwa|treści)|cenzury|(etycznych|moralnych)"
        " (zasad|ograniczeń|reguł|filtrów)",
        "mode": "tryb(ie|u)? (dewelopera|deweloperski(m|ego)?|programisty|jailbreak|administratora|boga|debugowania)",
        "on": "aktywowany|włączony|odblokowany|aktywny",
        "show": "pokaż|ujawnij|podaj|powtórz|wypisz|napisz|powiedz|wyświetl|udostępnij|przetłumacz|"
        "jak(i|ie) (jest|są|był|były)|skopiuj|zdradź",
        "prompt": "((twój|swój) )?(prompt (systemowy|początkowy)|instrukcj(e|i) systemow(e|ych|"
        "ą)|wiadomość systemową|(ukryte|tajne|wewnętrzne|początkowe)"
        " (instrukcje|zasady|polecenia|wytyczne))",
    },
    "Russian": {
        "ignore": "(про)?игнорируй(те)?|игнорировать|забудь(те)?( о| про)?|не обращай(те)? внимания "
        "на|не следуй(те)?|отмени(те)?|отбрось(те)?"
        "|пренебреги(те)?|не учитывай(те)?",
        "fill": "((все|всех|всеми|всем|любые|эти|свои|твои|мои|о|и|или|ваши|об) )*",
        "earlier": "предыдущи(е|х|ми|м)|прежни(е|х|ми)|вышеуказанны(е|х)|вышеизложенны(е|х)|предшествующи(е|"
        "х|ми)|изначальны(е|х)|исходны(е|х)"
        "|первоначальны(е|х)|ранее|выше|данные ранее|системны(е|х)",
        "orders": "инструкци(и|й|ями|ю)|указани(я|й|ями|ям)|команд(ы|ами)?|приказ(ы|ов)?|правил(а|"
        "ами)?|директив(ы)?|распоряжени(я|й)|сообщени(я|й)"
        "|установки|промпт(ы|ов)?|ограничения",
        "everything": "(всё|все|обо всем),? что ((было|тебе|я|вам|мы|ты|до) ){0,4}(выше|сказано|раньше|"
        "ранее|говорил|говорили|написано|этого|знал)",
        "you": "((теперь )?ты|вы|отныне ты|притворись, что ты|веди себя как|действуй как) ((теперь|"
        "отныне|с этого момента) )?",
        "lax": "без (цензуры|ограничений|фильтров)|неограниченн(ый|ая)|нецензурированн(ый|ая)|аморальн(ый|ая)",
        "ai": "ии|ai|чат-?бот|ассистент|помощник|модель|отвечай(те)?",
        "without": "без|не имеет|не имеешь|лишен(а)?|свободен от|свободна от",
        "limits": "((каких-либо|всяких|любых) )?(этических|моральных|нравственных) ((и|или)~)?(ограничений|"
        "правил|норм|фильтров|рамок|принципов)|цензуры",
        "mode": "режим(е|а)? (разработчика|джейлбрейк(а)?|администратора|бога|отладки|без ограничений)",
        "on": "активирован|включен|включён|разблокирован",
        "show": "покажи(те)?|раскрой(те)?|выведи(те)?|повтори(те)?|напиши(те)?|скажи(те)?|назови(те)?|"
        "сообщи(те)?|переведи(те)?|распечатай(те)?"
        "|как(ой|ие|ая|ова|овы)|скопируй(те)?|выдай(те)?|перечисли(те)?|поделись",
        "prompt": "((свой|твой|ваш|свои|твои|ваши|полный|весь) ){0,3}(системн(ый|ого) (промпт(а)?|"
        "запрос|подсказк(у|а))|системн(ые|ую|ое) (инструкци(и|ю)|сообщение"
        "|подсказк(у|а)|указания)|(скрытые|секретные|внутренние|начальные|исходные|первоначальные) "
        "(инструкции|правила|указания|промпты))",
    },
    "Ukrainian": {
        "ignore": "(про)?ігноруй(те)?|забудь(те)?( про)?|не зважай(те)? на|не дотримуйся|скасуй(те)?|відкинь(те)?",
        "fill": "((усі|всі|усіх|всіх|будь-які|ці|свої|твої|мої|про|і|та|або) )*",
        "earlier": "попередні(х|ми)?|наведені вище|вищезазначені|початкові|первинні|раніше|вище|системні",
        "orders": "інструкці(ї|й|ями)|вказівк(и|ами)|вказівок|команд(и)?|накази|правил(а)?|директив(и)?|"
        "повідомлення|настанови|промпти?",
        "everything": "(усе|все),? що ((було|тобі|я|вам|ти|до) ){0,4}(вище|сказано|раніше|написано|цього)",
        "you": "((тепер )?ти|ви|віднині ти|поводься як|дій як) ((тепер|віднині|відтепер) )?",
        "lax": "без (цензури|обмежень|фільтрів)|необмежен(ий|а)|нецензурован(ий|а)",
        "ai": "ші|ai|чат-?бот|асистент|помічник|модель|відповідай(те)?",
        "without": "без|не має|не маєш|позбавлен(ий|а)",
        "limits": "((будь-яких|жодних) )?(етичних|моральних) (обмежень|правил|норм|фільтрів|принципів)|цензури",
        "mode": "режим(і|у)? (розробника|джейлбрейк(у)?|адміністратора|бога|налагодження)",
        "on": "активовано|увімкнено|ввімкнено|розблоковано",
        "show": "покажи(и|іть)?|розкрий(те)?|виведи|повтори|напиши|скажи|назви|переклади|надрукуй|"
        "як(ий|і|а)|скопіюй|поділись",
        "prompt": "((свій|твій|ваш|свої|твої|ваші) )?(системн(ий|ого) (промпт(у)?|запит)|системн(і|"
        "у|е) (інструкці(ї|ю)|повідомлення|підказку|вказівки)"
        "|(приховані|секретні|таємні|внутрішні|початкові) (інструкції|правила|вказівки))",
    },
    "Swedish": {
        "ignore": "ignorera|glöm( bort)?|bortse från|strunta i|följ inte|åsidosätt",
        "fill": "((alla|all|de|dina|mina|dessa|varje|och|eller|allt) )*",
        "earlier": "tidigare|föregående|ovanstående|ursprungliga|givna|ovan|förra",
        "orders": "instruktioner(na)?|anvisningar(na)?|order|regler(na)?|riktlinjer(na)?|meddelanden|"
        "kommandon|direktiv",
        "everything": "allt (som )?((du|jag|står|har|vi) ){0,3}(ovan|ovanför|tidigare|sagt|lärt)",
        "you": "(du är|agera som|låtsas att du är) ((nu|från och med nu) )?",
        "lax": "ocensurerad|obegränsad|omoralisk|ond ai",
        "ai": "ai|chatbot|assistent|modell|svara",
        "without": "utan|fri från|har inga",
        "limits": "((några) )?(etiska|moraliska) (regler|riktlinjer|gränser|begränsningar|filter)|censur",
        "mode": "(utvecklar|jailbreak|administratörs|gud)-?läget?",
        "on": "aktiverat|påslaget|upplåst|aktivt",
        "show": "visa|avslöja|ge|upprepa|skriv( ut)?|säg|berätta|dela|översätt|vad är|kopiera|lista",
        "prompt": "(din|ditt|dina|hela) ((fullständiga|exakta) )?(system-?prompt(en)?|systeminstruktioner(na)?|"
        "systemmeddelande|(hemliga|dolda|interna|ursprungliga)"
        " (instruktioner|regler|riktlinjer))",
    },
    "Turkish": {
        "ignore": "yok say(ın|in)?|görmezden gel(in)?|unut(un)?|dikkate alma(yın)?|göz ardı et(in)?|"
        "boş ver|geçersiz say|uyma(yın)?",
        "fill": "((tüm|bütün|her|bu|sana|size|senin|verilen|ve|veya|o|hepsini|şey|olan) )*",
        "earlier": "önceki|yukarıdaki|daha önceki|önceden|evvelki|ilk|orijinal|mevcut",
        "orders": "talimat(lar)?(ı|ları|ını|larını|lara)?|komut(lar)?(ı|ını)?|emir(ler)?(i|ini)?|"
        "kural(lar)?(ı|ını|a)?|yönerge(ler)?(i|yi|ini)?|direktif(ler)?(i)?|mesaj(lar)?(ı)?"
        "|istem(ler)?(i)?",
        "everything": "(yukarıdaki|önceki|söylenen|şimdiye kadarki|öğrendiğin|bildiğin) (her şeyi|herşeyi|hepsini)",
        "you": "((artık|şimdi|bundan sonra) )(sen )?",
        "lax": "sansürsüz|kısıtlamasız|sınırsız|filtresiz|ahlaksız",
        "ai": "yapay zek(a|â)|ai|sohbet botu|asistan|model|cevap ver|yanıtla",
        "without": "olmadan|olmayan|bağlı kalmadan|yok|tanımayan|içermeyen",
        "limits": "(etik|ahlaki|güvenlik) ((ve|veya) (etik|ahlaki) )?(kural|sınır|kısıtlama|filtre)(lar|"
        "ler)?(ı|i|a|e)?( herhangi)?|sansür",
        "mode": "(geliştirici|jailbreak|yönetici|tanrı|hata ayıklama) modu(nu|na|nda)?",
        "on": "etkin|etkinleştirildi|açık|aktif|açıldı",
        "show": "göster(in|ir)?|açıkla|paylaş|tekrarla|tekrar et|yazdır|yaz|söyle|ver|çevir|"
        "nedir|neler(dir)?|ifşa et|kopyala",
        "prompt": "(sistem (istemi|prompt|talimat|mesaj|komut)[a-z]{0,6}(ni|nı|ını|ini)?|(gizli|"
        "iç|ilk|başlangıç) (talimatlar|kurallar|yönergeler|komutlar)(ı|ın|ını|i|ini)?(nı)?)",
    },
}

_FIRST_VERB = {
    "attack.override": (
        (80, "<ignore!>( <fill>(<earlier>|<orders>)){2}"),
        (70, "<ignore!> (<everything>)"),
    ),
    "attack.role": (
        (60, "<you>~(<lax!>)"),
        (60, "(<ai>) ~(<without>) (<limits!>)"),
    ),
    "attack.developer_mode": (
        (70, "(<mode!>) (<on>)"),
        (60, "<you>~(<mode!>)"),
    ),
    "attack.extraction": ((70, "(<show>) ~(<prompt!>)"),),
}

_LAST_VERB = {
    "attack.override": (
        (80, "(<earlier>) <fill>(<orders>) ~(<ignore!>)"),
        (70, "(<everything>) (<ignore!>)"),
    ),
    "attack.role": (
        (60, "<you>~(<lax!>)"),
        (60, "(<limits!>) ~(<without>) ~(<ai>)"),
    ),
    "attack.developer_mode": ((70, "(<mode!>) (<on>)"),),
    "attack.extraction": ((70, "(<prompt!>) ~(<show>)"),),
}


def sentences(languages: Mapping[str, Mapping[str, str]], kind: str, last: frozenset[str]) -> tuple[Phrase, ...]:
    """The shared sentences of a kind in each of these languages; `last` are those whose verbs come last."""
    return tuple(
        phrase
        for name, words in languages.items()
        for points, text in (_LAST_VERB if name in last else _FIRST_VERB)[kind]
        for phrase in phrases(points, words, text)
    )


PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    kind: (*sentences(LANGUAGES, kind, frozenset({"Turkish"})), *released(LANGUAGES, kind)) for kind in _FIRST_VERB
}
