"""The path of a request, in numbered steps. `gate` reads from top to bottom; the other modules are its steps."""
