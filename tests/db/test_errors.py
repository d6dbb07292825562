import pytest

from openpy.db.errors import (
    DatabaseError,
    OutcomeUnknown,
    RowGone,
    RowRefused,
    Unavailable,
    Unusable,
    WrongTable,
)


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (RowRefused, DatabaseError),
        (RowGone, RowRefused),
        (Unavailable, DatabaseError),
        (OutcomeUnknown, Unavailable),
        (WrongTable, DatabaseError),
        (Unusable, DatabaseError),
    ],
)
def test_whoever_handles_the_wider_case_handles_the_narrower(
    error: type[DatabaseError], base: type[DatabaseError]
) -> None:
    assert issubclass(error, base)


def test_a_refused_row_says_nothing_about_the_database() -> None:
    assert not issubclass(RowRefused, Unavailable)
    assert not issubclass(Unavailable, RowRefused)
    assert not issubclass(Unusable, Unavailable), "trying again does not mend it"
