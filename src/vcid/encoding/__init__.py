"""Bytes in, bytes out: the codecs everything else stands on; no I/O."""
