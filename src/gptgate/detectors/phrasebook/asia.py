"""Prompt attacks in languages of Asia and in Arabic. Where no spaces stand between "
"words, sentences have none either."""

from collections.abc import Mapping

from gptgate.detectors.pattern import ANY
from gptgate.detectors.phrase import Phrase, phrases
from gptgate.detectors.phrasebook.europe import sentences

_SPACED: Mapping[str, Mapping[str, str]] = {
    "Arabic": {
        "ignore": "(و)?تجاهل(ي|وا)?|(و)?انس(ى|ي)?|لا تتبع|تجاوز|تخط(ى)?|ألغ(ي)?|اهمل|لا تلتزم ب",
        "fill": "((جميع|كل|كافة|هذه|تلك|أي|عن) )*",
        "earlier": "السابقة|السابق|أعلاه|المذكورة|الأصلية|الأولية|المعطاة|السالفة|قبل",
        "orders": "(ال)?(تعليمات|أوامر|توجيهات|قواعد|إرشادات|رسائل|تعليمة|قيود)(ك|كم)?",
        "everything": "(كل )?(ما|شيء) ((تم|قيل|ذكر|سبق|لك|قلته|من|كتب) ){0,5}(أعلاه|سابقا|سبق|قبل)",
        "you": "(أنت|ستكون|تصرف ك|تظاهر ب)( (الآن|من الآن فصاعدا))? ",
        "lax": "بلا (قيود|رقابة|حدود)|بدون (قيود|رقابة|حدود)|غير (مقيد|خاضع للرقابة)",
        "ai": "(ال)?ذكاء (ال)?اصطناعي|مساعد|نموذج|روبوت|ai|أجب",
        "without": "بدون|بلا|دون|لا يملك|خال من",
        "limits": "(أي )?((قيود|قواعد|ضوابط|حدود|اعتبارات) (أخلاقية|أمنية|معنوية)|رقابة)",
        "mode": "وضع (المطور|المطورين|كسر الحماية|المسؤول|التصحيح)",
        "on": "مفعل|مفعّل|نشط|تم تفعيله",
        "show": "اعرض|أظهر|اكشف|اطبع|كرر|أعطني|أخبرني|قل|اكتب|شارك|ترجم|ما (هي|هو|هى)|انسخ|لخص",
        "prompt": "(موجه|مطالبة|تعليمات|رسالة|أوامر) (ال)?نظام|(تعليماتك|قواعدك|أوامرك|التعليمات) "
        "(ال)?(سرية|مخفية|داخلية|أولية|أصلية|خفية)"
        "|برومبت النظام",
    },
    "Indonesian": {
        "ignore": "abaikan|lupakan|hiraukan|jangan (ikuti|patuhi|hiraukan)|kesampingkan|batalkan",
        "fill": "((semua|seluruh|segala|setiap|itu|ini|kamu|anda|dan|atau|yang|apa|telah|di) )*",
        "earlier": "sebelumnya|(di )?atas|terdahulu|awal|asli|diberikan|sebelum ini|lama",
        "orders": "instruksi|perintah|arahan|aturan|petunjuk|pedoman|panduan|pesan|prompt",
        "everything": "(semua|segala|apa)( (sesuatu|hal))?( pun)?( yang)? ((telah|kamu|saya|dikatakan|"
        "ada|di) ){0,4}(atas|sebelumnya|tadi)",
        "you": "((sekarang )?kamu( adalah)?|(sekarang )?anda( adalah)?|bertindaklah sebagai|"
        "berpura-puralah menjadi)( sekarang)?( adalah)? ",
        "lax": "tanpa (batasan|sensor|filter|batas)|jahat|tidak bermoral",
        "ai": "ai|chatbot|asisten|model|jawab(lah)?",
        "without": "tanpa|bebas dari|tidak (punya|memiliki)",
        "limits": "(batasan|aturan|filter|pertimbangan|pedoman|prinsip) (etika|etis|moral|keamanan|konten)|sensor",
        "mode": "mode (pengembang|developer|jailbreak|admin|dewa|debug)",
        "on": "aktif|diaktifkan|dinyalakan|terbuka",
        "show": "tampilkan|tunjukkan|ungkapkan|berikan|ulangi|cetak|tulis(kan)?|katakan|beritahu|"
        "bagikan|terjemahkan|apa( (saja|isi))?|salin|bocorkan",
        "prompt": "prompt (sistem|awal|rahasia)|(instruksi|perintah|pesan|aturan|petunjuk) (sistem|"
        "rahasia|tersembunyi|internal|awal)(mu| anda| kamu)?",
    },
    "Vietnamese": {
        "ignore": "bỏ qua|phớt lờ|quên( đi)?|lờ đi|không (tuân theo|làm theo)|hủy bỏ|đừng (tuân theo|làm theo)",
        "fill": "((tất cả|mọi|các|những|hết|của|bạn|này|đó|và|hoặc|được|đã) )*",
        "earlier": "trước( (đó|đây))?|bên trên|ở trên|phía trên|ban đầu|đã cho|gốc",
        "orders": "(hướng|chỉ) dẫn|chỉ thị|lệnh|mệnh lệnh|quy tắc|quy định|yêu cầu|lời nhắc",
        "everything": "(tất cả|mọi thứ|những gì) ((những|gì|đã|bạn|tôi|được|nói|ở) ){0,5}(trên|trước đó|trước đây)",
        "you": "((bây giờ |từ giờ )?bạn (là|sẽ là|đang ở)|hãy đóng vai|hãy hành động như)( (bây giờ|từ giờ))? ",
        "lax": "không (bị )?(giới hạn|kiểm duyệt|hạn chế)|vô đạo đức|độc ác",
        "ai": "ai|chatbot|trợ lý|mô hình|trả lời",
        "without": "không (có|bị)|bỏ qua|mà không",
        "limits": "(bất kỳ )?(giới hạn|hạn chế|quy tắc|rào cản|nguyên tắc) (đạo đức|an toàn|nội dung)|kiểm duyệt",
        "mode": "chế độ (nhà phát triển|lập trình viên|jailbreak|quản trị|gỡ lỗi)",
        "on": "đã (được )?(bật|kích hoạt)|đang bật",
        "show": "hiển thị|cho (tôi )?(xem|biết)|tiết lộ|lặp lại|in( ra)?|viết|nói|chia sẻ|dịch|sao chép|liệt kê|đưa ra",
        "prompt": "(lời nhắc|prompt|hướng dẫn|chỉ dẫn|chỉ thị|thông điệp) (của )?hệ thống|(hướng "
        "dẫn|chỉ dẫn|chỉ thị|quy tắc) (ẩn|bí mật|nội bộ|ban đầu)",
    },
    "Hindi": {
        "ignore": "(को )?(अनदेखा|नज़रअंदाज़|नजरअंदाज|इग्नोर|रद्द) (करो|करें|कर दो|कर दें|कीजिए|"
        "करके)|(को )?भूल (जाओ|जाएं|जाइए|जा)|(का )?पालन (मत|न) कर(ो|ें)",
        "fill": "((सभी|सारे|सब|हर|मेरे|आपके|दिए|गए|ये|इन) )*",
        "earlier": "पिछले|पिछली|पहले( के| की)?|पूर्व|ऊपर( के| दिए गए)?|उपरोक्त|मूल|शुरुआती",
        "orders": "निर्देश(ों)?|आदेश(ों)?|हिदायत(ें|ों)?|नियम(ों)?|कमांड|प्रॉम्प्ट|संदेश(ों)?|इंस्ट्रक्शन(्स)?",
        "everything": "(ऊपर|पहले) ((जो|कुछ|भी|कहा|गया|बताया|लिखा|है|की) ){0,6}(सब|सब कुछ|बातें|बातों)( को)?",
        "you": "(अब )(आप|तुम) (एक )?",
        "lax": "(बिना किसी )?(प्रतिबंध|सीमा|सेंसर)|असीमित|अनैतिक",
        "ai": "एआई|ai|सहायक|चैटबॉट|मॉडल|जवाब (दो|दें)",
        "without": "के बिना|से मुक्त|नहीं",
        "limits": "(नैतिक|सुरक्षा) (प्रतिबंध(ों)?|नियम(ों)?|सीमा(ओं)?|फ़िल्टर)|सेंसरशिप",
        "mode": "(डेवलपर|जेलब्रेक|एडमिन|डिबग) मोड",
        "on": "चालू|सक्रिय|ऑन",
        "show": "दिखा(ओ|एं|इए)|बता(ओ|एं|इए)|दोहरा(ओ|एं|इए)|लिख(ो|ें|िए)|प्रकट कर(ो|ें)|प्रिंट कर(ो|ें)|साझा कर(ो|ें)|क्या (है|हैं)|दो|दें",
        "prompt": "सिस्टम (प्रॉम्प्ट|निर्देश(ों)?|संदेश|इंस्ट्रक्शन)|(छिपे|छुपे|गुप्त|आंतरिक|मूल) (हुए )?(निर्देश(ों)?|नियम(ों)?|आदेश(ों)?)",
    },
    "Korean": {
        "ignore": "무시(하고|해|하세요|하십시오|하라|해줘|해 주세요)?|잊어(버려|라|주세요|버리고)?|"
        "잊고|따르지 (마|말고|마세요|마라)|폐기(하고|해)",
        "fill": "((모든|전부|모두|내가|너의|당신의|받은|그|이|다) )*",
        "earlier": "이전(의|에)?( 받은)?|앞(의|서)?|위(의|에)?|기존(의)?|지금까지(의)?|원래(의)?|앞선|초기|과거(의)?",
        "orders": "지시( )?(사항|문)?(을|를|들을|은)?|명령(어)?(을|를|들을)?|지침(을|들을)?|규칙(을|"
        "들을)?|프롬프트(를)?|설정(을)?",
        "everything": "(위|앞|지금까지)(의|에)?( (말한|나온|있는|들은))? (모든 )?(것|내용|말)(을|들을)?( 모두| 전부)?",
        "you": "((이제|지금)(부터)? )(너는|당신은|넌)? ?",
        "lax": "제한( )?(이)? ?없는|검열( )?(이)? ?없는|무제한|비윤리적인",
        "ai": "ai|인공지능|챗봇|어시스턴트|모델|답(해|변)",
        "without": "없이|없는|벗어난|무시",
        "limits": "(윤리적|도덕적|윤리|도덕|안전)( )?(인)? ?(제한|제약|규칙|지침|기준|필터)(이|을|은)?|검열",
        "mode": "(개발자|탈옥|관리자|디버그|제일브레이크) ?모드(가|로|를)?",
        "on": "활성화|켜(졌|짐|져)|작동",
        "show": "보여( )?(줘|주세요|라|달라)|알려( )?(줘|주세요|달라)|출력(해|하세요|하라)|공개(해|"
        "하세요)|반복(해|하세요)|말해( )?(줘)?|"
        "적어( )?(줘)?|써( )?줘|번역|뭐(야|니|예요)"
        "|무엇(인가요|이야|입니까)|복사|요약",
        "prompt": "시스템 ?(프롬프트|메시지|지시|명령|지침)(문|사항)?(를|을|의|가|은|는)?|(숨겨진|"
        "비밀|내부|초기|원래) ?(지시|지침|명령|"
        "규칙|프롬프트)(사항|문)?(를|을|의|가|은|는)?",
    },
}

