"""Samples to fingerprint, in one pass. No I/O."""
