"""The steps that a load is made of: one request of one user each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from bench.generator import Step
from bench.messages import EXPIRES, Call, Phone, Presentity, Sender, Watcher
from bench.messages import options as options_request


def bursts(steps: Iterable[Step], size: int) -> Iterator[list[Step]]:
    """So many steps at a time, each made when it is wanted."""
    source = iter(steps)
    while burst := list(islice(source, size)):
        yield burst


def options(sender: Sender, number: int) -> Step:
    """OPTIONS, which the script answers without state."""
    branch = sender.branch()
    return Step(branch, options_request(sender, branch, number))


def publish(user: Presentity, expires: int = EXPIRES) -> Step:
    """A document: an initial publication or a change."""
    branch = user.sender.branch()
    return Step(branch, user.publish(branch, document=True, expires=expires), user.answered)


def refresh(user: Presentity) -> Step:
    """A publication gets a new lifetime."""
    branch = user.sender.branch()
    return Step(branch, user.publish(branch, document=False), user.answered)


def remove(user: Presentity) -> Step:
    """A publication ends."""
    branch = user.sender.branch()
    return Step(branch, user.publish(branch, document=False, expires=0))


def subscribe(watcher: Watcher, expires: int = EXPIRES) -> Step:
    """A subscription begins or gets a new lifetime."""
    branch = watcher.sender.branch()
    return Step(branch, watcher.subscribe(branch, expires), watcher.answered)


def register(phone: Phone) -> Step:
    """A contact is registered, or gets a new lifetime."""
    branch = phone.sender.branch()
    return Step(branch, phone.register(branch), phone.answered)


def call(one: Call, established: Callable[[Call], None]) -> Step:
    """INVITE; its 2xx is acknowledged, and the call is established."""
    branch = one.sender.branch()

    def answered(response: bytes) -> bytes | None:
        one.answered(response)
        if not one.target:
            return None
        established(one)
        return one.ack(one.sender.branch())

    return Step(branch, one.invite(branch), answered)


def hang_up(one: Call) -> Step:
    """BYE."""
    branch = one.sender.branch()
    return Step(branch, one.bye(branch), one.ended)


def unsubscribe(watcher: Watcher) -> Step:
    """A subscription ends."""
    branch = watcher.sender.branch()
    return Step(branch, watcher.subscribe(branch, expires=0))
