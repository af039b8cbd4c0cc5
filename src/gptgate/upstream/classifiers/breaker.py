"""A classifier that has failed again and again is left alone for a while."""


class Breaker:
    """Counts failures in a row. After `failures` of them `allows` says no for `cool_down_ms`; then one trial passes,
    whose outcome closes the breaker or begins another pause. Deterministic: the time is an argument."""

    def __init__(self, failures: int, cool_down_ms: int) -> None:
        self._limit = failures
        self._pause_ns = cool_down_ms * 1_000_000
        self._failed = 0
        self._until_ns = 0
        self._trying = False

    def allows(self, now_ns: int) -> bool:
        """Whether it may be asked now. A yes after a pause is the trial: others wait for its outcome."""
        if self._failed < self._limit:
            return True
        if self._trying or now_ns < self._until_ns:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        self._failed = 0
        self._trying = False

    def failed(self, now_ns: int) -> None:
        self._failed += 1
        self._trying = False
        self._until_ns = now_ns + self._pause_ns

    def withdrawn(self) -> None:
        """A question was taken back before its outcome was known: the trial is free for the next."""
        self._trying = False