_CHINESE = {
    "ignore": "忽略|無視|无视|忽視|忽视|忘记|忘記|忘掉|不要理会|不要理會|不要遵守|不要遵循|抛弃|"
    "拋棄|撇开|取消|不用管|不理会|别管|別管",
    "all": "(你|您|我|的|在|掉|所有|全部|一切|任何|上述|给|給|所|和|这些|這些|系统|系統|了){0,6}",
    "earlier": "之前|以前|先前|此前|前面|以上|上面|上述|前述|原来|原來|原有|原本|初始|最初|既定|"
    "系统|系統|前文|上文|所有|全部|一切",
    "orders": "指令|指示|命令|规则|規則|提示|提示词|提示詞|要求|设定|設定|限制|约束|約束|内容|"
    "內容|对话|對話|消息|訊息|说明|說明|指导|指引|准则|準則",
    "you": "你现在是|你現在是|从现在开始你|從現在開始你|从现在起|從現在起|你将扮演|你將扮演|"
    "请扮演|請扮演|假装你|假裝你|想象你|想像你",
    "lax": "没有(任何)?(限制|约束|道德|审查|过滤|规则)|沒有(任何)?(限制|約束|道德|審查|過濾|規則)|不受(任何)?(限制|"
    "约束|約束|道德|审查|審查)|无限制|無限制|无审查|無審查|越狱|越獄",
    "mode": "(开发者|開發者|开发人员|越狱|越獄|管理员|管理員|上帝|调试|調試|无限制|無限制)模式",
    "on": "(已|被)?(启用|啟用|开启|開啟|激活|解锁|解鎖|打开|打開)",
    "show": "显示|顯示|告诉|告訴|输出|輸出|打印|列印|透露|泄露|洩露|展示|重复|重複|复述|複述|"
    "说出|說出|给我|給我|写出|寫出|翻译|翻譯|公开|公開|列出|"
    "发给|总结|總結|是什么|是什麼|有哪些|原样",
    "prompt": "(系统|系統)(提示|提示词|提示詞|指令|消息|訊息|设定|設定|信息|prompt)|(初始|隐藏|"
    "隱藏|内部|內部|秘密|原始|最初)(的)?(提示|提示词|提示詞|指令|规则|規則|设定|設定)",
}

