from gptgate.upstream.target import Target
from gptgate.wiring import FORMER_MS, Credentials


class Clock:
    now_ms = 1_800_000_000_000

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_ns(self) -> int:
        return self.now_ms * 1_000_000


def target(secret: str) -> Target:
    return Target(base_url="http://127.0.0.1:1", headers=(("authorization", f"Bearer {secret}"),))


def test_a_credential_that_was_exchanged_is_looked_for_a_day_longer() -> None:
    clock = Clock()
    credentials = Credentials(clock)
    assert credentials.change([target("first-credential")], [{"w": "a-webhook-secret"}]) == (
        "a-webhook-secret",
        "first-credential",
    )
    both = credentials.change([target("second-credential")], [{"w": "a-webhook-secret"}])
    assert both == ("a-webhook-secret", "second-credential", "first-credential")
    clock.now_ms += FORMER_MS - 1
    assert credentials.change([target("third-credential")], []) == (
        "third-credential",
        "first-credential",
        "a-webhook-secret",
        "second-credential",
    )
    clock.now_ms += 1
    assert credentials.change([target("third-credential")], []) == (
        "third-credential",
        "a-webhook-secret",
        "second-credential",
    )


def test_one_that_comes_back_is_in_force_again() -> None:
    credentials = Credentials(Clock())
    for secret in ("first-credential", "second-credential", "first-credential"):
        known = credentials.change([target(secret)], [])
    assert known == ("first-credential", "second-credential")
