"""What a route waits for: a commit, a DNS answer, a query. Resumed by whoever completes it.

Rules:
1. A `Wait` is completed at most once, in the loop's thread; a second completion is ignored.
2. A route's coroutine is stepped by hand (`Stepper`): no task per message. A route that never waits
   runs to its end in one step.
3. Code that awaits a foreign future must go through `engine.runtime`, which makes a task of it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Wait(Generic[T]):
    """A one-shot result. `await` it in a route or module function; `resolve` or `fail` it elsewhere."""

    __slots__ = ("_error", "_resume", "_value", "done")

    def __init__(self) -> None:
        self.done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._resume: Callable[[], None] | None = None

    def __await__(self) -> Generator[Wait[T], None, T]:
        """Wait for the result; raises what `fail` was given."""
        if not self.done:
            yield self
        if self._error is not None:
            raise self._error
        value: T = self._value
        return value

    def resolve(self, value: T) -> None:
        """Complete with a value and resume the waiter at once."""
        if not self.done:
            self.done = True
            self._value = value
            if self._resume is not None:
                self._resume()

    def fail(self, error: BaseException) -> None:
        """Complete with an error and resume the waiter at once."""
        if not self.done:
            self.done = True
            self._error = error
            if self._resume is not None:
                self._resume()

    @property
    def value(self) -> T | None:
        """The value, where it was completed with one."""
        value: T | None = self._value
        return value

    def on_done(self, resume: Callable[[], None]) -> None:
        """Register the one waiter; called at once if the result is there."""
        if self.done:
            resume()
        else:
            self._resume = resume


class Stepper:
    """Drives one coroutine from Wait to Wait; `finished(value, error)` hears its end."""

    __slots__ = ("_coroutine", "_finished")

    def __init__(
        self, coroutine: Coroutine[Any, None, Any], finished: Callable[[Any, BaseException | None], None]
    ) -> None:
        self._coroutine = coroutine
        self._finished = finished

    def step(self) -> None:
        """Run to the next wait, or to the end."""
        try:
            wait: Wait[Any] = self._coroutine.send(None)
        except StopIteration as end:
            self._finished(end.value, None)
        except Exception as error:  # noqa: BLE001 - whatever a route raises is told to its owner
            self._finished(None, error)
        else:
            wait.on_done(self.step)

    def close(self) -> None:
        """Give up: the coroutine's `finally` blocks run now."""
        self._coroutine.close()
