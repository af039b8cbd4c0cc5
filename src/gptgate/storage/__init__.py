"""What outlives the process: records of requests and API keys, in SQLite or in memory."""
