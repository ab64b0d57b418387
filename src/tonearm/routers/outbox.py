"""What waits to be sent to one client: bounded, in order, with a way to take sound back.

Three lines feed one writer. Replies go first and are few. News come next, one of a kind: what has not
been sent when there is newer is dropped. Stream events keep their order; sound is held while the
client asks for it, and waits for room, so that a client that reads nothing costs bounded lines.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import AudioFrame, StreamEvent
from tonearm.protocol.news import News

MAX_FRAMES: Final = 4
MAX_REPLIES: Final = 64


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last thing to send: close with this code."""

    code: int
    reason: str


Item = str | StreamEvent | Goodbye
"""A reply (text), an event of the stream, or the end of the connection."""


class Outbox:
    """The lines to one client. One writer takes; the receive loop and one stream put."""

    def __init__(self, flow: Flow) -> None:
        self._replies: deque[Item] = deque()
        self._news: dict[str, str] = {}
        self._stream: deque[str | StreamEvent] = deque()
        self._frames = 0
        self._epoch = 0
        self._changed = asyncio.Event()
        self._follow(flow)

    @property
    def epoch(self) -> int:
        """The stream that may put events; 0 is none."""
        return self._epoch

    async def reply(self, text: str) -> None:
        """Queue a reply, when there is room: a client that sends and never reads is made to wait."""
        while len(self._replies) >= MAX_REPLIES:
            await self._change()
        self._replies.append(text)
        self._changed.set()

    def tell(self, news: News) -> None:
        """Queue news, in the place of what waits of the same kind."""
        self._news[news.kind] = news.text
        self._changed.set()

    async def put(self, event: StreamEvent, epoch: int) -> None:
        """Queue an event of the stream ``epoch``; sound waits for room, and what is stale is dropped."""
        while isinstance(event, AudioFrame) and self._frames >= MAX_FRAMES and epoch == self._epoch:
            await self._change()
        if epoch != self._epoch:
            return
        self._stream.append(event)
        self._frames += isinstance(event, AudioFrame)
        self._changed.set()

    def restart(self, epoch: int, flow: Flow, first: Iterable[str]) -> None:
        """Take back all that waits of the stream so far, and go on with ``first`` and ``epoch``."""
        self._epoch = epoch
        self._follow(flow)
        self._stream = deque(item for item in self._stream if isinstance(item, str))
        self._stream.extend(first)
        self._frames = 0
        self._changed.set()

    def say_goodbye(self, goodbye: Goodbye) -> None:
        """Send what waits in the stream's line, then close; replies and news that still wait are dropped."""
        self._replies = deque([*self._stream, goodbye])
        self._news.clear()
        self._stream.clear()
        self._frames = 0
        self._changed.set()

    async def take(self) -> Item:
        """The next thing to send; sound is passed over while the client holds it."""
        while True:
            if self._replies:
                item = self._replies.popleft()
                self._changed.set()
                return item
            if self._news:
                return self._news.pop(next(iter(self._news)))
            if self._stream and not (isinstance(self._stream[0], AudioFrame) and self._flow.held):
                event = self._stream.popleft()
                self._frames -= isinstance(event, AudioFrame)
                self._changed.set()
                return event
            await self._change()

    def _follow(self, flow: Flow) -> None:
        self._flow = flow
        flow.watch(self._changed.set)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
