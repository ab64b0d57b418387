"""Compile ``fingerprint.proto`` into the module and the stub that lie beside it.

Run as ``python tools/protos.py`` after a change of the proto; a test fails until this was done.
"""

import sys
from pathlib import Path

from grpc_tools import protoc

SOURCE = Path(__file__).resolve().parents[1] / "src"
PROTO = SOURCE / "tonearm" / "fingerprints" / "service" / "fingerprint.proto"

if __name__ == "__main__":
    into = [f"-I{SOURCE}", f"--python_out={SOURCE}", f"--pyi_out={SOURCE}"]
    sys.exit(protoc.main(["protoc", *into, str(PROTO)]))
