"""``python -m bench.records FOLDER``: fills a store with made-up requests, and measures searches on it."""
