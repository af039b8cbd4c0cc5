"""Request identifiers: UUID version 7 (RFC 9562, section 5.7), so that ids sort by time."""


def uuid7(unix_ms: int, random_bytes: bytes) -> str:
    """A UUIDv7 in its canonical text form, from a wall-clock time in milliseconds and ten random bytes.

    Pure: the caller injects time and randomness. Raises ValueError when `random_bytes` is not ten bytes long.
    """
    if len(random_bytes) != 10:
        raise ValueError("uuid7 takes exactly ten random bytes")
    rand = int.from_bytes(random_bytes, "big")
    value = (unix_ms & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76
    value |= (rand >> 68) << 64
    value |= 0b10 << 62
    value |= rand & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
