"""Long answers: each holds a stream's place, ends when its client goes, and is given up when it stalls."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tonearm.routers.http_protocol import EXTENSION
from tonearm.routers.slots import StreamSlots

Answer = Callable[[Scope, Receive, Send], Awaitable[None]]
"""Sends one answer. It is cancelled when the client has gone; an answer left incomplete is broken off."""

log = structlog.get_logger()


class Transfers:
    """The long answers that are being given.

    Args:
        slots: how many streams there may be.
        stall_s: how long a client may read nothing.
    """

    def __init__(self, slots: StreamSlots, stall_s: float) -> None:
        self._slots = slots
        self._stall_s = stall_s
        self._running: set[asyncio.Task[None]] = set()

    def response(self, answer: Answer) -> Response:
        """A response that gives ``answer`` under these rules.

        Raises (when it is sent):
            ServerBusy: there is no place for another stream.
        """
        return _Transfer(self, answer)

    async def close(self) -> None:
        """Break off all answers."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def run(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        """Give an answer, until it is complete, the client is gone, or reads nothing for too long."""
        address = scope["client"][0] if scope.get("client") else ""
        with self._slots.hold(address):
            work = asyncio.create_task(self._work(answer, scope, send))
            gone = asyncio.create_task(_gone(receive))
            self._running.add(work)
            try:
                await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
                if work.done() and not work.cancelled():
                    work.result()
            finally:
                self._running.discard(work)
                work.cancel()
                gone.cancel()
                await asyncio.gather(work, gone, return_exceptions=True)

    async def _work(self, answer: Answer, scope: Scope, send: Send) -> None:
        stalled = False

        async def patient_send(message: Message) -> None:
            nonlocal stalled
            try:
                async with asyncio.timeout(self._stall_s):
                    await send(message)
            except TimeoutError:
                stalled = True
                raise

        try:
            await answer(scope, _nothing_more, patient_send)
        except TimeoutError:
            if not stalled:
                raise
            log.warning("Gave up a client that reads nothing", path=scope["path"])
            scope["extensions"][EXTENSION]["abort"]()


class _Transfer(Response):
    def __init__(self, transfers: Transfers, answer: Answer) -> None:
        super().__init__()
        self._transfers = transfers
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._transfers.run(self._answer, scope, receive, send)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nothing_more() -> Message:
    """The answer need not look after its client: that is done here."""
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}
