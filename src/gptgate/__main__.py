"""`python -m gptgate`."""

from gptgate.cli.main import run

if __name__ == "__main__":
    run()
