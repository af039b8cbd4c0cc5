"""Keys whose form much else has too: the provider's name must stand before them."""

from gptgate.detectors.forms import UUID, detector, named
from gptgate.detectors.randomness import is_likely, is_varied

_HEX32 = "[a-f0-9]{32}"
_HEX40 = "[a-f0-9]{40}"
_HEX64 = "[a-f0-9]{64}"
_BESIDE = r"[ \t\r\n,;:|/=&+\"'`()>-]{1,12}(?:[A-Za-z_]{1,12}[ \t\r\n,;:|/=&+\"'`()>-]{1,6}){0,4}"
"""Between the two halves of a pair: signs, a line's end, a few words."""


def is_beside(value: bytes) -> bool:
    """Whether this can be the key beside an id, rather than the hash of a commit."""
    return is_likely(value) and not value.islower() and not value.isupper()


DETECTOR = detector(
    "named_secrets",
    4,
    (
        named(
            "aws_secret_key",
            "An AWS secret access key.",
            "(?:aws_?(?:secret|session|bedrock)|secret_?access_?key)",
            "[A-Za-z0-9+/]{40}",
        ),
        named(
            "aws_secret_key",
            "An AWS secret access key.",
            "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
            "[A-Za-z0-9+/]{40}",
            gives=_BESIDE,
            accept=is_beside,
        ),
        named(
            "aws_session_token",
            "An AWS session token.",
            "(?:aws_?session|(?:aws_?|amz-)security|session_?token)",
            "[A-Za-z0-9+/=]{100,1000}",
            # Of a long match the sign has to be short (`detectors.stretches`).
            trigger="(?:aws_?session|(?:aws_?|amz-)security|session_?token)",
        ),
        named("datadog", "A Datadog API or application key.", "(?:datadog|dd_)", _HEX40, _HEX32),
        named("heroku_legacy", "A Heroku API key of the older form.", "heroku", UUID),
        named("snyk_legacy", "A Snyk token of the older form.", "snyk", UUID),
        named("hubspot_legacy", "A HubSpot key of the older form.", "hubspot", UUID),
        named("messagebird", "A MessageBird key or client id.", "message_?bird", UUID, "[a-z0-9]{25}"),
        named("sonar_legacy", "A SonarQube token of the older form.", "sonar", "(?:sq[pua]_)?[A-Za-z0-9]{40}"),
        named("okta_token", "An Okta API token.", "okta", "00[A-Za-z0-9_-]{39,40}"),
        named(
            "atlassian_legacy",
            "An Atlassian token of the older form.",
            "(?:jira|confluence|atlassian)",
            "[A-Za-z0-9]{24}",
        ),
        named("facebook_app", "A Facebook app secret.", "(?:facebook|meta_app)", _HEX32),
        named(
            "sumologic",
            "A Sumo Logic access id or key.",
            "sumo",
            "su[A-Za-z0-9]{12}",
            "[A-Za-z0-9]{64}",
            accept=is_likely,
        ),
        named("twilio_auth", "A Twilio auth token.", "twilio", _HEX32),
        named("cloudflare", "A Cloudflare API token or key.", "cloudflare", "[a-f0-9]{37}", "[A-Za-z0-9_-]{40}"),
        named("algolia", "An Algolia API key.", "algolia", _HEX32),
        named("cohere", "A Cohere API key.", "(?:cohere|co_api)", "[A-Za-z0-9]{40}"),
        named("mistral", "A Mistral API key.", "mistral", "[A-Za-z0-9]{32}"),
        named("together_legacy", "A Together AI key of the older form.", "together", _HEX64),
        named("deepgram", "A Deepgram API key.", "deepgram", _HEX40),
        named("assemblyai", "An AssemblyAI API key.", "assembly_?ai", _HEX32),
        named("deepl", "A DeepL API key.", "deepl", f"{UUID}(?::fx)?"),
        named("pagerduty", "A PagerDuty API key.", "pager_?duty", "[A-Za-z0-9_+-]{20}"),
        named("opsgenie", "An Opsgenie API key.", "opsgenie", UUID),
        named("fastly", "A Fastly API token.", "fastly", "[A-Za-z0-9_-]{32}"),
        named("linode", "A Linode token.", "linode", _HEX64),
        named("vultr", "A Vultr API key.", "vultr", "[A-Z0-9]{36}"),
        named("hetzner", "A Hetzner token.", "(?:hetzner|hcloud)", "[A-Za-z0-9]{64}"),
        named("ibm_cloud", "An IBM Cloud API key.", "ibm", "[A-Za-z0-9_-]{44}"),
        named("railway", "A Railway token.", "railway", UUID),
        named("travis", "A Travis CI token.", "travis", "[A-Za-z0-9]{20,22}"),
        named("codecov", "A Codecov upload token.", "codecov", UUID, _HEX32),
        named("rollbar", "A Rollbar access token.", "rollbar", _HEX32),
        named("splunk", "A Splunk HEC token.", "splunk", UUID),
        named("postmark", "A Postmark server token.", "postmark", UUID),
        named("asana", "An Asana token or secret.", "asana", "[0-9]/[0-9/]{15,36}:[a-f0-9]{32}", _HEX32),
        named("discord_secret", "A Discord client secret.", "discord", "[A-Za-z0-9_-]{32}"),
        named("twitter_secret", "An API secret of X (Twitter).", "twitter", "[A-Za-z0-9]{50}", "[A-Za-z0-9]{45}"),
        named("coinbase", "A Coinbase access token.", "coinbase", "[A-Za-z0-9_-]{64}"),
        named("binance", "A Binance API key or secret.", "binance", "[A-Za-z0-9]{64}"),
        named("kraken", "A Kraken API secret.", "kraken", "[A-Za-z0-9+/]{80,86}={0,2}"),
        named("kucoin", "A KuCoin key or secret.", "kucoin", UUID, "[a-f0-9]{24}"),
        named("shodan", "A Shodan API key.", "shodan", "[A-Za-z0-9]{32}"),
        named("virustotal", "A VirusTotal API key.", "(?:virustotal|vt_)", _HEX64),
        named("openweather", "An OpenWeather API key.", "open_?weather", _HEX32),
        named("spotify", "A Spotify client secret.", "spotify", _HEX32),
        named("trello", "A Trello key or token.", "trello", _HEX64, _HEX32),
        named("gitea", "A Gitea or Forgejo token.", "(?:gitea|forgejo)", _HEX40),
        named("azure_openai", "An Azure cognitive service key.", "azure", _HEX32, "[A-Za-z0-9]{84}"),
        named("etsy", "An Etsy API key.", "etsy", "[a-z0-9]{24}"),
        named("meraki", "A Cisco Meraki API key.", "meraki", _HEX40),
        named("sourcegraph_legacy", "A Sourcegraph token of the older form.", "sourcegraph", _HEX40),
        named("jfrog_legacy", "A JFrog or Artifactory key.", "(?:jfrog|artifactory|bintray)", "[A-Za-z0-9]{64,73}"),
        named(
            "sidekiq",
            "Credentials of the Sidekiq gem server.",
            "bundle_(?:enterprise|gems)__contribsys",
            "[a-f0-9]{8}:[a-f0-9]{8}",
            accept=is_varied,
        ),
        named("wandb_legacy", "A Weights & Biases key of the older form.", "(?:wandb|wb_api)", _HEX40),
    ),
)
