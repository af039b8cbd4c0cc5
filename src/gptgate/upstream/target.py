"""Where a provider is, and what the gateway shows it."""

from dataclasses import dataclass

MIN_SECRET = 8
"""A shorter credential is a placeholder, such as local servers want one, and would be found in ordinary words."""


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """A provider's address without a trailing path of the API, and the headers that carry the gateway's credential.

    `headers` replace the caller's headers of the same names. Their values are secret: they are in no representation.
    """

    base_url: str
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(name for name, _ in self.headers)
        return f"Target(base_url={self.base_url!r}, headers=<{names}>)"

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The secrets alone, without what HTTP writes before them (``Bearer``)."""
        values = (value.rpartition(" ")[2] for _, value in self.headers)
        return tuple(value.encode("latin-1") for value in values if len(value) >= MIN_SECRET)
