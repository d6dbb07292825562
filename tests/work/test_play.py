from __future__ import annotations

from pathlib import Path

import pytest

from tests.work.house import House
from tests.work.play import BURST, OPERATIONS, main, play


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operations_are_served(tmp_path: Path, operation: str) -> None:
    house = House(tmp_path)
    try:
        play(house, operation, BURST)
        counted = house.server.dispatcher.received_requests.value
    finally:
        house.close()
    assert counted == BURST * {"options": 1, "register": 2, "call": 3}[operation]


def test_the_command() -> None:
    main(["options", "1"])
    with pytest.raises(SystemExit):
        main(["dance", "1"])
