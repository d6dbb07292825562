"""What one transaction runs: many operations, few statements.

Rules:
1. At most one full row, or one row of each FixedUpdate, is written per id: the last one wins.
2. Updates of one row that share columns carry the same values there, so their order does not matter.
3. Guarded updates of one row are run one after the other, in order: each has to find what the one before made.
4. Deletions come first, then full and new rows, then updates: a deleted row frees its unique keys for a new one.
   Where two rows exchange a unique key even that may fail; then each submission is run alone, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openpy.db.dialect import Cursor, Row
from openpy.db.errors import RowGone
from openpy.db.statements import (
    Change,
    Delete,
    FixedUpdate,
    GuardedUpdate,
    Insert,
    TableSql,
    Update,
    Upsert,
)


class _TablePlan:
    """The operations on one table, by id."""

    __slots__ = ("deletes", "depths", "guarded", "inserts", "updates", "upserts")

    def __init__(self) -> None:
        self.deletes: dict[int, None] = {}
        self.upserts: dict[int, Row] = {}
        self.inserts: list[Row] = []
        self.updates: dict[FixedUpdate, dict[int, Row]] = {}
        self.guarded: list[dict[FixedUpdate, dict[int, Row]]] = []
        """The first guarded update of each row, the second of each, and so on."""
        self.depths: dict[int, int] = {}

    def drop_updates(self, id_: int) -> None:
        """The row is written as a whole, or deleted."""
        for rows in self.updates.values():
            rows.pop(id_, None)
        for layer in self.guarded:
            for rows in layer.values():
                rows.pop(id_, None)

    def all_updates(self) -> Iterator[tuple[FixedUpdate, dict[int, Row]]]:
        """What is to be run after deletions and full rows, in order."""
        yield from self.updates.items()
        for layer in self.guarded:
            yield from layer.items()


class Batch:
    """Coalesced operations, to be run in one transaction."""

    __slots__ = ("_plans",)

    def __init__(self) -> None:
        self._plans: dict[TableSql, _TablePlan] = {}

    def add(self, operations: Sequence[Change]) -> None:
        """Add operations; later ones on the same row replace or complete earlier ones."""
        for operation in operations:
            kind = type(operation)
            if kind is Update:
                self._update(operation)  # type: ignore[arg-type]
            elif kind is Upsert:
                self._upsert(operation)  # type: ignore[arg-type]
            elif kind is Insert:
                self._plan(operation.table).inserts.append(operation.values)  # type: ignore[union-attr]
            else:
                self._delete(operation)  # type: ignore[arg-type]

    def run(self, cursor: Cursor) -> int:
        """Run everything; returns the number of rows. Raises RowGone, and what the driver raises."""
        count = 0
        for table, plan in self._plans.items():
            if plan.deletes:
                count += len(plan.deletes)
                table.delete.run(cursor, [(id_,) for id_ in plan.deletes])
            if plan.upserts:
                count += len(plan.upserts)
                table.upsert.run(cursor, [(id_, *values) for id_, values in plan.upserts.items()])
            if plan.inserts:
                count += len(plan.inserts)
                table.insert.run(cursor, plan.inserts)
            for update, rows in plan.all_updates():
                if rows:
                    count += len(rows)
                    run_updates(cursor, update, [(*values, id_) for id_, values in rows.items()])
        return count

    def _plan(self, table: TableSql) -> _TablePlan:
        plan = self._plans.get(table)
        if plan is None:
            plan = self._plans[table] = _TablePlan()
        return plan

    def _upsert(self, operation: Upsert) -> None:
        table, id_, values = operation
        plan = self._plan(table)
        plan.upserts[id_] = values
        if plan.deletes:
            plan.deletes.pop(id_, None)
        plan.drop_updates(id_)

    def _update(self, operation: Update) -> None:
        update, id_, values = operation
        plan = self._plan(update.table)
        if id_ in plan.upserts:
            plan.upserts[id_] = _patched(plan.upserts[id_], update.in_full_row, values)
        elif id_ in plan.deletes:
            return
        elif isinstance(update, GuardedUpdate):
            depth = plan.depths.get(id_, 0)
            plan.depths[id_] = depth + 1
            if depth == len(plan.guarded):
                plan.guarded.append({})
            plan.guarded[depth].setdefault(update, {})[id_] = values
        else:
            for other, rows in plan.updates.items():
                if other is not update and id_ in rows:
                    rows[id_] = _patched(rows[id_], update.overlap(other), values)
            own = plan.updates.get(update)
            if own is None:
                own = plan.updates[update] = {}
            own[id_] = values

    def _delete(self, operation: Delete) -> None:
        table, id_ = operation
        plan = self._plan(table)
        plan.deletes[id_] = None
        plan.upserts.pop(id_, None)
        plan.drop_updates(id_)


def run_in_order(operations: Sequence[Change], cursor: Cursor) -> int:
    """Run operations one by one, as they stand; returns their number. Raises as `Batch.run` does."""
    for operation in operations:
        if isinstance(operation, Update):
            run_updates(cursor, operation.sql, [(*operation.values, operation.id)])
        elif isinstance(operation, Upsert):
            operation.table.upsert.run(cursor, [(operation.id, *operation.values)])
        elif isinstance(operation, Insert):
            operation.table.insert.run(cursor, [operation.values])
        else:
            operation.table.delete.run(cursor, [(operation.id,)])
    return len(operations)


def run_updates(cursor: Cursor, update: FixedUpdate, rows: Sequence[Row]) -> None:
    """Run one update for many rows, each of which must be there; raises RowGone."""
    if update.statement.run(cursor, rows) < len(rows):
        raise RowGone(f"table {update.table.name} has lost a row that was to be updated")


def _patched(row: Row, pairs: Iterable[tuple[int, int]], values: Row) -> Row:
    """The row with some places taken from other values: pairs of (place in row, place in values)."""
    changed = list(row)
    for place, source in pairs:
        changed[place] = values[source]
    return tuple(changed)
