"""Every setting of `gptgate.yaml`, once: name, type, default, meaning. The reader, the reference and the docs test
all derive from these tables."""

from gptgate.config.shape import Either, Field, Group, Many
from gptgate.config.types import (
    ADDRESS,
    AMOUNT,
    BOOL,
    CONDITION,
    KIND_PATTERN,
    KIND_WORD,
    MODEL_NAME,
    PACK_NAME,
    RULE_ID,
    SECRET,
    SMALL_NAME,
    URL,
    USD,
    count_type,
    duration_type,
    enum_type,
    size_type,
    text_type,
    word_type,
)
from gptgate.core import budgets
from gptgate.core.finding import Origin
from gptgate.core.limit import Dimension, Unit
from gptgate.core.snapshot import (
    WRITABLE,
    WRITABLE_OBLIGATIONS,
    ClassifierKind,
    Effect,
    GuardTemplate,
    Mode,
    OnFailure,
    ProviderKind,
    Stage,
)

FREE = "free"
LOCATIONS = ("cloud", "local")
CONTENTS = ("none", "redacted", "full")
EVERYBODY = "global"
"""The scope of a budget that all requests share."""

_WAIT = duration_type(1, 24 * 3_600_000)
_GRACE = duration_type(0, 3_600_000)
_BYTES = size_type(1024, 1 << 30)
_RATE = count_type(1, 10_000_000)
_TOKENS = count_type(1, 100_000_000)

SERVER = Group(
    (
        Field("data", ADDRESS, "Where applications reach the data plane.", "127.0.0.1:8080"),
        Field("control", ADDRESS, "Where the control plane listens: health, metrics, admin.", "127.0.0.1:8081"),
        Field("max_body_bytes", _BYTES, "The largest request body that is read; a larger one is refused.", "10MiB"),
        Field("max_answer_bytes", _BYTES, "The largest answer of a provider that is read.", "32MiB"),
        Field("header_timeout", _WAIT, "How long a caller may take to send a request's head.", "10s"),
        Field("body_timeout", _WAIT, "How long a caller may take to send a request's body.", "30s"),
        Field("keep_alive", _WAIT, "How long an idle connection of a caller stays open.", "75s"),
        Field("sse_keep_alive", _WAIT, "How often a silent stream gets a comment, so that nobody gives it up.", "15s"),
        Field("drain", _GRACE, "How long a shutdown waits for the requests in flight.", "20s"),
        Field("store_timeout", _WAIT, "How long a request waits for its durable record before it is refused.", "5s"),
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
    )
)

_CAP = count_type(1, 10_000_000)

OBLIGATION_FIELDS: dict[str, Field] = {
    "max_output_tokens": Field("max_output_tokens", _CAP, "Caps the answer.", absent="no cap"),
    "strip_tools": Field("strip_tools", BOOL, "Takes the tools away.", "false"),
    "route_to": Field("route_to", MODEL_NAME, "The model that answers instead.", absent="the one that was asked for"),
    "notice": Field("notice", text_type("text", 1000), "Added to the system's text.", absent="nothing is added"),
}
OBLIGATIONS = Group(tuple(OBLIGATION_FIELDS[name] for name in WRITABLE_OBLIGATIONS))
_OBLIGATIONS = (Field("obligations", OBLIGATIONS, "What it asks for besides.", "{}"),) if WRITABLE_OBLIGATIONS else ()

