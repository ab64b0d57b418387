"""Decide what a recording needs, then apply it. No I/O."""
