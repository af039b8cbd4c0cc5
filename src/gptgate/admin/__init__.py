"""The control plane's API: health, metrics, and the operator's few commands."""
