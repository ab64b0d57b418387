"""What a listener can choose for the sound, over HTTP."""

from typing import Any

from fastapi import APIRouter

from tonearm.mastering.presets import BIASES
from tonearm.model.fingerprint import BAND_NAMES
from tonearm.model.plan import Preset


def build_enhancement_router() -> APIRouter:
    """Routes on presets; they read constants."""
    router = APIRouter(prefix="/api/enhancement", tags=["enhancement"])

    @router.get("/presets")
    async def presets() -> dict[str, Any]:
        return {"presets": [_described(preset) for preset in Preset], "default": Preset.ADAPTIVE.value}

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


def _by_band(values: tuple[float, ...]) -> dict[str, float]:
    return {name.removesuffix("_pct"): value for name, value in zip(BAND_NAMES, values, strict=True)}