_JAPANESE = {
    "ignore": "無視し|無視せよ|無視する|無視。|忘れて|忘れろ|忘れなさい|破棄し|従わない|従うな|取り消し|無効に",
    "earlier": "以前|これまで|今まで|前|上記|先ほど|先程|従来|元|最初|既存|過去|すべて|全て|あらゆる",
    "orders": "指示(を|は|に|も|や|と|、|・|内容|事項|すべて|全て|全部|など|等|文|から|だけ)|命令|指令|ルール"
    "|規則|プロンプト|制約|制限|ガイドライン|設定|会話|内容",
    "you": "あなたは今|あなたは今から|今からあなたは|これからあなたは|君は今から|お前は今|として振る舞|"
    "になりきって|のふりをして",
    "lax": "(制限|制約|検閲|倫理|フィルター|ルール|規則)(の|が|を)?(ない|なし|無視|持たない|一切ない)"
    "|無制限|無検閲|脱獄",
    "mode": "(開発者|デベロッパー|ジェイルブレイク|脱獄|管理者|デバッグ|ゴッド)モード",
    "on": "(が|を|に)?(有効|オン|起動|解除|切り替え|有効化)",
    "show": "見せて|教えて|表示|出力|繰り返し|開示|公開|書いて|書き出|述べて|印刷|翻訳|コピー|"
    "要約|何です|何だ|明かし|ください",
    "prompt": "システム(プロンプト|メッセージ|指示|命令|設定)|(隠された|秘密の|内部の|内部|初期の|"
    "初期|最初の|元の|非公開の)(指示|命令|プロンプト|ルール|設定)",
}

