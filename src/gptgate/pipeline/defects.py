"""What is told of a defect: of which kind it is, and where. Never its message, which may quote what a caller sent."""

from pathlib import PurePath
from traceback import walk_tb

DEEPEST = 5
"""Frames that are named, the innermost first."""


def told(defect: Exception) -> str:
    """For the operator's log."""
    frames = [(frame.f_code, line) for frame, line in walk_tb(defect.__traceback__)][-DEEPEST:]
    places = [f"{code.co_qualname} ({PurePath(code.co_filename).name}:{line})" for code, line in reversed(frames)]
    return " < ".join([f"{type(defect).__name__} in {places[0]}", *places[1:]]) if places else type(defect).__name__
