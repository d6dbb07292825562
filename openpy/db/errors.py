"""What can go wrong with a database, in the terms of those who must answer a request."""


class DatabaseError(Exception):
    """Any failure of a database; the text says what failed and, where there is one, what to do."""


class RowRefused(DatabaseError):
    """A value that this row cannot have: only the submission that carries it is refused."""


class RowGone(RowRefused):
    """An update of a row that is no longer there (somebody else deleted it)."""


class Unavailable(DatabaseError):
    """The database is locked, full or away, or the queue is full: the same request may succeed later."""


class Unusable(DatabaseError):
    """The URL leads to no database that lets us in (file, name, user, password, driver): somebody must mend it."""


class OutcomeUnknown(Unavailable):
    """The connection was lost, or the disk failed, in COMMIT: the transaction may be kept or not."""


class WrongTable(DatabaseError):
    """A table whose version or columns differ: the text says what was found, what is needed, what to run."""
