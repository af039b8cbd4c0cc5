"""External classifiers: one file for each way to ask one, and the registry of them."""
