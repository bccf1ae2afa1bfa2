"""Every Ctrl-C of a block is known afterwards, also one that Python has dropped."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noted_interrupts() -> Iterator[list[int]]:
    """A list that gets an entry for every signal that the user's handler answers with KeyboardInterrupt.

    Python prints and drops the exception where the signal comes while it destroys an object. Signals come in the main thread
    alone; elsewhere, and where the handler is none of Python's, the list stays empty. The handler is given back.
    """
    noted: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield noted
        return
    answer = handler

    def note(signum, frame):
        try:
            answer(signum, frame)
        except KeyboardInterrupt:
            noted.append(signum)
            raise

    def give_back():
        if signal.getsignal(signal.SIGINT) is note:
            signal.signal(signal.SIGINT, answer)

    try:
        signal.signal(signal.SIGINT, note)
        yield noted
    finally:
        try:
            give_back()
        except KeyboardInterrupt:
            give_back()
            raise
