"""What the server and a worker process say to each other over the worker's stdin and stdout.

A frame is one byte for its kind, four bytes for the length of the payload (big endian), the payload.

    to the worker:    MEASURE (a MeasureRequest), STOP (nothing)
                      BEGIN (the first AudioBlock), BLOCK (an AudioBlock), END (nothing)
    from the worker:  READY (nothing), REPLY (a MeasureReply), STOPPED (nothing),
                      ERROR (the code of an error, a newline, its text)

One request at a time; it ends with a REPLY that holds a result, an ERROR, or STOPPED. A STOP that
arrives after the end is ignored, and so is a BLOCK or an END. The end of either pipe means that the
other process is gone.
"""

import struct
from typing import Final

HEADER: Final = struct.Struct(">cI")

MEASURE: Final = b"M"
STOP: Final = b"S"
BEGIN: Final = b"A"
BLOCK: Final = b"B"
END: Final = b"F"
READY: Final = b"W"
REPLY: Final = b"R"
STOPPED: Final = b"X"
ERROR: Final = b"E"


BACKGROUND_FLAG: Final = "--background"
"""Argument of a worker for background work. It makes itself nice for all its life, since an ordinary
user cannot make a process less nice again."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame, ready to be written."""
    return HEADER.pack(kind, len(payload)) + payload
