"""The decision, against the reference decisions and the plain matrix of the specification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.mastering.lwrp import decide
from tonearm.model.plan import Policy

lufs_values = st.floats(-60.0, 0.0)
crest_values = st.floats(0.0, 40.0)
psr_values = st.floats(0.0, 30.0)


@pytest.mark.parametrize(
    ("lufs", "crest_db", "policy", "amount"),
    [
        (-11.0, 12.0, Policy.RESTORE, 0.10),
        (-8.2, 8.5, Policy.RESTORE, 0.45),
        (-10.0, 14.0, Policy.PRESERVE, 0.0),
        (-18.0, 3.0, Policy.MASTER, 0.0),
        (-18.0, 25.0, Policy.MASTER, 0.0),
    ],
)
@pytest.mark.parametrize("psr_p10_db", [10.0, 14.0])
def test_reference_decisions(lufs, crest_db, policy, amount, psr_p10_db):
    lwrp = decide(lufs, crest_db, psr_p10_db)
    assert lwrp.policy is policy
    assert lwrp.amount == pytest.approx(amount, abs=1e-9)
    assert getattr(lwrp.weights, policy) == 1.0


def test_the_borders_belong_to_quiet_and_to_dynamic():
    assert decide(-12.0, 5.0, 5.0).policy is Policy.MASTER
    assert decide(-12.0 + 1e-9, 5.0, 5.0).policy is Policy.RESTORE
    assert decide(-9.0, 13.0, 12.0).policy is Policy.PRESERVE
    assert decide(-9.0, 13.0 - 1e-9, 12.0).policy is Policy.RESTORE


@pytest.mark.parametrize(
    ("lufs", "crest_db", "psr_p10_db", "weights"),
    [
        (-13.0, 8.0, 6.0, (0.0, 0.0, 1.0)),
        (-11.0, 8.0, 12.0, (1.0, 0.0, 0.0)),
        (-11.5, 13.5, 12.0, (0.75 * 0.25, 0.75 * 0.75, 0.25)),
        (-9.0, 12.0, 12.0, (1.0, 0.0, 0.0)),
        (-9.0, 14.0, 10.0, (0.0, 1.0, 0.0)),
        (-9.0, 14.0, 8.0, (1.0, 0.0, 0.0)),
        (-9.0, 14.0, 8.5, (0.75, 0.25, 0.0)),
    ],
)
def test_weights_are_products_of_ramps(lufs, crest_db, psr_p10_db, weights):
    found = decide(lufs, crest_db, psr_p10_db).weights
    assert (found.restore, found.preserve, found.master) == pytest.approx(weights, abs=1e-12)


def test_a_brick_wall_is_heard_through_a_high_crest():
    assert decide(-9.0, 14.5, 7.5).policy is Policy.RESTORE
    assert decide(-9.0, 14.5, 7.5).amount == 0.1


@given(lufs=lufs_values, crest_db=crest_values, psr_p10_db=psr_values)
def test_weights_are_a_partition_and_name_the_class(lufs, crest_db, psr_p10_db):
    lwrp = decide(lufs, crest_db, psr_p10_db)
    weights = {policy: getattr(lwrp.weights, policy) for policy in Policy}
    assert sum(weights.values()) == pytest.approx(1.0, abs=1e-12)
    assert min(weights.values()) >= 0.0
    assert weights[lwrp.policy] == max(weights.values())
    assert lwrp.amount == (0.0 if lwrp.policy is not Policy.RESTORE else lwrp.amount)
    assert lwrp.policy is not Policy.RESTORE or 0.1 <= lwrp.amount <= 1.0


@given(lufs=lufs_values, crest_db=crest_values, psr_p10_db=psr_values)
def test_beyond_1_db_of_every_border_it_is_the_plain_matrix(lufs, crest_db, psr_p10_db):
    if abs(lufs + 12.0) < 1.0 or abs(crest_db - 13.0) < 1.0 or abs(psr_p10_db - 9.0) < 1.0:
        return
    compressed = crest_db < 13.0 or psr_p10_db < 9.0
    expected = Policy.MASTER if lufs < -12.0 else Policy.RESTORE if compressed else Policy.PRESERVE
    lwrp = decide(lufs, crest_db, psr_p10_db)
    assert lwrp.policy is expected
    assert getattr(lwrp.weights, expected) == 1.0


def test_the_reason_carries_the_numbers():
    reason = decide(-8.2, 8.5, 10.3).reason
    for number in ("-8.2 LUFS", "crest 8.5", "PSR 10.3", "0.45"):
        assert number in reason
