"""The threads in which the library's work is done: never more than were granted, however long each takes.

Work can't be interrupted. What is given up on goes on until it ends, and keeps its place until then: else
whoever asks for much and leaves could fill the machine with threads.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Done = TypeVar("Done")

_LINE: Final = 4
"""How many wait for each thread at most; past that, nobody is kept waiting in vain."""


class Workers:
    """A bounded number of threads, with a line before them in which a burst of requests can wait.

    Args:
        threads: how many there are at most.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="vcid")
        self._places = BoundedSemaphore((1 + _LINE) * threads)

    async def do(self, work: Callable[[], Done], *, within: float) -> Done | None:
        """Do some work, and give what came of it.

        Args:
            work: what to do.
            within: how long to wait for it, in seconds.

        Returns:
            None where no place is free, or the time is up.
        """
        if not self._places.acquire(blocking=False):
            return None
        doing = self._pool.submit(work)
        # Called when the thread is done, or at once where the work was given up before it began.
        doing.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(doing), within)
        except TimeoutError:
            return None
