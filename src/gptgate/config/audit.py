"""The section `audit`: what must be true of it, and its values."""

from gptgate.config.reader import Reader, Section
from gptgate.core.beside import WitnessKind, WitnessSpec
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import COSIGNATURE, VerifierKey

NEEDS = {
    WitnessKind.FILE: ("path",),
    WitnessKind.WEBHOOK: ("url", "credential"),
    WitnessKind.TLOG: ("url", "key"),
}
"""Kind → what it needs, and nothing else of these has an effect on it."""


def check_audit(audit: Section, reader: Reader) -> None:
    """Report what a witness needs and lacks, or has and cannot use."""
    for witness in audit.sections("witnesses"):
        kind = witness.get("kind")
        for name in ("path", "url", "key", "credential"):
            if kind is not None and name in NEEDS[kind] and name not in witness.written:
                reader.report(witness.line, f"{witness.path}.{name}", f"is missing: {kind} needs it")
            if kind is not None and name not in NEEDS[kind] and name in witness.written:
                reader.report(witness.line_of(name), f"{witness.path}.{name}", f"has no effect: {kind} has none")
        if witness.get("key") is not None:
            _check_key(witness, reader)


def _check_key(witness: Section, reader: Reader) -> None:
    try:
        key = VerifierKey.parse(witness.get("key"))
    except VerificationError as error:
        problem = str(error)
    else:
        problem = "" if key.kind == COSIGNATURE else "is the key of a log, not of a witness"
    if problem:
        reader.report(witness.line_of("key"), f"{witness.path}.key", problem, "`gptgate witness key` prints it")


def build_witnesses(audit: Section) -> tuple[WitnessSpec, ...]:
    """The values of a section without problems. Their order means nothing."""
    specs = [
        WitnessSpec(
            name=witness.get("name"),
            kind=witness.get("kind"),
            path=witness.get("path") or "",
            url=witness.get("url") or "",
            key=witness.get("key") or "",
            credential=witness.get("credential"),
            every_ms=witness.get("every"),
            timeout_ms=witness.get("timeout"),
        )
        for witness in audit.sections("witnesses")
    ]
    return tuple(sorted(specs, key=lambda spec: spec.name))
