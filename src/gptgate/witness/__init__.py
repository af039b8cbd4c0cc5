"""A witness for audit logs, on a machine of its own: `gptgate witness serve`."""
