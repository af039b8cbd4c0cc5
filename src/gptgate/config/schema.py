"""Every setting of `gptgate.yaml`, once: name, type, default, meaning. The reader, the reference and the docs test
all derive from these tables."""

from gptgate.config.schema_audit import AUDIT
from gptgate.config.schema_classifiers import CLASSIFIER
from gptgate.config.schema_limits import BUDGET, BUDGETS, COUNTERS, GUARDS, LIMIT, LIMITS
from gptgate.config.schema_policy import LAYER, POLICY
from gptgate.config.shape import Either, Field, Group, Many
from gptgate.config.sinks import SINK
from gptgate.config.texts import CLASS_CONTENT, TEXTS
from gptgate.config.types import (
    ADDRESS,
    BOOL,
    MODEL_NAME,
    PATH,
    SECRET,
    SMALL_NAME,
    TOOL_NAME,
    URL,
    USD,
    count_type,
    duration_type,
    enum_type,
    size_type,
    text_type,
    word_type,
)
from gptgate.core.budgets import Outgrown
from gptgate.core.kept import CONTENTS
from gptgate.core.snapshot import ProviderKind
from gptgate.core.tokens import ENCODINGS

FREE = "free"
LOCATIONS = ("cloud", "local")

_WAIT = duration_type(1, 24 * 3_600_000)
_GRACE = duration_type(0, 3_600_000)
_BYTES = size_type(1024, 1 << 30)
_TOKENS = count_type(1, 100_000_000)

SERVER = Group(
    (
        Field("data", ADDRESS, "Where applications reach the data plane.", "127.0.0.1:8080"),
        Field("control", ADDRESS, "Where the control plane listens: health, metrics, admin.", "127.0.0.1:8081"),
        Field(
            "max_body_bytes",
            _BYTES,
            "The largest request body that is read; a larger one is refused. Of bodies that are not complete yet, one "
            "app may have 16 times as much in memory, all together 64 times.",
            "10MiB",
        ),
        Field("max_answer_bytes", _BYTES, "The largest answer of a provider that is read.", "32MiB"),
        Field("header_timeout", _WAIT, "How long a caller may take to send a request's head.", "10s"),
        Field("body_timeout", _WAIT, "How long a caller may take to send a request's body.", "30s"),
        Field("keep_alive", _WAIT, "How long an idle connection of a caller stays open.", "75s"),
        Field("sse_keep_alive", _WAIT, "How often a silent stream gets a comment, so that nobody gives it up.", "15s"),
        Field("drain", _GRACE, "How long a shutdown waits for the requests in flight.", "20s"),
        Field("store_timeout", _WAIT, "How long a request waits for its durable record before it is refused.", "5s"),
        Field(
            "budget_wait",
            _GRACE,
            "How long a request waits for what requests in flight hold of a budget, before it is refused for that.",
            "2m",
        ),
        Field(
            "budget_waiters",
            count_type(0, 10_000),
            "So many wait for it at a time, a quarter of them from one app; the others do not.",
            "64",
        ),
        Field(
            "outgrown",
            enum_type(Outgrown),
            "What becomes of a stream that outgrows its reservation: more is reserved where budgets pay, or it ends.",
            "extend",
        ),
        Field("risk_header", BOOL, "Whether callers are told the risk score, in `x-gptgate-risk`.", "false"),
    )
)

TIMEOUTS = Group(
    (
        Field("connect", _WAIT, "How long a connection to the provider may take, TLS included.", "5s"),
        Field("first_byte", _WAIT, "How long the provider may take until its answer begins.", "60s"),
        Field("idle", _WAIT, "How long the provider may fall silent inside an answer.", "60s"),
    )
)

PROVIDER = Group(
    (
        Field("name", SMALL_NAME, "The provider's name in this file and in records.", required=True),
        Field("kind", enum_type(ProviderKind), "Which adapter talks to it.", required=True),
        Field(
            "base_url",
            URL,
            "Its address; a trailing /v1 may be left out or written.",
            absent="openai and anthropic: the public API; simulator: inside this process; openai_compatible: required",
        ),
        Field(
            "credential",
            SECRET,
            "Where its API key is found. The key itself never stands in this file.",
            absent="no credential; required for the public APIs",
        ),
        Field("timeouts", TIMEOUTS, "How long to wait for it.", "{}"),
        Field("retries", count_type(0, 10), "Further attempts after a failure that cannot have been billed.", "2"),
        Field(
            "finish_on_disconnect",
            BOOL,
            "Read a stream to its end for its usage although the caller has left.",
            "false",
        ),
    )
)

PRICE = Group(
    (
        Field("input_per_million", USD, "Price of a million input tokens.", required=True),
        Field("output_per_million", USD, "Price of a million output tokens.", required=True),
        Field("cache_read_per_million", USD, "Price of a million tokens read from cache.", absent="the input price"),
        Field("cache_write_per_million", USD, "Price of a million tokens written to cache.", absent="the input price"),
        Field("audio_input_per_million", USD, "Price of a million input tokens of audio.", absent="the input price"),
        Field("audio_output_per_million", USD, "Price of a million output tokens of audio.", absent="the output price"),
        Field("image_input_per_million", USD, "Price of a million input tokens of images.", absent="the input price"),
        Field(
            "image_output_per_million", USD, "Price of a million output tokens of images.", absent="the output price"
        ),
        Field("per_request", USD, "Price of each request, beside its tokens.", "0"),
    )
)

