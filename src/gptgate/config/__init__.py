"""`gptgate.yaml` → an immutable, validated, content-addressed Snapshot."""
