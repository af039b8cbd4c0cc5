"""The settings of the audit trail: a part of the tables of `config.schema`."""

from gptgate.config.shape import Field, Group, Many
from gptgate.config.types import (
    ENDPOINT,
    PATH,
    SECRET,
    SMALL_NAME,
    duration_type,
    enum_type,
    text_type,
)
from gptgate.core.beside import WitnessKind

WITNESS = Group(
    (
        Field("name", SMALL_NAME, "The witness's name in metrics and messages.", required=True),
        Field("kind", enum_type(WitnessKind), "How it takes a checkpoint.", required=True),
        Field("path", PATH, "The folder that gets a copy of each.", absent="none; file needs one"),
        Field("url", ENDPOINT, "Its address.", absent="none; webhook and tlog need one"),
        Field("key", text_type("public key", 512), "Its public key.", absent="none; tlog needs one"),
        Field("credential", SECRET, "The secret that signs messages.", absent="none; webhook needs one"),
        Field("every", duration_type(100, 7 * 86_400_000), "How often it is shown a log that has grown.", "5m"),
        Field("timeout", duration_type(1, 60_000), "How long it may take.", "10s"),
    )
)
AUDIT = Group(
    (
        Field(
            "max_lag",
            duration_type(10_000, 7 * 86_400_000),
            "How long a record may wait for its place in the log before requests are refused.",
            "15m",
        ),
        Field("witnesses", Many(WITNESS, key="name"), "Who else keeps the log's checkpoints.", "[]"),
    )
)
