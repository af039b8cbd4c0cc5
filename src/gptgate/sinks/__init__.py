"""Places outside that get the audit log's entries: a file, a webhook, a syslog server, a collector."""
