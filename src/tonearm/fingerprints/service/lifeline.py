"""What ties a supervised server to its supervisor: one inherited end of a socket pair.

The server says on it which address it listens on, or that the one it was given is taken. When the
supervisor's end closes, for whatever reason, even a kill -9, the server leaves.
"""

import asyncio
import os
import socket
from typing import Final, Self

FD_VARIABLE: Final = "TONEARM_SUPERVISOR_FD"
"""Environment variable with the number of the inherited file descriptor."""

TAKEN: Final = "taken"
"""Said in place of an address."""


class Lifeline:
    """The server's end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(False)
        self._end.set_inheritable(False)

    @classmethod
    def inherited(cls) -> Self | None:
        """The lifeline of a supervised server; None for one that a person started."""
        number = os.environ.pop(FD_VARIABLE, "")
        return cls(socket.socket(fileno=int(number))) if number else None

    async def say(self, word: str) -> None:
        """Tell the supervisor an address or ``TAKEN``; a supervisor that is gone hears nothing."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._end, f"{word}\n".encode())
        except ConnectionError:
            return

    async def cut(self) -> None:
        """Return when the supervisor is gone."""
        loop = asyncio.get_running_loop()
        try:
            while await loop.sock_recv(self._end, 64):
                pass
        except ConnectionError:
            return
