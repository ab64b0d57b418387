"""What a listener can choose for the sound, and what it is measured against, over HTTP."""

import itertools
from typing import Any

from fastapi import APIRouter

from tonearm.mastering.corridor import HALF_WIDTHS_DB, MEDIANS_DB
from tonearm.mastering.lwrp import CREST_BORDER_DB, LOUD_BORDER_LUFS, PSR_BORDER_DB, RAMP_HALF_WIDTH
from tonearm.mastering.presets import BIASES
from tonearm.mastering.spectrum import k_weighting_db
from tonearm.model.fingerprint import BAND_EDGES_HZ, BAND_NAMES, DIMENSIONS
from tonearm.model.measures import THIRD_OCTAVES_HZ
from tonearm.model.plan import Preset


def build_enhancement_router() -> APIRouter:
    """Routes on presets and yardsticks; they read constants."""
    router = APIRouter(prefix="/api/enhancement", tags=["enhancement"])

    @router.get("/presets")
    async def presets() -> dict[str, Any]:
        return {"presets": [_described(preset) for preset in Preset], "default": Preset.ADAPTIVE.value}

    @router.get("/yardsticks")
    async def yardsticks() -> dict[str, Any]:
        """What decisions are made by: the equaliser's bands, the corridor of music (levels relative to the
        spectrum's own K-weighted loudness), where the restraint principle has its borders, and what the 25
        numbers of a fingerprint mean."""
        return {
            "bands": _bands(),
            "corridor": _corridor(),
            "borders": {
                "lufs": LOUD_BORDER_LUFS,
                "crest_db": CREST_BORDER_DB,
                "psr_p10_db": PSR_BORDER_DB,
                "half_width_db": RAMP_HALF_WIDTH,
            },
            "dimensions": [{"name": each.name, **each.metadata} for each in DIMENSIONS],
        }

    return router


def _described(preset: Preset) -> dict[str, Any]:
    """A preset and all the numbers it moves, those of the equaliser by its bands."""
    bias = BIASES[preset]
    return {
        "name": preset.value,
        "summary": bias.summary,
        "moves": {
            "tone_db": _by_band(bias.tone_db),
            "correction_scale": _by_band(bias.correction_scale),
            "target_offset_db": bias.target_offset_db,
            "compression_scale": bias.compression_scale,
            "restoration_scale": bias.restoration_scale,
            "width_scale": bias.width_scale,
        },
    }


def _bands() -> list[dict[str, Any]]:
    """The seven bands and where they end, Hz."""
    return [
        {"name": name.removesuffix("_pct"), "low_hz": low, "high_hz": high}
        for name, (low, high) in zip(BAND_NAMES, itertools.pairwise(BAND_EDGES_HZ), strict=True)
    ]


def _corridor() -> list[dict[str, float]]:
    """The 30 third-octaves: where music lies, and the weight of each in loudness."""
    return [
        {"hz": hz, "median_db": median, "half_width_db": half_width, "k_weighting_db": float(weight)}
        for hz, median, half_width, weight in zip(
            THIRD_OCTAVES_HZ, MEDIANS_DB, HALF_WIDTHS_DB, k_weighting_db(), strict=True
        )
    ]


def _by_band(values: tuple[float, ...]) -> dict[str, float]:
    return {name.removesuffix("_pct"): value for name, value in zip(BAND_NAMES, values, strict=True)}
