"""Every format to float32 samples, beside libsndfile."""

from functools import partial
from pathlib import Path
from typing import Final

from bench.contender import Contender, Findings, Stopwatch
from bench.sound import KINDS, STEP_FRAMES
from tonearm.audio.decode import Decoder

WITHOUT_LIBSNDFILE: Final = ("m4a",)
"""What libsndfile cannot read."""


def _tonearm(kind: str, folder: Path, watch: Stopwatch) -> Findings:
    with watch("decoding"), Decoder(folder / f"sound.{kind}") as decoder:
        while len(decoder.read(STEP_FRAMES)):
            pass
    return {"frames": decoder.position}


def _libsndfile(kind: str, folder: Path, watch: Stopwatch) -> Findings:
    import soundfile

    with watch("decoding"), soundfile.SoundFile(folder / f"sound.{kind}") as file:
        while len(file.read(STEP_FRAMES, dtype="float32")):
            pass
        frames = file.tell()
    return {"frames": frames}


CONTENDERS: Final = (
    *(Contender(f"Tonearm {kind}", "tonearm", kind, partial(_tonearm, kind)) for kind in KINDS),
    *(
        Contender(f"libsndfile {kind}", "soundfile", kind, partial(_libsndfile, kind))
        for kind in KINDS
        if kind not in WITHOUT_LIBSNDFILE
    ),
)
