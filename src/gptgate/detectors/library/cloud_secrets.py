"""Keys of clouds, hosting, infrastructure, databases as a service and stores of secrets."""

from gptgate.detectors.forms import NOT_BASE64, UUID, detector, token
from gptgate.detectors.randomness import is_random

_AZURE_KEY = "A key of Azure storage, Cosmos DB, functions, search, registries or event hubs."
_AZURE = "[A-Za-z0-9_~.-]"

DETECTOR = detector(
    "cloud_secrets",
    2,
    (
        token(
            "aws_bedrock",
            "An Amazon Bedrock API key.",
            "ABSK[A-Za-z0-9+/]{109,269}={0,2}",
            "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=%]*",
            end=NOT_BASE64,
            most=2048,
        ),
        token("aws_mws", "An Amazon MWS token.", rf"amzn\.mws\.{UUID}"),
        token(
            "azure_client_secret",
            "A client secret of Microsoft Entra ID.",
            f"{_AZURE}{{3}}[0-9]Q~{_AZURE}{{31,34}}",
            end="[^A-Za-z0-9_~-]",
            trigger="[0-9]Q~",
        ),
        token(
            "azure_key",
            _AZURE_KEY,
            r"[A-Za-z0-9+/]{76}(?:\+ASt|ACDb)[A-Za-z0-9+/]{6}==",
            "[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==",
            "[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}",
            r"[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}",
            r"[A-Za-z0-9+/]{33}(?:\+AEh|\+ASb|AIoT)[A-Za-z0-9+/]{5,6}=",
            trigger=r"\+ASt|ACDb|AzFu|AzSe|\+ACR|\+AEh|\+ASb|AIoT",
            end=NOT_BASE64,
        ),
        token("azure_key", _AZURE_KEY, "SharedAccessKey=[A-Za-z0-9+/]{43}=", end=NOT_BASE64),
        token(
            "azure_signature",
            "The signature in a signed address of Azure (SAS, Logic Apps).",
            "sig=[A-Za-z0-9%+/_-]{43,80}={0,1}",
            end="[^A-Za-z0-9%+/=_-]",
            accept=is_random,
        ),
        token("google_hmac", "An HMAC access id of Google Cloud Storage.", "GOOG1E[A-Z0-9]{55}", accept=is_random),
        token("firebase", "A legacy server key of Firebase messaging.", "AAAA[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{140}"),
        token("azure_devops", "An Azure DevOps token.", "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}", trigger="AZDO"),
        token("google_oauth_secret", "A Google OAuth client secret.", "GOCSPX-[A-Za-z0-9_-]{28}"),
        token(
            "google_oauth_token", "A Google OAuth token.", r"ya29\.[A-Za-z0-9_-]{30,512}", "1//0[A-Za-z0-9_-]{40,110}"
        ),
        token("digitalocean", "A DigitalOcean token.", "do[opr]_v1_[a-f0-9]{64}"),
        token("alibaba_cloud", "An Alibaba Cloud access key id.", "LTAI[A-Za-z0-9]{12,20}"),
        token("tencent_cloud", "A Tencent Cloud secret id.", "AKID[A-Za-z0-9]{32}"),
        token("cloudflare_origin_ca", "A Cloudflare origin CA key.", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}"),
        token(
            "flyio",
            "A Fly.io token.",
            "fo1_[A-Za-z0-9_-]{43}",
            "fm[12][ar]?_[A-Za-z0-9+/]{100}[A-Za-z0-9+/]*={0,3}",
            end=NOT_BASE64,
            most=2048,
        ),
        token("heroku", "A Heroku API key.", "HRKU-AA[A-Za-z0-9_-]{58}"),
        token("vercel", "A Vercel token.", "vc[piark]_[A-Za-z0-9]{24,60}"),
        token("netlify", "A Netlify token.", "nf[pcuobd]_[A-Za-z0-9_-]{36,40}"),
        token("render", "A Render API key.", "rnd_[A-Za-z0-9]{28,40}"),
        token("supabase", "A Supabase token or secret key.", "sbp_[a-f0-9]{40}", "sb_secret_[A-Za-z0-9_-]{31,44}"),
        token("planetscale", "A PlanetScale credential.", "pscale_(?:tkn|pw|oauth|api)_[A-Za-z0-9_=.-]{32,64}"),
        token("databricks", "A Databricks token.", "dapi[a-f0-9]{32}(?:-[0-9]{1,2})?"),
        token(
            "doppler", "A Doppler token.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"
        ),
        token("pulumi", "A Pulumi token.", "pul-[a-f0-9]{40}"),
        token(
            "terraform",
            "An HCP Terraform token.",
            r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}",
            trigger=r"\.atlasv1\.",
        ),
        token("vault", "A HashiCorp Vault token.", r"hv[sbr]\.[A-Za-z0-9_-]{24,300}"),
        token("vault", "A HashiCorp Vault token.", r"s\.[A-Za-z0-9]{24}", accept=is_random),
        token("scalingo", "A Scalingo token.", "tk-us-[A-Za-z0-9_-]{48}"),
        token("scaleway", "A Scaleway access key.", "SCW[A-Z0-9]{17}", accept=is_random),
        token(
            "yandex_cloud", "A Yandex Cloud key or token.", "AQVN[A-Za-z0-9_-]{35,38}", "y[0-3]_[A-Za-z0-9_-]{50,100}"
        ),
        token("openshift", "An OpenShift token.", "sha256~[A-Za-z0-9_-]{43}"),
        token("exoscale", "An Exoscale API key.", "EXO[a-f0-9]{24}"),
        token("upcloud", "An UpCloud token.", "ucat_[A-Z0-9]{26}"),
        token("aiven", "An Aiven service password.", "AVNS_[A-Za-z0-9_-]{19}"),
        token("neon", "A Neon API key.", "napi_[a-z0-9]{64}"),
        token("mongodb_atlas", "A MongoDB Atlas client secret.", "mdb_sa_sk_[A-Za-z0-9_-]{40}"),
        token("clickhouse", "A ClickHouse Cloud secret key.", "4b1d[A-Za-z0-9]{38}"),
        token("confluent", "A Confluent Cloud API secret.", "cflt[A-Za-z0-9+/]{60}", end=NOT_BASE64),
        token("akamai", "An Akamai client or access token.", "akab-[a-z0-9]{16}-[a-z0-9]{16}"),
        token(
            "tailscale",
            "A Tailscale key.",
            "tskey-(?:(?:api|auth|client|scim|webhook)-)?[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,40}",
        ),
        token(
            "onepassword_account",
            "A 1Password service account token.",
            "ops_eyJ[A-Za-z0-9+/]{250}[A-Za-z0-9+/]*={0,3}",
            end=NOT_BASE64,
            most=2048,
        ),
        token(
            "onepassword_key",
            "A 1Password secret key.",
            "A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
        ),
        token(
            "bitwarden",
            "A Bitwarden access token.",
            rf"0\.{UUID}\.[A-Za-z0-9]{{30}}:[A-Za-z0-9+/]{{22}}==",
            end=NOT_BASE64,
        ),
        token("age", "An age secret key.", "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
        token("infisical", "An Infisical service token.", r"st\.[a-f0-9]{24}\.[a-f0-9]{32}\.[a-f0-9]{32}"),
        token("cockroach", "A CockroachDB Cloud secret key.", "CCDB1_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}"),
        token("tigris", "A Tigris access key.", "tid_[A-Za-z0-9_]{40,60}", "tsec_[A-Za-z0-9_+/-]{60,72}"),
    ),
)
