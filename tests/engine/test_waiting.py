from __future__ import annotations

import pytest

from openpy.engine.waiting import Stepper, Wait

Ends = list[tuple[object, BaseException | None]]


def step(coroutine: object, ends: Ends) -> Stepper:
    stepper = Stepper(coroutine, lambda value, error: ends.append((value, error)))  # type: ignore[arg-type]
    stepper.step()
    return stepper


def test_a_coroutine_that_never_waits_ends_in_one_step() -> None:
    async def route() -> int:
        return 7

    ends: Ends = []
    step(route(), ends)
    assert ends == [(7, None)]


def test_what_is_complete_is_not_waited_for() -> None:
    wait: Wait[int] = Wait()
    wait.resolve(3)

    async def route() -> int:
        return await wait + await wait

    ends: Ends = []
    step(route(), ends)
    assert ends == [(6, None)]


def test_whoever_completes_a_wait_resumes_its_route_at_once() -> None:
    first: Wait[str] = Wait()
    second: Wait[str] = Wait()

    async def route() -> str:
        return await first + await second

    ends: Ends = []
    step(route(), ends)
    first.resolve("a")
    assert ends == []
    second.resolve("b")
    assert ends == [("ab", None)]


def test_one_commit_resumes_all_that_waited_for_it_in_order() -> None:
    waits: list[Wait[int]] = [Wait() for _ in range(3)]
    order: list[int] = []

    async def route(number: int) -> None:
        order.append(await waits[number])

    ends: Ends = []
    for number in range(3):
        step(route(number), ends)
    for number, wait in enumerate(waits):
        wait.resolve(number)
    assert order == [0, 1, 2]
    assert len(ends) == 3


def test_a_failure_is_raised_where_it_was_awaited() -> None:
    wait: Wait[int] = Wait()

    async def route() -> str:
        try:
            await wait
        except ValueError as error:
            return f"caught {error}"
        return "nothing"

    ends: Ends = []
    step(route(), ends)
    wait.fail(ValueError("no"))
    assert ends == [("caught no", None)]


def test_an_error_of_the_route_is_told_to_its_owner() -> None:
    async def route() -> None:
        raise KeyError("x")

    ends: Ends = []
    step(route(), ends)
    ((value, error),) = ends
    assert value is None
    assert isinstance(error, KeyError)


def test_only_the_first_completion_counts() -> None:
    wait: Wait[int] = Wait()
    heard: list[int | None] = []
    wait.on_done(lambda: heard.append(wait.value))
    wait.resolve(1)
    wait.resolve(2)
    wait.fail(ValueError())
    assert heard == [1]
    assert wait.done


def test_on_done_is_called_at_once_where_the_result_is_there() -> None:
    wait: Wait[int] = Wait()
    wait.fail(ValueError("kept"))
    heard: list[bool] = []
    wait.on_done(lambda: heard.append(wait.done))
    assert heard == [True]
    assert wait.value is None


def test_a_closed_route_runs_its_finally_blocks() -> None:
    cleaned: list[str] = []

    async def route() -> None:
        try:
            await Wait[None]()
        finally:
            cleaned.append("yes")

    ends: Ends = []
    step(route(), ends).close()
    assert cleaned == ["yes"]
    assert ends == []


def test_a_wait_that_fails_without_a_waiter_keeps_its_error() -> None:
    wait: Wait[int] = Wait()
    wait.fail(ValueError("late"))

    async def route() -> int:
        return await wait

    ends: Ends = []
    step(route(), ends)
    assert isinstance(ends[0][1], ValueError)
    with pytest.raises(ValueError, match="late"):
        raise ends[0][1]
