"""Work on a thread of its own is done, whatever becomes of the thread."""

from __future__ import annotations

import threading
from _thread import start_new_thread
from typing import TYPE_CHECKING

from coopy.engine import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_work_whose_thread_was_shot_down_before_its_first_line_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """As CPython 3.11 does it, where `PyThreadState_SetAsyncExc` meets the thread that starts one: everybody would wait for that work for ever."""
    begun, results = [0], list[int]()

    def start(function: Callable[..., object], args: tuple[object, ...]) -> int:
        begun[0] += 1
        return start_new_thread(function, args) if begun[0] > 1 else 0

    def ask() -> None:
        results.append(uninterrupted.Worker().run(lambda: 7))

    monkeypatch.setattr(uninterrupted, "start_new_thread", start)
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(60)
    assert results == [7]
