"""Limits and budgets of several gateways, counted together in a Valkey or Redis server."""
