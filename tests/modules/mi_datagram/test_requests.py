from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.engine.mi import Command, Node, declared_commands, mi_command
from openpy.modules.mi_datagram.requests import NOT_AVAILABLE, PARSE_ERROR, Unreadable, is_reply, read_request
from openpy.modules.mi_datagram.sockets import LONGEST


class Commands:
    """Two commands."""

    @mi_command("echo")
    def echo(self, *words: str) -> None:
        """With parameters."""

    @mi_command("which")
    def which(self) -> None:
        """Without."""


COMMANDS = {command.name: command for command in declared_commands(Commands(), "test")}


def find(name: str) -> Command | None:
    return COMMANDS.get(name)


def read(text: str | bytes) -> tuple[str, list[tuple[str, str | None]]]:
    command, nodes = read_request(text.encode() if isinstance(text, str) else text, find)
    return command.name, [(node.name, node.value) for node in nodes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":echo:\n", []),
        (":echo:", []),
        (":echo:\r\na\r\n", [("", "a")]),
        (":echo:\na\nname:: b c \n", [("", "a"), ("name", "b c")]),
        (":echo:\na", [("", "a")]),
        (":echo:\na\n\nb\n", [("", "a")]),
        (":echo:\na\n  \nb\n", [("", "a"), ("", "b")]),
        (':echo:\n"a\n\nb"\nc\n', [("", "a\n\nb"), ("", "c")]),
        (':echo:\n"a \\"b\\""\n', [("", 'a "b"')]),
    ],
)
def test_parameters(text: str, expected: list[tuple[str, str]]) -> None:
    assert read(text) == ("echo", expected)


def test_a_command_without_parameters_passes_over_them() -> None:
    assert read(':which:\n"never closed\n') == ("which", [])


@pytest.mark.parametrize(
    "text",
    ["", "\n", "nonsense", ":", "::\n", ":echo\n", ":Echo:\n", ":none:\n", ":echo:answer\n", "echo:\n"],
)
def test_what_names_no_command(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert str(caught.value) == NOT_AVAILABLE


@pytest.mark.parametrize(
    "text", [':echo:\na"b\n', ':echo:\n"a" b\n', ':echo:\n"a\n', ":echo:\n" + "a" * LONGEST]
)
def test_parameters_that_cannot_be_read(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert str(caught.value) == PARSE_ERROR


def test_the_longest_request_is_read() -> None:
    begin = ":echo:\n"
    assert read(begin + "a" * (LONGEST - len(begin))) == ("echo", [("", "a" * (LONGEST - len(begin)))])


def test_any_octets_stay_what_they_are() -> None:
    (node,) = read_request(b":echo:\na\xff\n", find)[1]
    assert node == Node("", "a\udcff")


def test_what_looks_like_an_answer() -> None:
    assert is_reply(b"500 command not available\n")
    assert is_reply(b"200 OK\n")
    assert not is_reply(b":200 OK:\n")
    assert not is_reply(b"")


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(alphabet=':"\\echo \n\t', max_size=40).map(lambda text: (":echo:\n" + text).encode()),
    )
)
def test_any_datagram_is_a_request_or_refused(data: bytes) -> None:
    with suppress(Unreadable):
        read_request(data, find)
