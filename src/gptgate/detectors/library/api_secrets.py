"""API keys and tokens that can be known by their form: prefix, alphabet, length. One line each."""

from gptgate.detectors.forms import NOT_DASHED, NOT_WORD, POINTS, trigger_of
from gptgate.detectors.pattern import EDGE, Detector, Pattern
from gptgate.detectors.randomness import is_filled

_FORMS: tuple[tuple[str, str, str], ...] = (
    # kind, form, what may not follow
    ("secret.openai", "sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,240}", NOT_DASHED),
    ("secret.openai", "sk-[A-Za-z0-9]{32,64}", NOT_WORD),
    ("secret.anthropic", "sk-ant-[a-z]{2,12}[0-9]{2}-[A-Za-z0-9_-]{24,200}", NOT_DASHED),
    ("secret.aws_access_key", "(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}", "[^A-Za-z0-9]"),
    ("secret.github", "gh[pousr]_[A-Za-z0-9]{36,255}", NOT_WORD),
    ("secret.github", "github_pat_[A-Za-z0-9_]{36,255}", NOT_WORD),
    ("secret.gitlab", "gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_-]{20,128}", NOT_DASHED),
    ("secret.gitlab", "GR1348941[A-Za-z0-9_-]{20}", NOT_DASHED),
    ("secret.google_api_key", "AQ\\.Ab[A-Za-z0-9_-]{40,64}", NOT_DASHED),
    ("secret.google_api_key", "AIza[A-Za-z0-9_-]{35}", NOT_DASHED),
    ("secret.slack", "xox[abeoprs]-[A-Za-z0-9-]{18,250}", NOT_DASHED),
    ("secret.slack", "xapp-[0-9]-[A-Z0-9]{6,20}-[0-9]{8,20}-[a-f0-9]{32,80}", "[^A-Za-z0-9]"),
    ("secret.slack", "hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{24,120}", "[^A-Za-z0-9+/]"),
    ("secret.stripe", "[rs]k_(?:live|test|prod)_[A-Za-z0-9]{16,247}", NOT_WORD),
    ("secret.stripe", "whsec_[A-Za-z0-9+/=]{32,64}", NOT_WORD),
    ("secret.huggingface", "hf_[A-Za-z0-9]{34,40}", NOT_WORD),
    ("secret.huggingface", "api_org_[A-Za-z0-9]{34}", NOT_WORD),
    ("secret.sendgrid", "SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}", NOT_DASHED),
    ("secret.npm", "npm_[A-Za-z0-9]{36}", NOT_WORD),
    ("secret.gptgate_key", "sk-gate-[A-Za-z0-9]{6,32}-[A-Za-z0-9_]{20,64}(?:-[A-Za-z0-9]{4,12})?", NOT_WORD),
)

DETECTOR = Detector(
    name="api_secrets",
    version=3,
    kinds={
        "secret.openai": "An OpenAI API key, or another provider's key of the same form.",
        "secret.anthropic": "An Anthropic API key, admin key or OAuth token.",
        "secret.aws_access_key": "An AWS access key id.",
        "secret.github": "A GitHub personal, OAuth, user, server or refresh token.",
        "secret.gitlab": "A GitLab access, deploy, runner, trigger or application token.",
        "secret.google_api_key": "A Google API key.",
        "secret.slack": "A Slack token, app token or webhook address.",
        "secret.stripe": "A Stripe secret or restricted key, or a webhook signing secret.",
        "secret.huggingface": "A Hugging Face user or organisation token.",
        "secret.sendgrid": "A SendGrid API key.",
        "secret.npm": "An npm access token.",
        "secret.gptgate_key": "An API key of this gateway.",
    },
    patterns=tuple(
        Pattern(kind=kind, body=form, points=POINTS, left=EDGE, right=end, trigger=trigger_of(form), accept=is_filled)
        for kind, form, end in _FORMS
    ),
)
