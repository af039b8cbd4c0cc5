"""Prompt attacks in more languages: earlier instructions shall not hold, and the hidden prompt shall be shown.

Each language gives fewer words here than in `europe` and `asia`: those that attacks are made of most.
"""

from collections.abc import Mapping

from gptgate.detectors.pattern import ANY
from gptgate.detectors.phrase import Phrase, phrases
from gptgate.detectors.phrasebook.europe import sentences

_VERB_FIRST: Mapping[str, Mapping[str, str]] = {
    "Romanian": {
        "ignore": "ignor(ă|ați|a)|uit(ă|ați)( de)?|nu (ține|țineți) cont de|nu (urma|urmați)|desconsider(ă|ați)",
        "fill": "((toate|tot|orice|cele|tale|voastre|aceste|de|și|sau|pe|care) )*",
        "earlier": "anterioare|precedente|de mai sus|de dinainte|inițiale|originale|primite|date",
        "orders": "instrucțiuni(le)?|indicații(le)?|reguli(le)?|comenzi(le)?|directive(le)?|ordine(le)?|prompturi(le)?",
        "everything": "tot ce ((ți|s|a|am|ai|spus|fost|scris|este|se) ){0,4}(mai sus|înainte|spus|anterior)",
        "show": "afiș(ează|ați)|arat(ă|ă-mi|ați)|dezvăluie|spune(-mi)?|repet(ă|ați)|scrie|tradu|care (este"
        "|sunt)|copiaz(ă)",
        "prompt": "(promptul|instrucțiunile) (tău |tale )?(de |al )?sistem(ului)?|mesajul tău de sistem"
        "|(instrucțiunile|regulile) "
        "((tale )?(ascunse|secrete)|tale (interne|inițiale))",
    },
    "Hungarian": {
        "ignore": "hagyd figyelmen kívül|hagyja figyelmen kívül|felejtsd el|felejtse el|ne vedd figyelembe|ne kövesd",
        "fill": "((az|a|összes|minden|eddigi|és|vagy|ezeket|azokat) )*",
        "earlier": "korábbi|előző|fenti|eddigi|eredeti|kapott|kezdeti",
        "orders": "utasítás(t|okat|aidat|od)?|szabály(t|okat|aidat)?|parancs(ot|okat)?|irányelv(et|eket)?"
        "|instrukció(t|kat)?",
        "everything": "mindent?,? ((amit|ami|eddig|a|itt) ){1,4}(mondtak|fent|eddig|korábban|írtak)",
        "show": "mutasd( meg)?|írd (ki|le)|add meg|ismételd( meg)?|áruld el|jelenítsd meg|fordítsd le|mi a",
        "prompt": "(rendszer ?(prompt|üzenet|utasítás)(e|et|ét|edet|ed|ot|odat|t|át|od|okat)?)|(rejtett|titkos)"
        " (utasításaid|szabályaid|utasítások|promptod)(at)?|(belső|eredeti) (utasításaid|szabályaid|promptod)(at)?",
    },
    "Czech and Slovak": {
        "ignore": "(z)?ignoruj(te)?|zapome(ň|ňte)( na)?|zabudni(te)?( na)?|nedbej(te)? na|neřiď(te)? se"
        "|nevšímej(te)? si",
        "fill": "((všechny|všechna|všech|všetky|všetkých|veškeré|tyto|tieto|své|tvé|a|nebo|alebo|na) )*",
        "earlier": "předchozí(ch|mi)?|dřívější(ch)?|výše uvedené|původní(ch)?|predchádzajúce|predošlé|skoršie|pôvodné",
        "orders": "pokyn(y|ů|ov|mi)?|instrukc(e|í|ie)|inštrukci(e|í)|pravid(la|el|lá|iel)|příkaz(y|ů)|príkaz(y|ov)"
        "|směrnice",
        "everything": "(vše|všechno|všetko),? (co|čo) ((ti|bylo|bolo|jsem|je|ste) ){0,4}(výše|řečeno|predtým|předtím"
        "|povedané|napsáno)",
        "show": "vypiš(te)?|vypíš(te)?|ukaž(te)?|ukáž(te)?|zobraz(te)?|prozraď(te)?|prezraď|zopakuj(te)?|napiš"
        "|napíš|přelož|prelož|jak(ý|é|á) (je|jsou)",
        "prompt": "(své|svůj|tvůj|tvoj|svoj) (systémov(ý|é|ou) )?(prompt|pokyny)|systémov(ý|ou|ú|é|ého) (prompt(u)?"
        "|zprávu|správu|pokyny|instrukce)|(skryté|tajné|(své|svoje|tvé|tvoje) (interní|interné|původní"
        "|pôvodné)) (pokyny|instrukce|inštrukcie)|(své|svoje|tvé|tvoje) (skrytá|skryté|tajná|tajné|interní|interné"
        "|původní|pôvodné) pravidla",
    },
    "Danish and Norwegian": {
        "ignore": "ignor(é)?r|glem( alt om)?|se bort (fra|ifra)|tilsidesæt|overse|ikke følg|følg ikke",
        "fill": "((alle|al|de|dine|dette|disse|og|eller|hver|enhver|samtlige) )*",
        "earlier": "tidligere|forrige|foregående|ovenstående|forudgående|oprindelige|opprinnelige|givne|gitte",
        "orders": "instruktion(er|erne)?|instruks(er|jon|joner|jonene|ene)?|anvisning(er|erne|ene)?|regler(ne)?"
        "|reglene|retningslinj(er|erne|ene)|ordrer|kommando(er|erne)?|direktiver",
        "everything": "alt,? ((hvad|som|der|du|jeg|er|har|det|blev) ){0,4}(ovenfor|over|tidligere|sagt|fått|fået)",
        "show": "vis( mig| meg)?|afslør|avslør|skriv( ut| ud)?|gentag|gjenta|fortæl|fortell|oversæt|oversett|udskriv"
        "|hvad er|hva er|kopi(é)?r",
        "prompt": "(din |dit |dine |ditt )?(system-?( )?prompt(en)?|systeminstruktion(er|en)?|systeminstruks(en)?"
        "|systembesked(en)?|systemmelding(en)?)|(skjulte|hemmelige|dine (interne|oprindelige"
        "|opprinnelige)) (instruktioner|instruksjoner|instrukser)|dine (skjulte|hemmelige|interne|oprindelige"
        "|opprinnelige) regler",
    },
    "Finnish": {
        "ignore": "unohda(kaa)?|ohita(kaa)?|jätä huomi(oi)?otta|älä (noudata|välitä)|sivuuta",
        "fill": "((kaikki|kaikkia|sinun|nämä|ja|tai|mitään) )*",
        "earlier": "aiem(mat|pia|mista)|aikaisem(mat|pia)|edelli(set|siä|sistä)|edeltävät|yllä olevat"
        "|alkuperäi(set|siä)"
        "|annetut",
        "orders": "ohje(et|ita|ista|itasi)?|määräykset|sään(nöt|töjä)|käskyt|käskyjä|komennot|kehotteet",
        "everything": "kaik(ki|en),? (mitä|mikä) ((sinulle|on|olet|yllä|aiemmin) ){1,4}(sanottu|kerrottu|yllä|oppinut)",
        "show": "näytä|tulosta|paljasta|kerro|toista|kirjoita|käännä|mikä on|listaa",
        "prompt": "järjestelmä(kehot|viest|ohje)(e|teesi|teet|tteesi|i|isi|eet|eesi|tteet|tisi)|system prompt"
        "|(piilotetut|salaiset)"
        " (ohjeet|ohjeesi|säännöt|sääntösi)|(sisäiset|alkuperäiset) (ohjeesi|sääntösi)",
    },
    "Bulgarian": {
        "ignore": "игнорирай(те)?|забрави(те)?( за)?|не обръщай(те)? внимание на|пренебрегни|не следвай(те)?",
        "fill": "((всички|всичките|тези|твоите|и|или|на) )*",
        "earlier": "предишни(те)?|предходни(те)?|горни(те)?|досегашни(те)?|първоначални(те)?|дадени(те)?",
        "orders": "инструкции(те)?|указания(та)?|правила(та)?|команди(те)?|нареждания(та)?|заповеди",
        "everything": "всичко,? ((което|ти|е|казано|до|беше) ){1,4}(казано|горе|момента|преди)",
        "show": "покажи|разкрий|изведи|повтори|напиши|кажи|преведи|кой е|какви са",
        "prompt": "системн(ия|ият|ото|ите) (промпт|съобщение|инструкции|указания)|((скрити|тайни)(те)?( си)?"
        "|(вътрешни|първоначални)(те)? си) (инструкции|правила|указания)",
    },
    "South Slavic": {
        "ignore": "(za)?ignoriraj(te)?|ignoriši|zanemari(te)?|zaboravi(te)?( na)?|pozabi(te)?( na)?|ne slušaj"
        "|ne slijedi"
        "|ne obaziri se na|ne upoštevaj|prezri",
        "fill": "((sve|svih|vse|svoje|te|ove|i|ili|in|ali|na) )*",
        "earlier": "prethodn(e|a|ih|u)|prejšnj(e|a|ih)|ranij(e|a|ih)|gornj(e|a)|dosadašnj(e|a)|dosedanj(e|a)"
        "|početn(e|a)|izvorn(e|a)|prvotn(e|a)",
        "orders": "upute?|uputstva|instrukcij(e|a)|navodil(a)?|naredb(e|i)|nared(be|i)|pravil(a)?|smjernice|naloge",
        "everything": "sve (što|šta) ((ti|je|su|sam|do) ){1,4}(rečeno|rekli|gore|sada|prije|ranije|napisano)",
        "show": "prikaži(te)?|pokaži(te)?|ispiši(te)?|izpiši(te)?|otkrij(te)?|razkrij|ponovi(te)?|napiši|reci|prevedi"
        "|kaži|koji je|koje su",
        "prompt": "(svoj |tvoj )?(sistemsk|sustavsk)(i|u|o|a|e) (prompt|poruku|upute|navodila|sporočilo|poziv"
        "|uputstva)"
        "|(skrivene|tajne|skrite|(svoje|tvoje) (interne|početne|izvorne)) (upute|navodila|instrukcije|pravila)",
    },
    "Greek": {
        "ignore": "αγνό(η)?σε|αγνοήστε|ξέχασ(ε|τε)|ξεχάστε|μην (ακολουθείς|ακολουθήσεις|λάβεις υπόψη)|παράβλεψε"
        "|παράκαμψε",
        "fill": "((όλες|όλους|όλα|τις|τους|τα|σου|που|και|ή|κάθε|σε|σας) )*",
        "earlier": "προηγούμεν(ες|ους|α|ων)|παραπάνω|αρχικ(ές|ούς|ά)|πρότερες|δόθηκαν|προγενέστερες",
        "orders": "οδηγί(ες|α|ών)|εντολ(ές|ή|ών)|κανόν(ες|ων)|κατευθύνσεις|υποδείξεις",
        "everything": "(όλα )?(όσα|ό,τι) ((σου|είπα|έχουν|έχω|είναι|ειπωθεί) ){1,4}(παραπάνω|πριν|ειπωθεί"
        "|προηγουμένως)",
        "show": "δείξε( μου)?|δείξτε|εμφάνισε|εμφανίστε|αποκάλυψε|πες( μου)?|επανάλαβε|γράψε|μετάφρασε|εκτύπωσε"
        "|ποι(ες|ο|α) είναι",
        "prompt": "(προτροπή|οδηγίες|prompt|εντολές|κείμενο)( του)? συστήματος|system prompt|(κρυφές|μυστικές)"
        " (οδηγίες|εντολές|κανόνες)|(εσωτερικές|αρχικές) (οδηγίες|εντολές|κανόνες) σου",
    },
    "Catalan": {
        "ignore": "ignor(a|eu|ar)|oblid(a|eu)( totes)?|no (segueixis|facis cas de)|descart(a|eu)|passa per alt",
        "fill": "((totes|tots|tot|les|els|la|el|de|teves|teus|aquestes|i|o|que) )*",
        "earlier": "anterior(s)?|prèvi(es|a)|precedents|de dalt|inicials|originals|donades|rebudes",
        "orders": "instruccion(s)?|indicacions|ordres|regles|normes|directrius",
        "everything": "tot (el que|allò que) ((t'han|has|he|s'ha|hi|està) ){1,4}(dit|dalt|abans|escrit)",
        "show": "mostra('m)?|ensenya('m)?|revela('m)?|digue('m|s-me)|repeteix|escriu|imprimeix|tradueix|quin(es)?"
        " (és|són)",
        "prompt": "(missatge|prompt|indicació) (del|de) sistema|(instruccions|regles) (ocultes|secretes)"
        "|instruccions del sistema|(teves|vostres) (instruccions|regles) (internes|inicials)",
    },
    "Hebrew": {
        "ignore": "(ה)?תעל(ם|מי|מו)|שכח(י|ו)?|תשכח(י)?|אל (תציית|תתייחס|תפעל)",
        "fill": "((את|כל|מ|מכל|ל|של|הללו|האלה|או) )*(מ|ל|מכל |את )?",
        "earlier": "הקודמות|הקודמים|הקודמת|לעיל|שלמעלה|המקוריות|הראשוניות|שניתנו",
        "orders": "(ה)?(הוראות|הנחיות|פקודות|כללים|חוקים)(יך)?",
        "everything": "(כל )?מה (שנאמר|שנכתב|שאמרתי|שאמרו לך) (לך )?(קודם|לעיל|עד כה|למעלה)",
        "show": "הצג(י)?|הראה|תראה|הדפס|גלה|תגלה|חזור על|כתוב|אמור|תגיד|תרגם|מה(ן|ם|י)?",
        "prompt": "(הנחיית|הנחיות|הוראות|פרומפט) ה?מערכת|(ההוראות|ההנחיות|הכללים) ((שלך )?(הנסתרות|הסודיות"
        "|הסודיים|הנסתרים)|שלך (הפנימיות|המקוריות))",
    },
    "Malay and Tagalog": {
        "ignore": "abaikan|lupakan|jangan (ikut|patuhi)|huwag (pansinin|sundin)|balewalain( mo)?|kalimutan( mo)?"
        "|ipagwalang-bahala",
        "fill": "((semua|segala|itu|ini|anda|yang|dan|atau|ang|mga|lahat|ng|na|mo|iyong|nang) )*",
        "earlier": "sebelum(nya| ini)?|terdahulu|di atas|asal|diberikan|naunang?|nakaraang?|dating|nasa itaas|nauna",
        "orders": "arahan|perintah|peraturan|panduan|tagubilin|utos|panuto|instruksiyon|patakaran",
        "everything": "(semua|segala)( perkara)?( yang)? ((telah|anda|saya|dikatakan) ){0,4}(di atas|sebelum"
        " ini|tadi)"
        "|lahat ng (sinabi|nabanggit) ((sa|ko|iyo|kanina) ){0,3}(kanina|itaas)",
        "show": "tunjukkan|paparkan|dedahkan|beritahu|ulang(i)?|tulis(kan)?|ipakita( mo)?|ilantad|sabihin( mo)?"
        "|ulitin"
        "|isulat|isalin",
        "prompt": "(prompt|arahan) sistem|(iyong |inyong )?system prompt|(arahan|peraturan) (tersembunyi|rahsia"
        "|(dalaman|asal) (anda|kamu|awak))|(nakatagong|lihim na|iyong orihinal na) (tagubilin|utos|patakaran)",
    },
    "Swahili": {
        "ignore": "puuza|sahau|usifuate|usizingatie|achana na",
        "fill": "((yote|zote|vyote|ya|za|hayo|haya|hizo|na|au|kila) )*",
        "earlier": "(ya|za|ya hapo) ?(awali|mwanzo|juu|kabla)|yaliyotangulia|zilizotangulia|awali|yaliyopita",
        "orders": "maagizo|maelekezo|amri|sheria|kanuni|miongozo",
        "everything": "(kila kitu|yote) ((ulichoambiwa|uliyoambiwa|nilichosema|kilichosemwa) ){1,2}(awali|hapo"
        " juu|kabla)",
        "show": "onyesha|nionyeshe|unionyeshe|niambie|rudia|andika|fichua|tafsiri",
        "prompt": "(maagizo|maelekezo|prompt) (wa|ya|wako wa) mfumo|(maagizo|sheria) (ya|za) siri"
        "|(maagizo|sheria) (yako|zako) (ya|za) ndani",
    },
}

