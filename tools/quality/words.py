"""The words of ``docs/quality.md``."""

from typing import Final

INTRODUCTION: Final = """\
# Quality of the sound

Written by `make quality MUSIC=DIR`; every verdict is computed, from {findings} cases. With `ONLY=Q6,Q18` it
prints the rows of these criteria and writes nothing.

What must be true of the sound, what was found at worst, and where. The meters are independent of the program:
true peak is `scipy.signal.resample_poly(x, 16, 1, window=("kaiser", 12.0))` in float64 with zeros outside
the file, loudness is that of libebur128, files are read by libsndfile, differences are counted by numpy.

The material: {tracks} tracks of music, {minutes:.0f} minutes; twenty hostile signals at 12 rates from 8 to
384 kHz and in 1 to 8 channels, up to 40 dB too loud; clean tracks pushed 3, 6, 9 and 12 dB into FFmpeg's
alimiter; the same tracks amplified to -9 LUFS as they are; ceilings of 0, -0.1, -1, -3 and -6 dBTP; all
presets, at intensities down to 0.03. A criterion that speaks of one class is measured where the weight of
that class is exactly 1. Files of lossy codecs are not judged by Q1: their encoders move peaks again, and
`tonearm master` reports the peak of what it wrote. What *master* may lose of PLR is counted from the source
or, where the equaliser alone lowers it, from there.

Q6: takes of 20 s as albums of four tracks, each streamed after the one before, by the plan that the program
decides and by one that limits by 2 dB; cut after some seconds, and cut where the take is loudest, so that
limiting would have to begin before the join, where the first track cannot know of it. Q10: EBU Tech 3341 has
meters say that the loudness range is not stable in the first 60 s, and R 128 s1 does without it for short
programmes; so what is shorter is told, and nothing is claimed of it. The outputs: a server of its own plays
one file of each kind over loopback; FLAC is compared after rounding to its 24 bits.

**{inside} of {rows} rows are inside their bound{outside}.**
"""

HEAD: Final = ["", "what", "on", "cases", "worst", "bound", "where", "judge", "verdict"]

TABLES: Final = {
    "war": (
        "The loudness war, made to order",
        "A minute of each clean track, its peak brought to full scale and pushed so many dB into FFmpeg's\n"
        "alimiter, then mastered. PLR in dB; what came back is its share of what the limiter took, where\n"
        "the weight of *restore* is 1.",
        (
            "track",
            "push",
            "weight of *restore*",
            "PLR of the original",
            "of the copy",
            "of the master",
            "planned boost",
            "came back",
        ),
    ),
    "perceived": (
        "What models of hearing say",
        "Opinions from 1 to 5 of the master beside its source at equal loudness: ViSQOL (audio mode) and\n"
        "Zimtohrli, 8 s from the middle of the first minute, mixed to mono at 48 kHz. They know damage\n"
        "only. Beside each is what was recorded in `tests/data/perceptual_baseline.json`.",
        ("track", "class", "ViSQOL", "recorded", "Zimtohrli", "recorded"),
    ),
}
"""Of each table that tells: its title, what is in it, and its head."""  # fmt: skip
