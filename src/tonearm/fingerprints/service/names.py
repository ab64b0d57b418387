"""Names that the server and its clients share."""

from typing import Final

from tonearm.fingerprints.service import fingerprint_pb2 as pb

SERVICE_NAME: Final = pb.DESCRIPTOR.services_by_name["FingerprintService"].full_name

CODE_METADATA: Final = "tonearm-code"
"""Trailing metadata with the code of the error behind a status."""
