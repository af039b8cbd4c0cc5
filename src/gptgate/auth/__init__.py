"""Credential → Principal → Grant: who calls, and what they may use. In memory only."""
