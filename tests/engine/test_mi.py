from __future__ import annotations

import pytest

from openpy.engine.log import DEBUG, Log
from openpy.engine.mi import (
    FAILED,
    CommandFailed,
    Commands,
    MiError,
    Node,
    Reply,
    declared_commands,
    mi_command,
)
from openpy.engine.waiting import Wait


class Oven:
    """Commands of every kind."""

    def __init__(self) -> None:
        self.opened: Wait[str] = Wait()
        self.calls: list[tuple[object, ...]] = []

    @mi_command("bake")
    def bake(self, what: str, minutes: int = 10) -> Reply:
        """Bake something."""
        self.calls.append((what, minutes))
        reply = Reply(202, "Hot")
        reply.add("Cake", what, size="big").add("Minutes", str(minutes))
        return reply

    @mi_command("list")
    def list_all(self, first: str, *more: int) -> None:
        self.calls.append((first, *more))

    @mi_command("off")
    def off(self) -> None:
        self.calls.append(())

    @mi_command("door", too_few=FAILED, too_many=(400, "Too many parameters"), no_number=FAILED)
    async def door(self, angle: int | None) -> Reply:
        inside = await self.opened
        if inside == "nothing":
            raise MiError(404, "Empty oven")
        reply = Reply()
        reply.add(value=f"{inside} at {angle}")
        return reply

    @mi_command("burn")
    def burn(self, text: str) -> None:
        raise CommandFailed(text)

    @mi_command("explode")
    def explode(self) -> None:
        raise ZeroDivisionError


class Kitchen:
    """An oven and who may use it."""

    def __init__(self) -> None:
        self.oven = Oven()
        self.log: list[str] = []
        self.reported: list[BaseException] = []
        log = Log(DEBUG, lambda _, line: self.log.append(line.split("] ", 1)[1]))
        self.commands = Commands(log, self.reported.append)
        for command in declared_commands(self.oven, "kitchen"):
            assert self.commands.add(command)

    def start(self, name: str, *values: str) -> Wait[Reply | None]:
        command = self.commands.find(name)
        assert command is not None
        return self.commands.run(command, [Node(value=value) for value in values])

    def run(self, name: str, *values: str) -> Reply | None:
        answer = self.start(name, *values)
        assert answer.done
        return answer.value


def test_commands_stand_in_order_and_upper_case_differs() -> None:
    commands = Kitchen().commands
    assert [command.name for command in commands] == ["bake", "list", "off", "door", "burn", "explode"]
    assert commands.find("Bake") is None
    bake = commands.find("bake")
    assert bake is not None
    assert (bake.group, bake.doc) == ("kitchen", "Bake something.")
    assert [(p.name, p.type, p.optional) for p in bake.parameters] == [
        ("what", str, False),
        ("minutes", int, True),
    ]
    assert commands.add(bake)
    assert not commands.add(next(declared_commands(Oven(), "other")))


def test_parameters_are_given_by_position_and_converted() -> None:
    kitchen = Kitchen()
    reply = kitchen.run("bake", "bread", "-5")
    assert reply is not None
    assert (reply.code, reply.reason) == (202, "Hot")
    assert reply.nodes == [Node("Cake", "bread", {"size": "big"}, [Node("Minutes", "-5")])]
    kitchen.run("bake", "rolls")
    kitchen.run("list", "a", "1", "+2")
    assert kitchen.oven.calls == [("bread", -5), ("rolls", 10), ("a", 1, 2)]


def test_a_command_that_returns_nothing_is_answered_200_ok() -> None:
    assert Kitchen().run("list", "a") == Reply(200, "OK")


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("bake", (), "Too few or too many arguments"),
        ("bake", ("a", "1", "x"), "Too few or too many arguments"),
        ("list", (), "Too few or too many arguments"),
        ("bake", ("a", "ten"), "Bad parameter"),
        ("bake", ("a", ""), "Bad parameter"),
        ("bake", ("a", "1_0"), "Bad parameter"),
        ("bake", ("a", "9" * 5000), "Bad parameter"),
        ("list", ("a", "1", "x"), "Bad parameter"),
        ("door", ("1", "2"), "Too many parameters"),
    ],
)
def test_wrong_parameters_are_refused(name: str, values: tuple[str, ...], reason: str) -> None:
    kitchen = Kitchen()
    assert kitchen.run(name, *values) == Reply(400, reason)
    assert not kitchen.oven.calls


@pytest.mark.parametrize(("values", "why"), [((), "too few parameters"), (("x",), "angle is not a number")])
def test_a_command_may_fail_instead_of_refusing(values: tuple[str, ...], why: str) -> None:
    kitchen = Kitchen()
    assert kitchen.run("door", *values) is None
    assert kitchen.log == [f"WARNING:mi: door: {why}"]


def test_a_command_without_parameters_takes_no_input() -> None:
    kitchen = Kitchen()
    off = kitchen.commands.find("off")
    assert off is not None
    assert not off.takes_input
    assert kitchen.run("off", "now", "please") == Reply()


def test_a_command_that_waits_answers_later() -> None:
    kitchen = Kitchen()
    answer = kitchen.start("door", "90")
    assert not answer.done
    kitchen.oven.opened.resolve("bread")
    assert answer.value == Reply(nodes=[Node(value="bread at 90")])
    kitchen.oven.opened = Wait()
    refused = kitchen.start("door", "90")
    kitchen.oven.opened.resolve("nothing")
    assert refused.value == Reply(404, "Empty oven")


def test_a_failure_is_logged_where_it_says_why() -> None:
    kitchen = Kitchen()
    assert kitchen.run("burn", "too hot") is None
    assert kitchen.run("burn", "") is None
    assert kitchen.log == ["WARNING:mi: burn: too hot"]
    assert not kitchen.reported


def test_a_mistake_of_ours_is_reported() -> None:
    kitchen = Kitchen()
    assert kitchen.run("explode") is None
    assert isinstance(kitchen.reported[0], ZeroDivisionError)


def test_parameters_are_text_or_numbers() -> None:
    class Odd:
        @mi_command("odd")
        def odd(self, share: float) -> None: ...

    with pytest.raises(TypeError, match=r"share of .*odd is neither str nor int"):
        list(declared_commands(Odd(), "odd"))


def test_the_commands_of_a_group_are_forgotten() -> None:
    commands = Kitchen().commands
    other = next(declared_commands(Oven(), "other"))
    commands.remove("other")
    assert commands.find("bake") is not None
    commands.remove("kitchen")
    assert list(commands) == []
    assert commands.add(other)
