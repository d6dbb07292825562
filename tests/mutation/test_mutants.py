"""Each broken promise is found by the simulation, or else by its unit tests; what is not broken is not found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.check import broken_seed, copy, failed_test
from tests.mutation.mutants import MUTANTS, Mutant

SEEDS = 20
"""`make mutants` runs more."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.pure]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_broken_promise_is_found(mutant: Mutant, root: Path, tmp_path: Path) -> None:
    copy(root, tmp_path)
    mutant.apply(tmp_path)
    assert broken_seed(tmp_path, SEEDS) or failed_test(tmp_path, mutant.tests), f"{mutant.name}: survives"


def test_where_no_promise_is_broken_nothing_is_found(root: Path, tmp_path: Path) -> None:
    copy(root, tmp_path)
    assert not broken_seed(tmp_path, 5)
    assert not failed_test(tmp_path, sorted({test for mutant in MUTANTS for test in mutant.tests}))


def test_a_mutant_that_fits_nowhere_says_so(root: Path, tmp_path: Path) -> None:
    copy(root, tmp_path)
    with pytest.raises(ValueError, match="mend the mutant"):
        replace(MUTANTS[0], old="no such line").apply(tmp_path)
