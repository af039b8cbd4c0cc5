"""Money as an integer number of nano-US-dollars (1 USD = 10**9). No float ever stands for money."""

from decimal import ROUND_CEILING, Decimal, InvalidOperation

NANO_PER_USD = 1_000_000_000
TOKENS_PER_MILLION = 1_000_000


def parse_usd(text: str) -> int:
    """Nano-dollars for a decimal amount of dollars such as ``"12.50"``, rounded up to a whole nano-dollar.

    Raises ValueError when the text is not a finite, non-negative decimal number.
    """
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"not an amount in US dollars: {text!r}") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"an amount in US dollars is finite and not negative: {text!r}")
    return int((amount * NANO_PER_USD).to_integral_value(rounding=ROUND_CEILING))


def format_usd(nano: int) -> str:
    """Dollars with all nine decimals, exact: ``1500000`` → ``"0.001500000"``."""
    sign = "-" if nano < 0 else ""
    whole, rest = divmod(abs(nano), NANO_PER_USD)
    return f"{sign}{whole}.{rest:09d}"


def tokens_cost(tokens: int, nano_per_million: int) -> int:
    """The cost of tokens at a price per million, rounded up, so that fractions never fall to the gate's cost."""
    return -(-tokens * nano_per_million // TOKENS_PER_MILLION)
