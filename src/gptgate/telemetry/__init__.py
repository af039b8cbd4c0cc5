"""Metrics and log lines, projected from the one event of each request, off the request's own path."""

from gptgate.telemetry.catalog import METRICS

__all__ = ["METRICS"]
