"""``python -m gptgate_verify KEY FILE-OR-LOG-FOLDER``, without the gateway: evidence of a request, a proof, or a log.

Prints what was proven. Exit code 3 and one line when it was not.
"""

import json
import sys
from pathlib import Path

from gptgate_verify.evidence import verify_evidence
from gptgate_verify.log import settled, verify_head
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import VerifierKey
from gptgate_verify.proof import parse_proof, verify_proof

USAGE, UNVERIFIED = 2, 3


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return USAGE
    path = Path(arguments[1])
    try:
        key = VerifierKey.parse(arguments[0])
        if path.is_dir():
            checkpoint, read = settled(lambda name: (path / name).read_bytes())
            head = verify_head(read, checkpoint, key)
            print(f"{head.origin}: {head.size} entries, as signed")
        elif (data := path.read_bytes()).startswith(b"{"):
            proven = verify_evidence(data, key)
            print(f"{proven.heads[0].origin}: request {proven.request}, as signed:")
            print(json.dumps({"intent": proven.intent, "end": proven.end, "configuration": proven.configuration}))
        else:
            proof = parse_proof(data)
            head, _ = verify_proof(proof, key)
            print(f"{head.origin}: entry {proof.index} of {head.size}, as signed:")
            print(proof.entry.decode())
    except (VerificationError, OSError, UnicodeDecodeError) as error:
        print(f"not verified: {error}", file=sys.stderr)
        return UNVERIFIED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
