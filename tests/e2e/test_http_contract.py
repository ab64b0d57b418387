"""Whatever is sent to the HTTP API is answered as its OpenAPI document says, and never with a 500.

Values are those that Schemathesis makes from the document: proper ones and improper ones. They are the same
in each run, so that a red test can be looked into.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from music import DEMO
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from server import RunningServer, serving

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 25, GenerationMode.NEGATIVE: 12}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder: Path = tmp_path_factory.mktemp("contract")
    with serving(folder, DEMO) as running:
        yield running


@pytest.mark.xdist_group("http contract")
@pytest.mark.parametrize("mode", list(EXAMPLES), ids=lambda mode: mode.name.lower())
def test_every_answer_is_one_that_the_document_promises(server: RunningServer, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 40
    httpx.post(f"{server.url}/api/playlists", json={"name": "a"})
    httpx.post(f"{server.url}/api/smart-lists", json={"name": "a", "query": "lufs > -90"})
    for operation in operations:
        # What takes nothing cannot be sent anything improper.
        if mode is GenerationMode.POSITIVE or operation.body or any(operation.iter_parameters()):
            send(operation, mode)


def send(operation: APIOperation, mode: GenerationMode) -> None:
    @settings(
        max_examples=EXAMPLES[mode],
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def every(case: Case) -> None:
        if mode is GenerationMode.POSITIVE and not case.path.endswith("/audio"):
            # Numbers that are there; each play of one would take a second.
            for name, value in case.path_parameters.items():
                case.path_parameters[name] = 1 + int(value) % 4
        case.call_and_validate(checks=CHECKS, timeout=60)

    every()
