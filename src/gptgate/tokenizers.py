"""Reads the vocabularies that models name; where none does, the tokenizer library is not loaded.

Nothing is ever downloaded: the library is used for counting alone, and its files are read from where the configuration
says, if they are the published ones to the byte.
"""

from base64 import b64decode
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType

from structlog.typing import FilteringBoundLogger

from gptgate.config.files import read_regular
from gptgate.config.problem import ConfigError, Problem
from gptgate.core.snapshot import ModelSpec, Snapshot, TokenizerSpec
from gptgate.core.tokens import NoTokenizers, TokenBounds
from gptgate.cost.counting import Count, CountedModel, Distrust, ExactBounds
from gptgate.cost.encodings import ENCODINGS
from gptgate.extras import load
from gptgate.pipeline.counting import Counting

MOST_BYTES = 16 * 1024 * 1024
"""The largest published file has 3.6 million bytes."""


class Tokenizers:
    """What is known of the models' tokenizers from one Snapshot to the next: which of them are not to be trusted."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger
        self._distrust = Distrust(self._tell)

    def load(self, snapshot: Snapshot, file: str) -> Counting:
        """As `load_tokenizers`."""
        return Counting(load_tokenizers(snapshot, file, self._distrust))

    def _tell(self, counted: CountedModel) -> None:
        self._logger.warning(
            "a provider counts more than the tokenizer of its model allows: inputs are bounded by their bytes again",
            **counted._asdict(),
        )


def load_tokenizers(snapshot: Snapshot, file: str, distrust: Distrust) -> TokenBounds:
    """What counts the texts of this Snapshot's models, but for those in `distrust`. Raises ConfigError as
    `read_vocabularies`."""
    counts = read_vocabularies(snapshot, file)
    return ExactBounds(counts, distrust) if counts else NoTokenizers()


def read_vocabularies(snapshot: Snapshot, file: str) -> dict[str, tuple[CountedModel, Count]]:
    """What counts by the vocabulary of each model that names one. `file` stands for the configuration in problems.

    Raises ConfigError where the library or a vocabulary is not there, where it is not the published one, and where a
    model is known to count with another encoding.
    """
    models = [(model, model.tokenizer) for model in snapshot.models.values() if model.tokenizer is not None]
    if not models:
        return {}
    absent = Problem(file, 0, "models", "'tokenizer' needs a package that is not installed")
    load("tiktoken", "tokenizers", absent)
    known = load("tiktoken.model", "tokenizers", absent)
    counts: dict[str, tuple[CountedModel, Count]] = {}
    loaded: dict[TokenizerSpec, Count] = {}
    problems: list[Problem] = []
    for model, spec in models:
        try:
            _check_encoding(known, model, spec.encoding)
            if spec not in loaded:
                loaded[spec] = read_vocabulary(spec)
            counts[model.name] = CountedModel(model.provider, model.upstream_name, spec.encoding), loaded[spec]
        except ValueError as error:
            problems.append(Problem(file, 0, f"models.{model.name}.tokenizer", str(error)))
    if problems:
        raise ConfigError(problems)
    return counts


def _check_encoding(known: ModuleType, model: ModelSpec, encoding: str) -> None:
    """The library knows the encodings of OpenAI's models by the beginnings of their names."""
    try:
        real: str = known.encoding_name_for_model(model.upstream_name)
    except KeyError:
        return
    if real != encoding and real not in ENCODINGS[encoding].aliases:
        raise ValueError(f"'{model.upstream_name}' counts with the encoding {real}, not {encoding}")


def read_vocabulary(spec: TokenizerSpec) -> Count:
    """What counts by a vocabulary, with the library, which must be there.

    Raises ValueError where the file is not the one that the encoding was published with.
    """
    try:
        data = read_regular(Path(spec.file), MOST_BYTES)
    except OSError as error:
        raise ValueError(f"{spec.file} cannot be read: {error.strerror}") from None
    encoding = ENCODINGS[spec.encoding]
    if sha256(data).hexdigest() != encoding.digest:
        raise ValueError(f"{spec.file} is not the published vocabulary of {spec.encoding}: its SHA-256 is another")
    lines = [line.split() for line in data.splitlines()]
    ranks = {b64decode(token): int(rank) for token, rank in lines}
    tokens = (
        import_module("tiktoken")
        .Encoding(spec.encoding, pat_str=encoding.pattern, mergeable_ranks=ranks, special_tokens={})
        .encode_ordinary
    )
    return lambda text: len(tokens(text))
