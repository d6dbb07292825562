"""A timer on the CPU clock of the calling thread: SIGPROF comes when this thread, no other, has used so much.

`signal.setitimer` counts the CPU time of all threads, so a busy second thread would fire while the first one sleeps.
The C library's timer_create(2) can do better; Linux only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading

THREAD_CPU_CLOCK = 3  # CLOCK_THREAD_CPUTIME_ID
TO_THREAD = 4  # SIGEV_THREAD_ID


class _SignalEvent(ctypes.Structure):  # struct sigevent
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_char * 44),
    )


class _Interval(ctypes.Structure):  # struct itimerspec
    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns"))


class CpuTimer:
    """Sends SIGPROF to the thread that makes it, each time it has used `interval` seconds of CPU time."""

    def __init__(self, interval: float) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._timer = ctypes.c_void_p()
        event = _SignalEvent(signal=signal.SIGPROF, notify=TO_THREAD, thread=threading.get_native_id())
        self._call("timer_create", THREAD_CPU_CLOCK, ctypes.byref(event), ctypes.byref(self._timer))
        nanoseconds = int(interval * 1e9)
        times = _Interval(0, nanoseconds, 0, nanoseconds)
        self._call("timer_settime", self._timer, 0, ctypes.byref(times), None)

    def stop(self) -> None:
        """No more signals."""
        self._call("timer_delete", self._timer)

    def _call(self, name: str, *arguments: object) -> None:
        if getattr(self._library, name)(*arguments):
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")