_PERCENT = count_type(1, 10_000)
SERVICE_TIERS = Group(
    (
        Field("batch", _PERCENT, "What requests served in batches cost, in percent of the price.", absent="the price"),
        Field("flex", _PERCENT, "What requests of the flex tier cost, in percent of the price.", absent="the price"),
        Field(
            "priority",
            _PERCENT,
            "What requests of the priority tier cost, in percent of the price.",
            absent="not known: such requests are refused",
        ),
    )
)

PROVIDER_TOOL = Group(
    (
        Field("name", TOOL_NAME, "The tool's type, without its version: `web_search`.", required=True),
        Field("per_thousand_uses", USD, "What a thousand uses cost.", required=True),
        Field(
            "most_uses",
            count_type(1, 1_000_000),
            "How often a request that does not say may use it. Sent along where the provider takes it.",
            absent="10; with a provider of kind openai 1, for its models search once for each request",
        ),
    )
)

TOKENIZER = Group(
    (
        Field("encoding", word_type(ENCODINGS), "The encoding it counts with.", required=True),
        Field("file", PATH, "The encoding's published vocabulary. Never downloaded by the gateway.", required=True),
    )
)

MODEL = Group(
    (
        Field("name", MODEL_NAME, "The public name that callers ask for.", required=True),
        Field("provider", SMALL_NAME, "The provider that answers.", required=True),
        Field("upstream_name", text_type("text", 256), "The provider's own name for it.", absent="the model's name"),
        Field("context_window", count_type(0, 100_000_000), "Bounds the input tokens; 0: not known.", "0"),
        Field("max_output_tokens", _TOKENS, "Bounds an answer whose request sets no bound of its own.", "16384"),
        Field(
            "price",
            Either(word_type((FREE,)), PRICE),
            "Its price, or `free`.",
            absent="the built-in price list; a model that is unknown there is refused",
        ),
        Field(
            "location",
            word_type(LOCATIONS),
            "Where prompts go.",
            absent="local for a simulator and for openai_compatible on loopback, else cloud",
        ),
        Field("service_tiers", SERVICE_TIERS, "What the provider's service tiers cost.", "{}"),
        Field(
            "provider_tools",
            Many(PROVIDER_TOOL, key="name"),
            "What tools that the provider runs cost, beside the tokens.",
            absent="the published fees of Anthropic's; requests that offer others are refused",
        ),
        Field(
            "calibrated",
            BOOL,
            "Bounds the input of a conversation that goes on by what the provider counted of it so far.",
            absent="true, but for openai_compatible: some local servers cut long conversations and count the rest",
        ),
        Field(
            "tokenizer",
            TOKENIZER,
            "Counts the texts of requests that would not fit by their bytes. Needs the extra `tokenizers`.",
            absent="texts are bounded by their bytes",
        ),
    )
)

TEAM = Group(
    (
        Field("name", SMALL_NAME, "The team's name.", required=True),
        Field("policy", LAYER, "Rules for its apps.", "{}"),
    )
)

APP = Group(
    (
        Field("name", SMALL_NAME, "The app's name.", required=True),
        Field("team", SMALL_NAME, "The team it belongs to.", required=True),
        Field("models", Many(MODEL_NAME), "The models it may use.", absent="every model"),
        Field("limits", LIMITS, "Limits over the whole app.", "{}"),
        Field("key_limits", LIMITS, "Limits for each of its keys.", "{}"),
        Field("budget", BUDGET, "Its budget.", absent="no budget; spending is only counted"),
        Field("content", word_type(CONTENTS), "What records keep of prompts and answers.", "redacted"),
        Field(
            "content_classes",
            Many(CLASS_CONTENT, key="class"),
            "What they keep where something of a class was found.",
            "[]",
        ),
        Field("policy", LAYER, "Rules for this app.", "{}"),
    )
)

ROOT = Group(
    (
        Field("version", count_type(1, 1), "The version of this layout.", required=True),
        Field("server", SERVER, "Listeners and bounds.", "{}"),
        Field("providers", Many(PROVIDER, key="name"), "Where models are.", "[]"),
        Field("models", Many(MODEL, key="name"), "Public model names and where they lead.", "[]"),
        Field("teams", Many(TEAM, key="name"), "Who pays.", "[]"),
        Field("apps", Many(APP, key="name"), "Who calls.", "[]"),
        Field("budgets", Many(BUDGETS, key="name"), "How much may be spent, by whom, in which time.", "[]"),
        Field("classifiers", Many(CLASSIFIER, key="name"), "Judges outside, which rules may ask.", "[]"),
        Field(
            "counters",
            COUNTERS,
            "Where limits and budgets are counted, for several gateways together.",
            absent="in this process",
        ),
        Field("guards", GUARDS, "Guards against loops and floods.", "{}"),
        Field("limits", Many(LIMIT, key="name"), "How often and how much, besides the apps' own limits.", "[]"),
        Field("texts", TEXTS, "How kept texts are kept.", "{}"),
        Field("sinks", Many(SINK, key="name"), "Where copies of the audit log's entries go.", "[]"),
        Field("policy", POLICY, "What is allowed.", "{}"),
        Field("audit", AUDIT, "The audit trail.", "{}"),
    )
)
