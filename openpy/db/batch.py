"""What one transaction runs: many operations, few statements.

Rules:
1. At most one full row, or one row of each FixedUpdate, is written per id: the last one wins.
2. Updates of one row that share columns carry the same values there, so their order does not matter.
3. Deletions come first, then full rows, then updates: a deleted row frees its unique keys for a new one.
   Where two rows exchange a unique key even that may fail; then each submission is run alone, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from openpy.db.dialect import Cursor, Dialect, Row
from openpy.db.errors import RowGone
from openpy.db.statements import Delete, FixedUpdate, Operation, TableSql, Update, Upsert


class _TablePlan:
    """The operations on one table, by id."""

    __slots__ = ("deletes", "updates", "upserts")

    def __init__(self) -> None:
        self.deletes: dict[int, None] = {}
        self.upserts: dict[int, Row] = {}
        self.updates: dict[FixedUpdate, dict[int, Row]] = {}


class Batch:
    """Coalesced operations, to be run in one transaction."""

    __slots__ = ("_plans",)

    def __init__(self) -> None:
        self._plans: dict[TableSql, _TablePlan] = {}

    def add(self, operations: Sequence[Operation]) -> None:
        """Add operations; later ones on the same row replace or complete earlier ones."""
        for operation in operations:
            kind = type(operation)
            if kind is Update:
                self._update(operation)  # type: ignore[arg-type]
            elif kind is Upsert:
                self._upsert(operation)  # type: ignore[arg-type]
            else:
                self._delete(operation)  # type: ignore[arg-type]

    def run(self, dialect: Dialect, cursor: Cursor) -> int:
        """Run everything; returns the number of rows. Raises RowGone, and what the driver raises."""
        count = 0
        for table, plan in self._plans.items():
            if plan.deletes:
                count += len(plan.deletes)
                dialect.run(cursor, table.delete, [(id_,) for id_ in plan.deletes])
            if plan.upserts:
                count += len(plan.upserts)
                dialect.run(cursor, table.upsert, [(id_, *values) for id_, values in plan.upserts.items()])
            for update, rows in plan.updates.items():
                if rows:
                    count += len(rows)
                    run_updates(dialect, cursor, update, [(*values, id_) for id_, values in rows.items()])
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
        for rows in plan.updates.values():
            rows.pop(id_, None)

    def _update(self, operation: Update) -> None:
        update, id_, values = operation
        plan = self._plan(update.table)
        if id_ in plan.upserts:
            plan.upserts[id_] = _patched(plan.upserts[id_], update.in_full_row, values)
        elif id_ not in plan.deletes:
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
        for rows in plan.updates.values():
            rows.pop(id_, None)


def run_in_order(operations: Sequence[Operation], dialect: Dialect, cursor: Cursor) -> int:
    """Run operations one by one, as they stand; returns their number. Raises as `Batch.run` does."""
    for operation in operations:
        if isinstance(operation, Update):
            run_updates(dialect, cursor, operation.sql, [(*operation.values, operation.id)])
        elif isinstance(operation, Upsert):
            dialect.run(cursor, operation.table.upsert, [(operation.id, *operation.values)])
        else:
            dialect.run(cursor, operation.table.delete, [(operation.id,)])
    return len(operations)


def run_updates(dialect: Dialect, cursor: Cursor, update: FixedUpdate, rows: Sequence[Row]) -> None:
    """Run one update for many rows, each of which must be there; raises RowGone."""
    if dialect.run(cursor, update.sql, rows) < len(rows):
        raise RowGone(f"table {update.table.name} has lost a row that was to be updated")


def _patched(row: Row, pairs: Iterable[tuple[int, int]], values: Row) -> Row:
    """The row with some places taken from other values: pairs of (place in row, place in values)."""
    changed = list(row)
    for place, source in pairs:
        changed[place] = values[source]
    return tuple(changed)
