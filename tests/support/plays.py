"""What must be true of a whole play, and clients that are amid of one."""

import base64
import json
from typing import Any

import numpy as np
from server import Played, receive_stream
from truth import Samples, true_peak_dbtp
from websockets.sync.client import ClientConnection


def assert_music_in_standard_mastering(played: Played, source: Samples) -> None:
    """All of it, under the ceiling, and nothing else was said of it."""
    assert played.progress[0] == "analyzing"
    assert played.progress[-1] == "failed"
    assert played.progress.count("failed") == 1
    assert "complete" not in played.progress
    assert played.start["mastering_state"] == "standard"
    plans = played.data("mastering_plan")
    assert plans
    assert {plan["state"] for plan in plans} == {"standard"}
    said = played.data("fingerprint_progress")[-1]["message"]
    assert said.endswith("Playing with standard mastering."), said
    assert not played.data("audio_stream_error")
    assert played.end["reason"] == "completed"
    assert played.samples.shape == source.shape
    assert np.isfinite(played.samples).all()
    assert float(np.sqrt(np.mean(played.samples**2))) > 1e-3, "silence is not music"
    assert true_peak_dbtp(played.samples) <= -1.0 + 0.02


def assert_ends_as(first: Played, warm: Played) -> None:
    """What a play of a track that was never measured comes to is what a play of a measured one is."""
    assert first.samples.shape == warm.samples.shape
    rate, channels = first.start["sample_rate"], first.channels
    told = [n for n, message in enumerate(first.messages) if message["type"] == "mastering_plan"][-1]
    before = [message for message in first.messages[:told] if message["type"] == "audio_chunk_meta"]
    changed = sum(meta["data"]["sample_count"] for meta in before) // channels
    # What was in the works, 0.5 s at most, and the 3 s of the glide.
    settled = slice(changed + 4 * rate if changed else 0, None)
    assert len(first.samples[settled]) > rate
    np.testing.assert_allclose(first.samples[settled], warm.samples[settled], rtol=0, atol=1e-4)


def begin_and_hold(connection: ClientConnection, kind: str, **data: Any) -> Played:
    """Ask for a stream as the original clients do, and let the buffer be full once the first frame is there.

    At most 1,000,000 values are made before the server has heard that, whatever its lead; the rest is made
    when the client is ready.
    """
    connection.send(json.dumps({"type": kind, "data": {"transport": "base64", **data}}))
    played = Played()
    while True:
        message = json.loads(connection.recv(timeout=60))
        played.messages.append(message)
        if message["type"] == "audio_stream_start":
            played.channels = message["data"]["channels"]
        if message["type"] == "audio_chunk":
            played.parts.append(np.frombuffer(base64.b64decode(message["data"]["samples"]), "<f4"))
            connection.send('{"type":"buffer_full"}')
            return played


def release(connection: ClientConnection, played: Played) -> Played:
    """The rest of a stream that was held."""
    connection.send('{"type":"buffer_ready"}')
    return receive_stream(connection, played)
