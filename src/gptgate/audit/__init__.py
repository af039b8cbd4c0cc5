"""What happened, provably: the Merkle log's growth, its proofs, its checkpoints. Pure: no I/O, no clock.

The other side, verification, is `gptgate_verify`, which knows nothing of the gateway.
"""
