"""The vocabulary that every other package speaks: standard library and msgspec only, no I/O, no clock."""
