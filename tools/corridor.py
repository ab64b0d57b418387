"""Compute the corridor of music and write it as literals: ``python tools/corridor.py DIR``.

Every track below DIR of at least 60 s and 44.1 kHz counts once. Its third-octaves are taken relative
to their own K-weighted loudness. Per third-octave, over the tracks that hold anything there (a codec's
low-pass leaves nothing, which says nothing of tone):

    median, and half-width = max(1.5 standard deviations, 4 dB)
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.mastering.spectrum import normalised
from tonearm.model.errors import DecodeError, NotEnoughAudio
from tonearm.model.measures import THIRD_OCTAVES_HZ
from tonearm.rendering.measure import measure_file

LEAST_SECONDS: Final = 60.0
LEAST_RATE: Final = 44_100
EMPTY_DB: Final = -60.0
"""A third-octave this far under the track's loudness holds nothing."""

LEAST_HALF_WIDTH_DB: Final = 4.0
DEVIATIONS: Final = 1.5
DESTINATION: Final = Path(__file__).parents[1] / "src/tonearm/mastering/corridor.py"

MODULE: Final = '''\
"""The corridor of music: where the third-octaves of real tracks lie. Written by ``tools/corridor.py``.

Computed from {tracks} tracks of at least {seconds:g} s and {rate} Hz. Each track's third-octaves are taken
relative to their own K-weighted loudness (BS.1770-5, ungated; ``mastering/spectrum.py``), so gain and
silence do not count. A third-octave more than {empty:g} dB under that loudness holds nothing and is left
out (at least {fewest} tracks remain in each). The half-width is max({deviations:g} standard deviations,
{least:g} dB).
"""

from typing import Final

MEDIANS_DB: Final = (
{medians})
"""Median of each of the 30 third-octaves (``model.measures.THIRD_OCTAVES_HZ``), dB."""

HALF_WIDTHS_DB: Final = (
{half_widths})
"""How far from the median is still inside, dB."""
'''


def spectra(directory: Path) -> NDArray[np.float64]:
    """Normalised third-octaves of the tracks that count, ``[tracks, 30]``; names what is left out."""
    rows = []
    for path in sorted(directory.iterdir()):
        if not path.is_file():
            continue
        try:
            measures = measure_file(path).measures
        except (DecodeError, NotEnoughAudio) as exc:
            sys.stderr.write(f"left out: {path.name}: {exc}\n")
            continue
        seconds = measures.frames / measures.rate
        if seconds < LEAST_SECONDS or measures.rate < LEAST_RATE:
            sys.stderr.write(f"left out: {path.name}: {seconds:.0f} s at {measures.rate} Hz\n")
            continue
        rows.append(normalised(measures.third_octaves_db))
    return np.array(rows)


def corridor(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Medians and half-widths, dB ``[30]``, and the fewest tracks that any third-octave rests on."""
    held = np.where(rows > EMPTY_DB, rows, np.nan)
    deviations = np.nanstd(held, axis=0, ddof=1)
    half_widths = np.maximum(DEVIATIONS * deviations, LEAST_HALF_WIDTH_DB)
    return np.nanmedian(held, axis=0), half_widths, int(np.isfinite(held).sum(axis=0).min())


def literals(values: NDArray[np.float64]) -> str:
    return "".join(
        f"    {value:.1f},  # {centre:.0f} Hz\n"
        for value, centre in zip(values, THIRD_OCTAVES_HZ, strict=True)
    )


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/corridor.py DIR")
    rows = spectra(Path(sys.argv[1]))
    medians, half_widths, fewest = corridor(rows)
    text = MODULE.format(
        tracks=len(rows),
        seconds=LEAST_SECONDS,
        rate=LEAST_RATE,
        empty=-EMPTY_DB,
        fewest=fewest,
        deviations=DEVIATIONS,
        least=LEAST_HALF_WIDTH_DB,
        medians=literals(medians),
        half_widths=literals(half_widths),
    )
    DESTINATION.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
