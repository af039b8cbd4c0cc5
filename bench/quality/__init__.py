"""Measures of what the detectors find."""
