"""The two-dimensional loudness-war restraint principle: how much may be done to a recording.

Two questions decide: how loud is it already, and is it still alive?

    loud       = ramp of LUFS,      0 at -13, 1 at -11
    compressed = ramp of crest,     1 at 12 dB, 0 at 14 dB
                 or, where larger, of PSR P10: 1 at 8 dB, 0 at 10 dB
    restore  = loud * compressed
    preserve = loud * (1 - compressed)
    master   = 1 - loud

The weights sum to 1. The class is the largest of them; ties go to *master* first and to *preserve*
next, so that exactly -12 LUFS is quiet and exactly 13 dB of crest is dynamic. PSR counts because
crest alone is fooled: a track pushed 3 dB into a brick wall can still read a crest of 14 dB.
"""

from typing import Final

from tonearm.model.plan import Lwrp, Policy, PolicyWeights

LOUD_BORDER_LUFS: Final = -12.0
CREST_BORDER_DB: Final = 13.0
PSR_BORDER_DB: Final = 9.0
RAMP_HALF_WIDTH: Final = 1.0
"""A ramp is exactly 0 or 1 at this distance from its border, dB."""

LEAST_AMOUNT: Final = 0.1


def ramp(value: float, zero: float, one: float) -> float:
    """Linear from 0 at ``zero`` to 1 at ``one`` (either may be the larger), constant outside. 0..1."""
    return min(1.0, max(0.0, (value - zero) / (one - zero)))


def loud_weight(lufs: float) -> float:
    """How much a track counts as loud, 0..1: 0 at -13 LUFS and below, 1 at -11 LUFS and above."""
    return ramp(lufs, LOUD_BORDER_LUFS - RAMP_HALF_WIDTH, LOUD_BORDER_LUFS + RAMP_HALF_WIDTH)


def compressed_weight(crest_db: float, psr_p10_db: float) -> float:
    """How much a track counts as compressed, 0..1: the larger of the crest ramp and the PSR ramp."""
    by_crest = ramp(crest_db, CREST_BORDER_DB + RAMP_HALF_WIDTH, CREST_BORDER_DB - RAMP_HALF_WIDTH)
    by_psr = ramp(psr_p10_db, PSR_BORDER_DB + RAMP_HALF_WIDTH, PSR_BORDER_DB - RAMP_HALF_WIDTH)
    return max(by_crest, by_psr)


def restoration_amount(crest_db: float) -> float:
    """How far attacks would be re-opened, 0.1..1: a tenth for each dB of crest under 13."""
    return min(1.0, max(LEAST_AMOUNT, (CREST_BORDER_DB - crest_db) / 10.0))


def decide(lufs: float, crest_db: float, psr_p10_db: float) -> Lwrp:
    """Weigh the three policies for one track.

    Args:
        lufs: integrated loudness, LUFS.
        crest_db: sample peak over RMS of the gated blocks, dB.
        psr_p10_db: 10th percentile of the peak to short-term loudness ratio, dB.

    Returns:
        The weights, the class they name, the amount (0 unless the class is *restore*; not weighted)
        and one sentence made from the numbers.
    """
    loud, compressed = loud_weight(lufs), compressed_weight(crest_db, psr_p10_db)
    weights = PolicyWeights(restore=loud * compressed, preserve=loud * (1.0 - compressed), master=1.0 - loud)
    policy = _largest(weights)
    amount = restoration_amount(crest_db) if policy is Policy.RESTORE else 0.0
    return Lwrp(policy, weights, amount, _reason(policy, lufs, crest_db, psr_p10_db, amount))


def _largest(weights: PolicyWeights) -> Policy:
    if weights.master >= max(weights.preserve, weights.restore):
        return Policy.MASTER
    return Policy.PRESERVE if weights.preserve >= weights.restore else Policy.RESTORE


def _reason(policy: Policy, lufs: float, crest_db: float, psr_p10_db: float, amount: float) -> str:
    numbers = f"{lufs:.1f} LUFS, crest {crest_db:.1f} dB, PSR {psr_p10_db:.1f} dB"
    if policy is Policy.MASTER:
        return f"{numbers}: quiet or moderate, there is room to master"
    if policy is Policy.PRESERVE:
        return f"{numbers}: loud and still dynamic, left as it is but for its level"
    return f"{numbers}: loud and compressed, level down first; restoration amount {amount:.2f}"
