"""Marks: what stands in a text in the place of what was found there.

A redaction says the kind and nothing else. A hash is the same for equal values in one installation, and cannot be
guessed without its secret. A mask keeps a shape (`gptgate.policy.mask`), a pseudonym can be restored
(`gptgate.policy.pseudonym`). No mark needs an escape in JSON but a mask, and none is itself a finding.
"""

from gptgate.core.ports import Pseudonyms
from gptgate.core.snapshot import Effect
from gptgate.policy.mask import mask
from gptgate.policy.tags import tag

HASH_LETTERS = 16
"""64 bits: among a million values of one kind two have one hash by chance once in 37 million cases."""


def redaction_mark(kind: str) -> str:
    """What stands in the place of a redacted finding of this kind."""
    return f"[redacted:{kind}]"


class Marks:
    """Writes marks under the secret of an installation, and with the pseudonyms of a session where there are some."""

    def __init__(self, secret: bytes, pseudonyms: Pseudonyms | None = None) -> None:
        self._secret = secret
        self._pseudonyms = pseudonyms

    def write(self, effect: Effect, kind: str, value: str) -> str:
        """The mark of a value. Raises ValueError for an effect that rewrites nothing, and for a pseudonym of no
        session."""
        if effect is Effect.REDACT:
            return redaction_mark(kind)
        if effect is Effect.MASK:
            return mask(kind, value)
        if effect is Effect.HASH:
            return f"[{kind}:{tag(self._secret, HASH_LETTERS, 'hash', kind, value)}]"
        if effect is Effect.PSEUDONYMISE and self._pseudonyms is not None:
            return self._pseudonyms.name(kind, value)
        raise ValueError(f"there is no mark for the effect {effect.value!r} here")
