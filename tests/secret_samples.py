"""Made-up secrets in the forms of their providers, put together at run time: no scanner takes them for real."""

HEX = "7d4e1f09b3a865c2"
MIXED = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5kL7nP9rS1uV3xY5zA7cD9eG1iJ3"
UUID = "-".join(("7d4e1f09", "b3a8", "45c2", "9f1e", "0b6d2c8a4e71"))


def hexes(size: int) -> str:
    return (HEX * 12)[:size]


def mixed(size: int) -> str:
    return (MIXED * 8)[:size]


def lower(size: int) -> str:
    return mixed(size).lower()


def upper(size: int) -> str:
    return mixed(size).upper()


TOKENS: dict[str, list[tuple[str, str]]] = {
    "ai_secrets": [
        ("groq", "gsk_" + mixed(52)),
        ("cursor", "crsr_" + hexes(64)),
        ("brave", "BSA" + mixed(28)),
        ("xai", "xai-" + mixed(80)),
        ("perplexity", "pplx-" + mixed(48)),
        ("replicate", "r8_" + mixed(37)),
        ("openrouter", "sk-or-v1-" + hexes(64)),
        ("fireworks", "fw_" + mixed(24)),
        ("langsmith", "lsv2_pt_" + hexes(32) + "_" + hexes(10)),
        ("langfuse", "sk-lf-" + UUID),
        ("nvidia", "nvapi-" + mixed(64)),
        ("cerebras", "csk-" + lower(48)),
        ("pinecone", "pcsk_" + mixed(6) + "_" + mixed(60)),
        ("tavily", "tvly-dev-" + mixed(32)),
        ("anyscale", "esecret_" + lower(26)),
        ("voyage", "pa-" + mixed(43)),
        ("jina", "jina_" + hexes(32) + mixed(28)),
        ("firecrawl", "fc-" + hexes(32)),
        ("elevenlabs", "sk_" + hexes(48)),
        ("runpod", "rpa_" + upper(40)),
        ("modal", "as-" + mixed(22)),
        ("e2b", "e2b_" + hexes(40)),
    ],
    "cloud_secrets": [
        ("aws_bedrock", "ABSK" + mixed(120) + "="),
        ("aws_mws", "amzn.mws." + UUID),
        ("azure_key", "SharedAccessKey=" + mixed(43) + "="),
        ("azure_signature", "sig=" + mixed(43) + "%3D"),
        ("google_hmac", "GOOG1E" + upper(55)),
        ("firebase", "AAAA" + mixed(7) + ":" + mixed(140)),
        ("azure_client_secret", mixed(3) + "8Q~" + mixed(34)),
        ("azure_key", mixed(76) + "+ASt" + mixed(6) + "=="),
        ("azure_devops", mixed(76) + "AZDO" + mixed(4)),
        ("google_oauth_secret", "GOCSPX-" + mixed(28)),
        ("google_oauth_token", "ya29." + mixed(120)),
        ("digitalocean", "dop_v1_" + hexes(64)),
        ("alibaba_cloud", "LTAI" + mixed(20)),
        ("flyio", "fo1_" + mixed(43)),
        ("heroku", "HRKU-AA" + mixed(58)),
        ("vercel", "vcp_" + mixed(56)),
        ("netlify", "nfp_" + mixed(36)),
        ("supabase", "sbp_" + hexes(40)),
        ("planetscale", "pscale_tkn_" + mixed(43)),
        ("databricks", "dapi" + hexes(32)),
        ("doppler", "dp.pt." + mixed(43)),
        ("pulumi", "pul-" + hexes(40)),
        ("terraform", mixed(14) + ".atlasv1." + mixed(67)),
        ("vault", "hvs." + mixed(90)),
        ("openshift", "sha256~" + mixed(43)),
        ("aiven", "AVNS_" + mixed(19)),
        ("clickhouse", "4b1d" + mixed(38)),
        ("tailscale", "tskey-auth-" + mixed(12) + "-" + mixed(32)),
        ("onepassword_key", "A3-" + upper(6) + "-" + upper(6) + "-" + "-".join([upper(5)] * 4)),
        ("age", "AGE-SECRET-KEY-1" + ("QPZRY9X8GF2TVDW0S3JN" * 3)[:58]),
    ],
    "code_secrets": [
        ("atlassian", "ATATT3xFfGF0" + mixed(180)),
        ("bitbucket", "ATBB" + mixed(32)),
        ("pypi", "pypi-AgEIcHlwaS5vcmc" + mixed(90)),
        ("rubygems", "rubygems_" + hexes(48)),
        ("nuget", "oy2" + lower(43)),
        ("docker_hub", "dckr_pat_" + mixed(27)),
        ("crates_io", "cio" + mixed(32)),
        ("jfrog", "AKCp" + mixed(69)),
        ("sonar", "squ_" + hexes(40)),
        ("circleci", "CCIPAT_" + mixed(22) + "_" + hexes(40)),
        ("sentry", "sntryu_" + hexes(64)),
        ("sourcegraph", "sgp_" + hexes(16) + "_" + hexes(40)),
        ("octopus_deploy", "API-" + upper(26)),
        ("postman", "PMAK-" + hexes(24) + "-" + hexes(34)),
        ("linear", "lin_api_" + mixed(40)),
        ("harness", "pat." + mixed(22) + "." + hexes(24) + "." + mixed(20)),
        ("launchdarkly", "sdk-" + UUID),
        ("infracost", "ico-" + mixed(32)),
        ("buildkite", "bkua_" + hexes(40)),
    ],
    "payment_secrets": [
        ("square", "sq0csp-" + mixed(43)),
        ("shopify", "shpat_" + hexes(32)),
        ("braintree", "access_token$production$" + lower(16) + "$" + hexes(32)),
        ("flutterwave", "FLWSECK_TEST-" + hexes(32) + "-X"),
        ("razorpay", "rzp_live_" + mixed(14)),
        ("alchemy", "g.alchemy.com/v2/" + mixed(32)),
        ("infura", "infura.io/v3/" + hexes(32)),
        ("wallet", "xprv" + mixed(107)),
        ("plaid", "access-sandbox-" + UUID),
        ("mollie", "live_" + mixed(30)),
        ("easypost", "EZAK" + mixed(54)),
        ("shippo", "shippo_live_" + hexes(40)),
        ("paddle", "pdl_live_apikey_" + lower(26) + "_" + mixed(22) + "_" + mixed(3)),
        ("mercado_pago", "APP_USR-1234509876123450-112510-" + hexes(32) + "-918273645"),
        ("xendit", "xnd_production_" + mixed(48)),
    ],
    "messaging_secrets": [
        ("pubnub", "sec-c-" + mixed(48)),
        ("twilio", "SK" + hexes(32)),
        ("telegram", "123498765" + ":AA" + mixed(33)),
        ("discord_bot", "M" + mixed(23) + "." + mixed(6) + "." + mixed(38)),
        ("discord_webhook", "discord.com/api/" + "webhooks/123498765123498765/" + mixed(68)),
        ("mailgun", "key-" + hexes(32)),
        ("mailchimp", hexes(32) + "-us18"),
        ("brevo", "xkeysib-" + hexes(64) + "-" + mixed(16)),
        ("resend", "re_" + mixed(8) + "_" + mixed(24)),
        ("facebook", "EAAM" + mixed(180)),
        ("zapier_webhook", "hooks.zapier.com/hooks/" + "catch/123456/" + lower(7)),
        ("wecom_webhook", "qyapi.weixin.qq.com/cgi-bin/webhook/" + "send?key=" + UUID),
        ("onesignal", "os_v2_app_" + "abc2def3ghi4jkl5mno6" * 5 + "pqr"),
    ],
    "business_secrets": [
        ("notion", "ntn_12345678901" + mixed(35)),
        ("airtable", "pat" + mixed(14) + "." + hexes(64)),
        ("figma", "figd_" + mixed(40)),
        ("hubspot", "pat-na1-" + UUID),
        ("salesforce", "00D" + mixed(12) + "!" + mixed(96)),
        ("dynatrace", "dt0c01." + upper(24) + "." + upper(64)),
        ("new_relic", "NRAK-" + upper(27)),
        ("grafana", "glsa_" + mixed(32) + "_" + hexes(8)),
        ("posthog", "phx_" + mixed(43)),
        ("mapbox", "sk.eyJ1Ijoi" + mixed(60) + "." + mixed(22)),
        ("maxmind", mixed(6) + "_" + mixed(29) + "_mmk"),
        ("rapidapi", hexes(10) + "msh" + hexes(15) + "p1" + hexes(6) + "jsn" + hexes(12)),
        ("axiom", "xaat-" + UUID),
        ("apify", "apify_api_" + mixed(36)),
    ],
}
"""Detector → kind (after ``secret.``) and secret."""