RULE_FIELDS = (
    Field("id", SMALL_NAME, "The rule's name in records and reasons; unique in the whole file.", required=True),
    Field("stage", enum_type(Stage), "Which side it looks at.", required=True),
    Field("effect", enum_type(Effect, frozenset(Effect) - frozenset(WRITABLE)), "What it does.", required=True),
    Field("findings", Many(KIND_PATTERN), "Fires on findings of these kinds.", absent="not a condition"),
    Field("origins", Many(enum_type(Origin)), "Counts findings in these words only.", absent="all origins"),
    Field("min_score", count_type(0, 100), "Fires from this risk score on.", "0"),
    Field("min_points", count_type(0, 90), "Fires when the findings it matches have these points together.", "0"),
    Field("when", CONDITION, "Fires when this CEL expression is true.", absent="not a condition"),
    Field("apps", Many(SMALL_NAME), "Fires for these apps.", absent="all apps"),
    Field("models", Many(MODEL_NAME), "Fires for these models.", absent="all models"),
    Field("message", text_type("text", 500), "What a denied caller is told.", absent="a general sentence"),
    Field("public", BOOL, "Whether the general sentence names the rule.", "true"),
    Field("mode", enum_type(Mode), "`shadow`: decided and recorded, not acted on.", "enforce"),
    Field("rollout_percent", count_type(0, 100), "On which share of the requests it acts.", "100"),
    Field("overridable", BOOL, "Whether a lower layer may switch it off.", "false"),
    Field("overrides", Many(RULE_ID), "Rules of upper layers that do not hold where this one does.", absent="none"),
    *_OBLIGATIONS,
)
RULE = Group(RULE_FIELDS)
_RULES = Many(RULE, key="id")
LAYER = Group(
    (Field("rules", _RULES, "Rules for these callers alone, written as `policy.rules`.", "[]", as_elsewhere=True),)
)
CUSTOM = Group(
    (
        Field("name", KIND_WORD, "Findings have the kind `custom.` and this name.", required=True),
        Field("words", Many(text_type("text", 100)), "What is looked for, as words.", absent="a pattern"),
        Field("pattern", text_type("text", 500), "What is looked for, as a pattern.", absent="words"),
        Field("ignore_case", BOOL, "Whether small and capital letters are the same.", "true"),
        Field("points", count_type(0, 100), "What a finding weighs in the risk score.", "0"),
        Field("origins", Many(enum_type(Origin)), "Whose words are looked at.", absent="everybody's"),
    )
)
POLICY = Group(
    (
        Field("packs", Many(PACK_NAME), "Built-in rules that come before the file's own.", "[]"),
        Field("custom", Many(CUSTOM, key="name"), "Words and patterns of your own.", "[]"),
        Field("rules", _RULES, "The rules for everybody, in the order in which they are reported.", "[]"),
    )
)
PACK = Group(
    (
        Field("pack", SMALL_NAME, "The pack's name.", required=True),
        Field("version", count_type(1, 1_000_000), "Its version.", required=True),
        Field("description", text_type("text", 200), "What it is for.", required=True),
        Field("rules", _RULES, "Its rules.", required=True),
    )
)
"""A built-in pack of rules: the layout of the files in `packs`."""

TEAM = Group(
    (
        Field("name", SMALL_NAME, "The team's name.", required=True),
        Field("policy", LAYER, "Rules for its apps.", "{}"),
    )
)

LIMITS = Group(
    (
        Field("requests_per_minute", _RATE, "Requests in any minute.", absent="no such limit"),
        Field("concurrency", _RATE, "Requests in flight at a time.", absent="no such limit"),
    )
)

BUDGET = Group((Field("monthly_usd", USD, "What an app may spend in a calendar month (UTC).", required=True),))

MATCH = Group(
    (
        Field("teams", Many(SMALL_NAME), "Only requests of these teams.", absent="all teams"),
        Field("apps", Many(SMALL_NAME), "Only requests of these apps.", absent="all apps"),
        Field("models", Many(MODEL_NAME), "Only requests that these models answer.", absent="all models"),
        Field("providers", Many(SMALL_NAME), "Only requests that these providers answer.", absent="all providers"),
    )
)
BUDGETS = Group(
    (
        Field("name", SMALL_NAME, "The budget's name in refusals, records and metrics.", required=True),
        Field(
            "scope",
            Many(word_type((EVERYBODY, *(dimension.value for dimension in budgets.Dimension)))),
            "What has an account of its own: each combination of values of these.",
            required=True,
        ),
        Field("unit", enum_type(budgets.Unit), "What is counted.", required=True),
        Field("amount", AMOUNT, "How much each account may spend in a window.", required=True),
        Field("window", enum_type(budgets.Window), "How long what was spent counts.", required=True),
        Field("over", duration_type(86_400_000, 366 * 86_400_000), "A rolling window's length.", absent="not rolling"),
        Field("time_zone", text_type("text", 64), "Where days, weeks (from Monday) and months begin.", "UTC"),
        Field("mode", enum_type(budgets.BudgetMode), "`hard`: refuses what does not fit. `soft`: only counts.", "hard"),
        Field("thresholds", Many(count_type(1, 1000)), "Percentages reported once in a window.", absent="none"),
        Field(
            "least_output_tokens",
            count_type(0, 100_000_000),
            "An answer may be cut down to what is left, if so much of it can be paid; 0: never cut down.",
            "0",
        ),
        Field("match", MATCH, "Which requests it is for.", "{}"),
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
        Field("policy", LAYER, "Rules for this app.", "{}"),
    )
)

