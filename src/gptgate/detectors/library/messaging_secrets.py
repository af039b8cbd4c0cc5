"""Keys of mail, chat, telephony and social networks, and the addresses of their hooks."""

from gptgate.detectors.forms import NOT_BASE64, UUID, detector, token
from gptgate.detectors.randomness import is_random

DETECTOR = detector(
    "messaging_secrets",
    2,
    (
        token("twilio", "A Twilio API key.", "SK[a-f0-9]{32}"),
        token("telegram", "A Telegram bot token.", "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", trigger=":AA[A-Za-z0-9_-]{8}"),
        token(
            "discord_bot",
            "A Discord bot token.",
            r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
            accept=is_random,
        ),
        token(
            "discord_webhook",
            "The address of a Discord webhook.",
            r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,72}",
        ),
        token(
            "mailgun", "A Mailgun key.", "key-[a-f0-9]{32}", "[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}", accept=is_random
        ),
        token("mailchimp", "A Mailchimp API key.", "[a-f0-9]{32}-us[0-9]{1,2}", trigger="[a-f0-9]{8}-us[0-9]"),
        token("mandrill", "A Mandrill API key.", "md-[A-Za-z0-9_-]{22}", accept=is_random),
        token("brevo", "A Brevo key.", "x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
        token("resend", "A Resend API key.", "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}"),
        token(
            "teams_webhook",
            "The address of a Microsoft Teams webhook.",
            rf"webhook\.office\.com/webhookb2/{UUID}@{UUID}/IncomingWebhook/[a-f0-9]{{32}}/{UUID}",
        ),
        token(
            "facebook",
            "A Facebook access token.",
            "EAA[A-Z][A-Za-z0-9]{100,300}",
            r"[0-9]{15,16}(?:\||%7C)[A-Za-z0-9_-]{27,40}",
            trigger=r"EAA[A-Z][A-Za-z0-9]{16}|[0-9]{15}(?:\||%7C)",
        ),
        token("instagram", "An Instagram access token.", "IG(?:QV|AA)[A-Za-z0-9_-]{100,300}"),
        token("twitter", "A bearer token of X (Twitter).", "AAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{60,120}"),
        token(
            "linkedin", "A LinkedIn client secret.", r"WPL_AP[0-9]\.[A-Za-z0-9]{16}\.[A-Za-z0-9+/]{6}==", end=NOT_BASE64
        ),
        token("onesignal", "A OneSignal API key.", "os_v2_(?:app|org)_[a-z2-7]{100,110}"),
        token("intercom", "An Intercom access token.", "dG9rO[A-Za-z0-9+/]{40,60}={0,2}", end=NOT_BASE64),
        token(
            "zapier_webhook",
            "The address of a Zapier hook.",
            r"hooks\.zapier\.com/hooks/catch/[0-9]{4,10}/[a-z0-9]{6,10}",
            accept=bool,
        ),
        token(
            "google_chat_webhook",
            "The address of a Google Chat webhook.",
            r"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]{6,20}/messages\?key=[A-Za-z0-9_-]{39}&token=[A-Za-z0-9_%-]{30,64}",
        ),
        token("nylas", "A Nylas API key.", "nyk_v0_[A-Za-z0-9]{64}"),
        token(
            "feishu_webhook",
            "The address of a Feishu or Lark bot.",
            rf"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/{UUID}",
        ),
        token(
            "dingtalk_webhook",
            "The address of a DingTalk robot.",
            r"oapi\.dingtalk\.com/robot/send\?access_token=[a-f0-9]{64}",
        ),
        token(
            "wecom_webhook",
            "The address of a WeCom robot.",
            rf"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key={UUID}",
        ),
        token("twitch", "A Twitch chat token.", "oauth:[a-z0-9]{30}"),
        token("klaviyo", "A Klaviyo private key.", "pk_[a-f0-9]{34}"),
        token("courier", "A Courier API key.", "(?:pk|dk)_(?:prod|test)_[A-Z0-9]{28}"),
        token("mailersend", "A MailerSend token.", r"mlsn\.[a-f0-9]{64}"),
        token("svix", "A Svix API key.", "(?:sk|testsk)_[A-Za-z0-9]{27,32}\\.(?:eu|us|ca|in|au)", accept=is_random),
        token("pubnub", "A PubNub secret key.", "sec-c-[A-Za-z0-9+/=]{48,56}", accept=is_random),
        token("viber", "A Viber bot token.", "[a-f0-9]{16}-[a-f0-9]{16}-[a-f0-9]{16}"),
    ),
)