NAMED: list[tuple[str, str, str]] = [
    ("aws_secret_key", 'aws_secret_access_key = "', mixed(40)),
    ("aws_secret_key", '"SecretAccessKey": "', mixed(40)),
    *(
        ("aws_secret_key", "AKIA" + "Y34FZKBOKMUTVV7A" + sign, mixed(40))
        for sign in (" ", " / ", "/", ",", ":", "; ", "\n", "|", "\t", '","', " and secret: ", "\nsecret key ")
    ),
    ("datadog", "DD_APP_KEY=", hexes(40)),
    ("datadog", 'datadog_api_key: "', hexes(32)),
    ("heroku_legacy", 'const HEROKU_KEY = "', UUID),
    ("snyk_legacy", "SNYK_TOKEN ::= ", UUID),
    ("okta_token", '"oktaApiToken": "', "00" + mixed(40)),
    ("twilio_auth", "TWILIO_AUTH_TOKEN=", hexes(32)),
    ("cloudflare", "cloudflare_token => '", mixed(40)),
    ("cohere", "CO_API_KEY=", mixed(40)),
    ("mistral", "MISTRAL_API_KEY=", mixed(32)),
    ("sumologic", 'sumologic.accessId = "', "su" + mixed(12)),
    ("hetzner", "HCLOUD_TOKEN: ", mixed(64)),
    ("rollbar", "rollbar.token is ", hexes(32)),
    ("virustotal", "VT_API_KEY=", hexes(64)),
]
"""Kind, what stands before the secret, secret."""
