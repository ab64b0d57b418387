"""A plan in plain words and numbers, as the wire, the HTTP API and the command line show it.

Every value is a str, int, float, bool, None, list or dict, so that JSON can carry it.
"""

from tonearm.model.fingerprint import BAND_NAMES
from tonearm.model.plan import Lwrp, MasteringPlan, Prediction


def describe(plan: MasteringPlan) -> dict[str, object]:
    """The plan as a JSON object.

    Returns:
        ``state``, ``preset``, ``intensity``, ``bypass`` (bool), ``lwrp`` (``class``, ``weights``,
        ``amount``, ``reason``; None without a fingerprint), ``parameters`` (by name: ``value``, ``unit``,
        ``reason``), ``measured`` (by name, the unit being the end of the name) and ``predicted``
        (``lufs``, ``true_peak_dbtp``, ``plr_db``; None where nothing was measured).
    """
    return {
        "state": plan.state.value,
        "preset": plan.preset.value,
        "intensity": plan.intensity,
        "bypass": plan.bypass,
        "lwrp": None if plan.lwrp is None else _lwrp(plan.lwrp),
        "parameters": _parameters(plan),
        "measured": dict(plan.measured),
        "predicted": None if plan.predicted is None else _prediction(plan.predicted),
    }


def _lwrp(lwrp: Lwrp) -> dict[str, object]:
    return {
        "class": lwrp.policy.value,
        "weights": {
            "restore": lwrp.weights.restore,
            "preserve": lwrp.weights.preserve,
            "master": lwrp.weights.master,
        },
        "amount": lwrp.amount,
        "reason": lwrp.reason,
    }


def _prediction(predicted: Prediction) -> dict[str, object]:
    return {
        "lufs": predicted.lufs,
        "true_peak_dbtp": predicted.true_peak_dbtp,
        "plr_db": predicted.plr_db,
    }


def _parameters(plan: MasteringPlan) -> dict[str, object]:
    bands = {name.removesuffix("_pct"): gain for name, gain in zip(BAND_NAMES, plan.eq_db, strict=True)}

    def parameter(value: object, unit: str, name: str) -> dict[str, object]:
        reason = plan.reasons["bypass" if plan.bypass else name]
        return {"value": value, "unit": unit, "reason": reason}

    return {
        "target_lufs": parameter(plan.target_lufs, "LUFS", "target_lufs"),
        "ceiling_dbtp": parameter(plan.ceiling_dbtp, "dBTP", "ceiling_dbtp"),
        "gain_db": parameter(plan.gain_db, "dB", "gain_db"),
        "limiting_db": parameter(plan.limiting_db, "dB", "limiting_db"),
        "eq_db": parameter(bands, "dB", "eq_db"),
        "compression_reduction_db": parameter(plan.compression.reduction_db, "dB", "compression"),
        "compression_ratio": parameter(plan.compression.ratio, "", "compression"),
        "restoration_boost_db": parameter(plan.restoration.boost_db, "dB", "restoration"),
        "width_side_gain_db": parameter(plan.width.side_gain_db, "dB", "width"),
        "width_mono_bass": parameter(plan.width.mono_bass, "", "width"),
    }
