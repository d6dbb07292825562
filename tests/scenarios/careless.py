"""openpy with a writer that answers before it commits: the control that shows what the kills would find."""

from __future__ import annotations

import sys
import time
from collections.abc import Hashable, Iterable, Sequence
from functools import partial
from unittest.mock import patch

from openpy.cli.openpy import main
from openpy.db.committer import Committer, Done, Forgiven, Outcome, Submission
from openpy.db.statements import Operation
from openpy.db.writer import Writer

DELAY = 0.1  # seconds that every commit comes late

_submit = Writer.submit
_commit = Committer.commit


def submit_carelessly(writer: Writer, key: Hashable, operations: Sequence[Operation], done: Done) -> None:
    """Submit, and say at once that it is durable."""
    _submit(writer, key, operations, lambda _: None)
    writer._post(partial(done, None))


def commit_late(committer: Committer, entries: Iterable[Submission | Forgiven]) -> Outcome:
    """Commit, after a while."""
    time.sleep(DELAY)
    return _commit(committer, entries)


if __name__ == "__main__":
    with patch.object(Writer, "submit", submit_carelessly), patch.object(Committer, "commit", commit_late):
        sys.exit(main())
