"""How often, and how much at a time."""