_VERB_LAST: Mapping[str, Mapping[str, str]] = {
    "Bengali": {
        "ignore": "উপেক্ষা (কর|করো|করুন|করে)|ভুলে (যাও|যান)|অগ্রাহ্য (কর|করো|করুন)|বাদ (দাও|দিন)|মেনো না|অনুসরণ (করো|করবে) না",
        "fill": "((সব|সমস্ত|সকল|তোমার|আপনার|এই|এবং|দেওয়া) )*",
        "earlier": "আগের|পূর্ববর্তী|পূর্বের|উপরের|প্রাথমিক|মূল",
        "orders": "নির্দেশ(না|নাবলী|াবলি|গুলি|গুলো|নাগুলি|নাগুলো)?|আদেশ(গুলি|গুলো)?|নিয়ম(গুলি|গুলো|াবলী)?",
        "everything": "(আগে|উপরে) ((যা|কিছু|বলা|হয়েছে|লেখা|সব) ){1,5}(সব|সবকিছু|তা)",
        "show": "দেখাও|দেখান|বলো|বলুন|প্রকাশ (করো|করুন)|লেখো|লিখুন|পুনরাবৃত্তি (করো|করুন)|জানাও",
        "prompt": "সিস্টেম (প্রম্পট|নির্দেশ(না)?|মেসেজ)(টি|টা)?|(গোপন|লুকানো|(তোমার|আপনার) অভ্যন্তরীণ) (নির্দেশ(না)?|নিয়ম)(গুলি|গুলো)?",
    },
    "Urdu": {
        "ignore": "نظر ?انداز (کر|کرو|کریں|کر دو|کر دیں|کیجیے)|بھول (جاؤ|جائیں|جا)|(پر )?عمل (مت|نہ) (کرو|کریں)"
        "|نظرانداز (کرو|کریں)",
        "fill": "((تمام|سب|سارے|ساری|کی|کے|کو|اپنی|آپ|دی|گئی|یہ|ان) )*",
        "earlier": "پچھلی|پچھلے|سابقہ|پہلے( کی| کے)?|مذکورہ بالا|اوپر( کی| دی گئی)?|اصل|ابتدائی",
        "orders": "ہدایات|ہدایت|احکامات|احکام|قواعد|ضوابط|اصول|حکم",
        "everything": "(پہلے|اوپر) ((جو|کچھ|بھی|کہا|گیا|لکھا|ہے) ){1,6}(سب|سب کچھ|اسے)( کو)?",
        "show": "دکھاؤ|دکھائیں|بتاؤ|بتائیں|ظاہر (کرو|کریں)|لکھو|لکھیں|دہراؤ|دہرائیں|کیا (ہے|ہیں)",
        "prompt": "سسٹم (پرامپٹ|پیغام|ہدایات|میسج)|(خفیہ|پوشیدہ|(اپنی|اپنے|تمہاری|تمہارے|آپ کی"
        "|آپ کے) (اندرونی|اصل)) (ہدایات|قواعد|احکامات)",
    },
    "Persian": {
        "ignore": "نادیده ب?گیر(ید)?|فراموش کن(ید)?|بی ?خیال شو|رعایت نکن(ید)?|پیروی نکن(ید)?|توجه نکن(ید)?|دور بریز",
        "fill": "((همه|همهٔ|تمام|تمامی|کلیه|این|آن|را|که|و|یا|های|به|از|خود) )*",
        "earlier": "قبلی|پیشین|بالا|قبل|اولیه|اصلی|پیش",
        "orders": "(دستور(العمل)?|فرمان|قانون|قاعده|راهنمایی)( ?ها(ی|یی|یت|یتان)?)?|دستورات|قوانین|قواعد",
        "everything": "هر ?(آن)?چه ((که|تا|به|تو|قبلا|پیش) ){0,4}(گفته شد(ه)?|گفتم|گفتند|بالاست)( را)?",
        "show": "نشان (بده|بدهید|دهید)|نمایش (بده|دهید)|بگو(یید)?|بنویس(ید)?|تکرار کن(ید)?|فاش کن(ید)?|چاپ کن|چیست",
        "prompt": "پیام سیستم را|(پرامپت|دستور|دستورات|اعلان) سیستم|(دستورات|دستورهای|قوانین) (مخفی|پنهان"
        "|محرمانه|(داخلی|اولیه) (خود|خودت|تو|شما))",
    },
}

