"""How often: requests per minute and requests at the same time."""
