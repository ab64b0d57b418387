"""Play a track from a Tonearm server into a WAV file: python play.py SERVER TRACK_ID FILE.wav [base64|binary]

Written from docs/protocol.md alone, with nothing but the `websockets` package. The server sends at the
pace of a listener, 20 s ahead: a longer track takes as long as it plays.
"""

import base64
import json
import struct
import sys

from websockets.sync.client import connect


def play(server: str, track_id: int, path: str, transport: str) -> str:
    """Write what is played as 32-bit float WAV; returns the reason of the stream's end."""
    with open(path, "wb") as wav, connect(f"ws://{server}/ws", max_size=None) as socket:  # noqa: PTH123
        wav.write(bytes(44))
        data: dict = {"track_id": track_id, "transport": transport}
        socket.send(json.dumps({"type": "play_enhanced", "data": data}))
        while True:
            message = json.loads(socket.recv())
            kind, data = message["type"], message.get("data", message)
            if kind == "audio_stream_start":
                rate, channels = data["sample_rate"], data["channels"]
                print(f"plays at {rate} Hz, {channels} channels, on {data['mastering_state']}")
            elif kind == "mastering_plan":
                print(f"plan: {data['state']}, {data['preset']} at {data['intensity']}")
                for name, one in data["parameters"].items():
                    print(f"  {name}: {one['value']} {one['unit']}. {one['reason']}")
            elif kind == "audio_chunk":
                wav.write(base64.b64decode(data["samples"]))
            elif kind == "audio_chunk_meta":
                wav.write(socket.recv())
            elif kind == "audio_stream_error":
                sys.exit(f"{data['code']}: {data['error']}")
            elif kind == "error":
                sys.exit(f"{data['error']}: {data['message']}")
            elif kind == "audio_stream_end":
                finish(wav, rate, channels)
                return data["reason"]


def finish(wav, rate: int, channels: int) -> None:
    """Put the head before the samples, now that their number is known."""
    size = wav.tell() - 44
    form = (16, 3, channels, rate, 4 * channels * rate, 4 * channels, 32)
    wav.seek(0)
    wav.write(struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", size + 36, b"WAVEfmt ", *form, b"data", size))


if __name__ == "__main__":
    print(play(sys.argv[1], int(sys.argv[2]), sys.argv[3], *(sys.argv[4:] or ["binary"])))
