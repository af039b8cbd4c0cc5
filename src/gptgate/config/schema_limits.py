"""The settings of limits, guards and budgets: a part of the tables of `config.schema`."""

from gptgate.config.shape import Field, Group, Many
from gptgate.config.types import (
    AMOUNT,
    COUNTERS_URL,
    MODEL_NAME,
    PATH,
    SECRET,
    SMALL_NAME,
    USD,
    count_type,
    duration_type,
    enum_type,
    size_type,
    text_type,
    word_type,
)
from gptgate.core import budgets
from gptgate.core.limit import Dimension, Unit

EVERYBODY = "global"
"""The scope of a budget that all requests share."""
_BYTES = size_type(1024, 1 << 30)
_RATE = count_type(1, 10_000_000)
_TOKENS = count_type(1, 100_000_000)

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
            absent="1024 for hard budgets in `usd` or `tokens`, else 0",
        ),
        Field("match", MATCH, "Which requests it is for.", "{}"),
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
SESSION = Group(
    (
        Field("requests", count_type(1, 1_000_000_000), "How many requests.", absent="no bound"),
        Field("tokens", count_type(1, 1_000_000_000_000), "How many tokens, input and output.", absent="no bound"),
        Field("usd", USD, "How many dollars.", absent="no bound"),
    )
)

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
            "ignored_retry_after",
            Group((_TIMES, _WINDOW)),
            "Refuses a key that came back more often before the `retry-after` that it was told.",
            absent="off",
        ),
        Field("session", SESSION, "Refuses a session (`x-gptgate-session`) of an app past what it may use.", "{}"),
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

COUNTERS = Group(
    (
        Field("url", COUNTERS_URL, "The Valkey or Redis server, and the number of its database.", required=True),
        Field(
            "user",
            text_type("text", 128),
            "The name by which the gateway signs in.",
            absent="the server's default user",
        ),
        Field("credential", SECRET, "Where the password is found. It never stands in this file.", absent="no password"),
        Field(
            "ca",
            PATH,
            "A file of certificates (PEM) that may have signed the server's, besides those that the system trusts.",
            absent="the system's alone",
        ),
        Field(
            "cert",
            PATH,
            "The gateway's own certificate (PEM), for a server that asks its clients for one.",
            absent="it shows none",
        ),
        Field("key", PATH, "The certificate's private key (PEM), without a password.", absent="in the file of `cert`"),
        Field("prefix", SMALL_NAME, "What the keys begin with: gateways with one prefix share counters.", "gptgate"),
        Field("timeout", duration_type(10, 60_000), "How long a request waits for the counters.", "1s"),
    )
)
