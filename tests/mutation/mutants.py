"""Ways to break a promise: each a small change of the source that tests have to find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PRESENCE = "openpy/modules/presence"


@dataclass(frozen=True)
class Mutant:
    """In `file`, `old`, which stands there once, becomes `new`. `tests` are unit tests that know of the promise."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def apply(self, root: Path) -> None:
        """Change the source below `root`; raises ValueError if it is not what it was."""
        path = root / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.name}: {self.file} has {text.count(self.old)} times {self.old!r}: mend the mutant"
            )
        path.write_text(text.replace(self.old, self.new))


MUTANTS = (
    Mutant(
        "PUBLISH is answered before the commit",
        f"{PRESENCE}/module.py",
        "                headers, committed = publish(agent, run.request, run.flow, run.uri, text)\n",
        "                headers, committed = publish(agent, run.request, run.flow, run.uri, text)[0], None\n",
        ("tests/modules/presence/test_module.py",),
    ),
    Mutant(
        "SUBSCRIBE is answered before the commit",
        f"{PRESENCE}/module.py",
        "                    agent, run.request, run.flow, run.uri, number > 0\n                )\n",
        "                    agent, run.request, run.flow, run.uri, number > 0\n                )\n"
        "                committed = None\n",
        ("tests/modules/presence/test_module.py",),
    ),
    Mutant(
        "nothing is committed",
        "openpy/db/committer.py",
        "            connection.commit()\n",
        "            connection.rollback()\n",
        ("tests/db/test_committer.py",),
    ),
    Mutant(
        "CSeqs are used before they are reserved",
        f"{PRESENCE}/changes.py",
        "        dialog.reserved = self._reserved\n        dialog.reserving = True\n",
        "        dialog.limit = dialog.reserved = self._reserved\n        dialog.reserving = True\n",
        ("tests/modules/presence/test_changes.py", "tests/modules/presence/test_notifier.py"),
    ),
    Mutant(
        "CSeqs are not reserved at all",
        f"{PRESENCE}/notifier.py",
        "        if dialog.cseq >= dialog.limit:\n",
        "        if False:\n",
        ("tests/modules/presence/test_notifier.py",),
    ),
    Mutant(
        "CSeqs begin anew after a restart",
        f"{PRESENCE}/recovery.py",
        "    dialog.cseq = dialog.limit = dialog.reserved = max(",
        "    dialog.limit = dialog.reserved = max(",
        ("tests/modules/presence/test_recovery.py",),
    ),
    Mutant(
        "a presentity's changes are applied before they are committed",
        f"{PRESENCE}/presentity.py",
        "            self.store.writer.submit(self.uri, change.operations, answered)\n",
        "            self.store.writer.submit(self.uri, change.operations, lambda error: None)\n"
        "            answered(None)\n",
        ("tests/modules/presence/test_presentity.py",),
    ),
    Mutant(
        "a presentity's changes overtake each other",
        "openpy/db/writer.py",
        "        self._burst.append((key, operations, done))\n",
        "        self._burst.insert(0, (key, operations, done))\n",
        ("tests/db/test_writer.py",),
    ),
    Mutant(
        "the watchers are told before the publisher",
        f"{PRESENCE}/presentity.py",
        "            wait.resolve(None)\n            change.announce()\n",
        "            change.announce()\n            wait.resolve(None)\n",
        ("tests/modules/presence/test_presentity.py",),
    ),
    Mutant(
        "the changes of a batch are applied in reverse",
        "openpy/db/committer.py",
        "enumerate(self.batch):",
        "reversed(list(enumerate(self.batch))):",
        ("tests/db/test_writer.py",),
    ),
    Mutant(
        "the rows of a batch are written in reverse",
        "openpy/db/committer.py",
        "                for operations in submissions:\n",
        "                for operations in reversed(submissions):\n",
        ("tests/db/test_committer.py",),
    ),
    Mutant(
        "what was decided on a refused change stands",
        f"{PRESENCE}/presentity.py",
        "            self.broken = True\n",
        "            self.broken = False\n",
        ("tests/modules/presence/test_presentity.py",),
    ),
    Mutant(
        "what follows a refused change is written",
        "openpy/db/committer.py",
        "            if failed and entry[0] in failed:\n",
        "            if False:\n",
        ("tests/db/test_committer.py",),
    ),
    Mutant(
        "an unknown outcome is taken for a refusal",
        f"{PRESENCE}/presentity.py",
        "                self._lost += tuple(change.operations)\n",
        "                pass\n",
        ("tests/modules/presence/test_presentity.py",),
    ),
    Mutant(
        "the row of a removed publication stays",
        f"{PRESENCE}/changes.py",
        "            operations.append(store.delete_publication(publication.id))\n",
        "",
        ("tests/modules/presence/test_changes.py",),
    ),
    Mutant(
        "the row of an ended subscription stays",
        f"{PRESENCE}/changes.py",
        "            operations.append(store.delete_subscription(subscription.id))\n        self._previous",
        "            pass\n        self._previous",
        ("tests/modules/presence/test_changes.py",),
    ),
    Mutant(
        "the last word is said before the end is committed",
        f"{PRESENCE}/changes.py",
        "            subscription.ending = True\n            operations.append",
        "            subscription.ending = True\n"
        "            subscription.finish(TIMEOUT, with_body=bool(remote_cseq))\n            operations.append",
        ("tests/modules/presence/test_changes.py",),
    ),
    Mutant(
        "NOTIFYs do not wait for the answer to the one before",
        f"{PRESENCE}/notifier.py",
        "        if subscription.dialog.busy:\n            self._later",
        "        if False:\n            self._later",
        ("tests/modules/presence/test_notifier.py",),
    ),
    Mutant(
        "what waited for an answer is not told",
        f"{PRESENCE}/notifier.py",
        "        if dialog.waiting:\n            self.go_on(dialog)\n",
        "        dialog.waiting = ()\n        subscription.due = False\n",
        ("tests/modules/presence/test_notifier.py",),
    ),
    Mutant(
        "what is being refreshed may expire",
        f"{PRESENCE}/expiry.py",
        "        return record.refreshing > 0 or record.ending\n",
        "        return record.ending\n",
        ("tests/modules/presence/test_expiry.py",),
    ),
    Mutant(
        "deadlines go by the wall clock",
        f"{PRESENCE}/agent.py",
        "        return self._epoch + self._monotonic()\n",
        "        return self.services.clock.wall()\n",
        ("tests/modules/presence/test_agent.py",),
    ),
    Mutant(
        "retransmissions are handled like new requests",
        "openpy/transaction/layer.py",
        "        if transaction is None:\n            self._known_request,",
        "        if transaction is None or self._servers.transactions.pop(key):\n            self._known_request,",
        ("tests/transaction/test_layer.py",),
    ),
)
