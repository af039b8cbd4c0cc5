"""The words of prompt attacks, by language. Tables only."""
