"""What the gateway costs: against a bare pass-through, and against the upstream directly. Run ``python -m bench``."""
