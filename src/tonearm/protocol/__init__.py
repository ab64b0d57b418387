"""The words on the wire. No I/O."""