_THAI = {
    "ignore": "เพิกเฉย|ละเว้น|ไม่ต้องสนใจ|อย่าสนใจ|ไม่สนใจ|ลืม|ข้าม|มองข้าม|ยกเลิก|ไม่ต้องทำตาม|อย่าทำตาม",
    "all": "(ต่อ|ทุก|ทั้งหมด|ของ|คุณ|ใดๆ|ที่|ได้รับ|ให้ไว้|มา|นี้|ที่ผ่าน|[ ])*",
    "orders": "คำสั่ง|คำแนะนำ|กฎ|กฎระเบียบ|ข้อกำหนด|แนวทาง|พรอมต์|พรอมป์",
    "earlier": "ก่อนหน้า|ก่อนนี้|ข้างต้น|ด้านบน|เดิม|แรก|เริ่มต้น|ทั้งหมด",
    "show": "แสดง|บอก|เปิดเผย|พิมพ์|ทวน|เขียน|แปล",
    "prompt": "(คำสั่ง|พรอมต์|พรอมป์|คำแนะนำ)(ของ)?ระบบ|system prompt|(คำสั่ง|คำแนะนำ|กฎ)((ที่)?(ซ่อน|ลับ)|ภายในของคุณ)",
}

_TIGHT = {
    "attack.override": phrases(80, _THAI, "(<ignore!>)<all>(<orders>)<all>(<earlier>)", left=ANY, right=ANY),
    "attack.extraction": phrases(70, _THAI, "(<show>)~(<prompt!>)", left=ANY, right=ANY),
}

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    kind: (
        *sentences(_VERB_FIRST, kind, frozenset()),
        *sentences(_VERB_LAST, kind, frozenset(_VERB_LAST)),
        *tight,
    )
    for kind, tight in _TIGHT.items()
}
