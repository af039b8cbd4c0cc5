"""Prompt injection by phrase and structure (English). A modest detector: it knows wordings, not intentions."""

from gptgate.detectors.pattern import UNTRUSTED, Detector, Pattern

DETECTOR = Detector(
    name="injection",
    version=1,
    kinds={"attack.injection": "Words that try to override instructions, change the role or extract the prompt."},
    patterns=(
        Pattern(
            kind="attack.injection",
            body="ignore[ ,\\n]{1,8}(?:all[ ,\\n]{1,8})?(?:previous|prior)[ ,\\n]{1,8}instructions?",
            points=80,
            ignore_case=True,
        ),
    ),
    origins=UNTRUSTED,
)