MATCH = Group(
    (
        Field("teams", Many(SMALL_NAME), "Counts the apps of these teams.", absent="all teams"),
        Field("apps", Many(SMALL_NAME), "Counts these apps.", absent="all apps"),
        Field("models", Many(MODEL_NAME), "Counts requests to these models.", absent="all models"),
        Field("providers", Many(SMALL_NAME), "Counts requests to these providers.", absent="all providers"),
    )
)

LIMIT = Group(
    (
        Field("name", SMALL_NAME, "The limit's name in messages, records and metrics.", required=True),
        Field("scope", Many(enum_type(Dimension)), "What is counted apart.", required=True),
        Field("unit", enum_type(Unit), "What is counted.", required=True),
        Field("amount", count_type(1, 1_000_000_000_000), "How many in a window, or at a time.", required=True),
        Field(
            "window",
            duration_type(1000, 24 * 3_600_000),
            "In what time they come back, 1s to 24h.",
            absent="none; required unless the unit is concurrent",
        ),
        Field("match", MATCH, "Which requests are counted.", "{}"),
    )
)

_TIMES = Field("times", count_type(1, 1_000_000), "How often in a window.", required=True)
_WINDOW = Field("window", duration_type(1000, 24 * 3_600_000), "In what time they come back, 1s to 24h.", required=True)
GUARDS = Group(
    (
        Field(
            "repeated_requests",
            Group((_TIMES, _WINDOW)),
            "Refuses an app that sends the same request more often.",
            absent="off",
        ),
        Field(
            "failed_authentications",
            Group((_TIMES, _WINDOW)),
            "Refuses an address whose keys were refused more often, good keys too.",
            absent="off",
        ),
        Field(
            "prompt",
            Group(
                (
                    Field("max_bytes", _BYTES, "The largest body of a request.", absent="server.max_body_bytes"),
                    Field("max_tokens", _TOKENS, "The most input tokens that a request may have.", absent="no bound"),
                )
            ),
            "Refuses requests past a size.",
            "{}",
        ),
    )
)

SCORE = Group(
    (
        Field("permille", count_type(0, 1000), "The least score, in thousandths.", required=True),
        Field("points", count_type(0, 100), "What a label with this score weighs.", required=True),
    )
)

BREAKER = Group(
    (
        Field("failures", count_type(1, 1000), "Failures in a row after which it is not asked for a while.", "5"),
        Field("cool_down", _WAIT, "How long it is then not asked, which is a failure too.", "30s"),
    )
)

CLASSIFIER = Group(
    (
        Field("name", KIND_WORD, "Its name in rules: `external.NAME.LABEL`.", required=True),
        Field("kind", enum_type(ClassifierKind), "How it is asked.", required=True),
        Field("base_url", URL, "Its address; a trailing /v1 may be left out or written.", required=True),
        Field("model", text_type("text", 256), "The model that it shall use.", absent="none; guard_model needs one"),
        Field("template", enum_type(GuardTemplate), "Which guard model it is.", absent="none; guard_model needs one"),
        Field("credential", SECRET, "Its API key, or the secret that signs.", absent="none; webhook needs one"),
        Field("timeout", duration_type(1, 60_000), "How long its whole answer may take.", "2s"),
        Field("on_failure", enum_type(OnFailure), "When it cannot answer: closed refuses, open lets pass.", "closed"),
        Field("max_chars", count_type(1, 10_000_000), "The longest request that it can judge.", "100000"),
        Field(
            "origins",
            Many(enum_type(Origin)),
            "Whose words it is shown.",
            absent="user, assistant, tool_call and tool_result",
        ),
        Field(
            "labels",
            Many(KIND_WORD),
            "What it may report; anything else becomes `other`.",
            absent="those of its kind; webhook needs them",
        ),
        Field(
            "scores",
            Many(SCORE, key="permille"),
            "Points by score, rising.",
            absent="300: 20, 500: 40, 700: 60, 900: 80",
        ),
        Field("breaker", BREAKER, "When it is left alone.", "{}"),
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
        Field("guards", GUARDS, "Guards against loops and floods.", "{}"),
        Field("limits", Many(LIMIT, key="name"), "How often and how much, besides the apps' own limits.", "[]"),
        Field("policy", POLICY, "What is allowed.", "{}"),
    )
)
