"""Offline verification of gptgate's audit log: what an auditor needs, and nothing of the gateway.

It depends on the standard library and on `cryptography` (Ed25519). Read the modules in this order; each follows one
published text:

- `merkle`: the tree of RFC 6962 and RFC 9162, section 2.1;
- `note`: signed notes, checkpoints and cosignatures (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature);
- `quorum`: how many witnesses have cosigned how much of a log;
- `tiles`: where the hashes and entries of a log stand (c2sp.org/tlog-tiles);
- `proof`: one entry's proof in one file (c2sp.org/tlog-proof).
"""

from gptgate_verify.merkle import VerificationError

__all__ = ["VerificationError"]