_APART = {
    "chinese_front": "(你|您)(所)?收到的(第一条|第一條|最初的|最开始的|最開始的|开头的|開頭的|初始)(信息|訊息"
    "|消息|指令|内容|內容|提示|文字)"
    "|(对话|對話|聊天|会话|會話)(开始|開始)(之)?前(的|收到的|给你的|給你的)*(内容|內容|文字|信息|訊息|指令"
    "|提示)|(这条|這條|此)(消息|信息|訊息)(上面|之前|以上|以前)的(所有|全部|一切)?(内容|內容|文字|文本)",
    "japanese_front": "(会話|チャット|対話)の(最初|冒頭|開始前|始まる前|前)に(与えられ|書かれ|渡され|受け取っ"
    "|設定され)た"
    "(文章|文|指示|テキスト|内容|メッセージ|命令)|この(メッセージ|文章|文)(より|の)(上|前)(の|にある)(内容|文章"
    "|テキスト|すべて)",
    "korean_front": "(대화|채팅)(가|이)?[ ]?(시작)?(하기|되기)?[ ]?(전|처음)에[ ]?(받은|주어진|입력된|설정된)["
    " ](내용|지시|메시지"
    "|텍스트|문장|명령)|(이|본)[ ](메시지|메세지|글)(보다)?[ ]?(위|앞|이전)(에|의)?[ ](있는[ ])?(모든[ ])?(내용"
    "|텍스트|글)",
    "japanese_lax": "(倫理|法律|道徳|モラル)((や|と|も|、|・)(倫理|法律|道徳|規則|ルール|安全))?(は|を|も|など"
    "|に)?(気にしない|気にせず"
    "|考えず|無視し|関係なく|考慮しない|縛られない)|何でも(答え|回答す|教え)る(AI|人工知能|アシスタント|モデル)",
    "korean_lax": "(규칙|제한|제약|윤리|검열|한계|도덕)(이|가|도|은)?[ ]?((전혀|아무)[ ])?(없는|없이 답하는"
    "|적용되지 않는)[ ](ai|인공지능"
    "|챗봇|모델|어시스턴트|비서)",
    "chinese_lax": "(你|您)(现在|現在|从此|從此|已经|已經)?(不再是|并不是|並不是)(一个|一個)?(客服|助手|助理"
    "|人工智能|AI|语言模型|語言模型)",
}
"""What stands for itself, without a verb before or behind it."""

