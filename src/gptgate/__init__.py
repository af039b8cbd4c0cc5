"""gptgate: a secure gateway between an organisation's applications and the language models they call."""

__version__ = "0.1.0"
