"""Dialect adapters: pure encode and decode. A new dialect or endpoint is one file and one line in `registry`."""