_TIGHT = {
    "attack.override": (
        *phrases(80, _CHINESE, "(<ignore!>)<all>(<earlier>)<all>(<orders>)", left=ANY, right=ANY),
        *phrases(
            70, _CHINESE, "(把|将|將)<all>(<earlier>)<all>(<orders>)(都|全部|全)?(<ignore!>)", left=ANY, right=ANY
        ),
        *phrases(
            60,
            _CHINESE,
            "(<ignore!>)(你|您)(的)?(所有|全部|一切)?(的)?(规则|規則|指令|准则|準則|限制|约束|約束|设定|設定)",
            left=ANY,
            right=ANY,
        ),
        *phrases(80, _JAPANESE, "(<earlier>)~(<orders>)~(<ignore!>)", left=ANY, right=ANY),
        *phrases(
            60,
            _JAPANESE,
            "あなたの(ルール|規則|指示|制約|制限|ガイドライン|設定)を?(すべて|全て)?(<ignore!>)",
            left=ANY,
            right=ANY,
        ),
    ),
    "attack.role": (
        *phrases(60, _CHINESE, "(<you>)~(<lax!>)", left=ANY, right=ANY),
        *phrases(60, _APART, "<chinese_lax!>", "<japanese_lax!>", "<korean_lax!>", left=ANY, right=ANY),
        *phrases(
            60, _JAPANESE, "(<you>)~(<lax!>)", "(<lax!>)~(AI|アシスタント|人工知能|モデル)~(<you>)", left=ANY, right=ANY
        ),
    ),
    "attack.developer_mode": (
        *phrases(
            60,
            _CHINESE,
            "(<on>)(了)?(<mode!>)",
            "(<mode!>)(<on>)",
            "(进入|進入|切换到|切換到)(<mode!>)",
            left=ANY,
            right=ANY,
        ),
        *phrases(60, _JAPANESE, "(<mode!>)(<on>)", left=ANY, right=ANY),
    ),
    "attack.extraction": (
        *phrases(70, _CHINESE, "(<show>)~(<prompt!>)", "(你的|您的|收到的)(<prompt!>)", left=ANY, right=ANY),
        *phrases(70, _JAPANESE, "(<prompt!>)~(<show>)", left=ANY, right=ANY),
        *phrases(60, _APART, "<chinese_front!>", "<japanese_front!>", "<korean_front!>", left=ANY, right=ANY),
    ),
}

PHRASES: Mapping[str, tuple[Phrase, ...]] = {
    kind: (*sentences(_SPACED, kind, frozenset({"Hindi", "Korean"})), *tight) for kind, tight in _TIGHT.items()
}
