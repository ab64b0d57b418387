"""What the documents and the packaging name exists: targets, commands, flags, settings."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from music import REPOSITORY, clip
from server import environment

from tonearm.cli import app
from tonearm.settings import Settings

README = REPOSITORY / "README.md"
PAGES = [README, REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
UNIT = REPOSITORY / "packaging" / "tonearm.service"
COMPOSE = REPOSITORY / "compose.yaml"
DOCKERFILE = REPOSITORY / "Dockerfile"


def codes(text: str) -> Iterator[str]:
    """The lines of code blocks without a language, and what stands between single backticks."""
    for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def unknown_words(line: str) -> list[str]:
    """Words of a command line after ``tonearm`` that the program does not know."""
    words = re.sub(r"[\[\]|]", " ", line.split("tonearm ", 1)[1]).split()
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        name = words.pop(0).rstrip(",")
        if name in command.commands:
            command = command.commands[name]
        else:
            return [] if name.startswith("--version") else [name]
    known = {option for parameter in command.params for option in parameter.opts}
    return [
        word
        for word in (w.split("=")[0].rstrip(",") for w in words)
        if word[:2] == "--" and word not in known
    ]


def unknown_settings(text: str) -> set[str]:
    named = set(re.findall(r"\bTONEARM_[A-Z_]*[A-Z]\b", text))
    groups = {name: field.annotation for name, field in Settings.model_fields.items()}
    known = {"TONEARM_CONFIG", "TONEARM_TEST_MUSIC", "TONEARM_URL", "TONEARM_DATA_DIR"}
    for group, kind in groups.items():
        known |= {
            f"TONEARM_{group}__{name}".upper()
            for name in getattr(kind, "model_fields", {})
            if kind is not None
        }
    return named - known


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for code in codes(text):
        for target in re.findall(r"(?:^|&& )make ([a-z][a-z-]*)", code):
            assert target in targets, code
        if re.match(r"(\S*/)?tonearm [a-z]", code.split("$ ")[-1]):
            assert not unknown_words(code), code
    assert not unknown_settings(text)
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / link).exists(), link


def test_a_wrong_word_would_be_found() -> None:
    assert unknown_words("tonearm serve --prot 1") == ["--prot"]
    assert unknown_words("tonearm sreve") == ["sreve"]
    assert unknown_words("tonearm db backup FILE") == []
    assert unknown_settings("TONEARM_SERVER__HOTS=1") == {"TONEARM_SERVER__HOTS"}


def test_the_unit_starts_what_exists(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert not unknown_words(line)
    assert not unknown_settings(text)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/tonearm/bin/tonearm", "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr, done.stderr


def test_the_compose_file_is_whole() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    assert not unknown_settings(text)
    composed = yaml.safe_load(text)
    mounted = [volume for service in composed["services"].values() for volume in service["volumes"]]
    named = {volume.split(":")[0] for volume in mounted if volume[0] not in "$./"}
    assert named == set(composed["volumes"])
    server, helper = composed["services"]["tonearm"], composed["services"]["fingerprints"]
    assert ":?" in server["environment"]["TONEARM_ACCESS__TOKEN"]
    assert not unknown_words(shlex.join([*helper["entrypoint"], *helper["command"]]))
    assert all(volume.endswith(":ro") for volume in mounted if ":/music" in volume)


def test_the_image_starts_what_exists() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert not unknown_settings(text)
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert not unknown_words(shlex.join(["tonearm", *yaml.safe_load(command)]))
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)
    without = {"PATH": "/usr/bin:/bin"}
    refused = subprocess.run(yaml.safe_load(entry), env=without, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "TONEARM_ACCESS__TOKEN" in refused.stderr
    for source in re.findall(r"^COPY ([^-].*) \S+$", text, re.MULTILINE):
        for name in source.split():
            assert (REPOSITORY / name).exists(), name


def test_the_commands_and_the_lines_of_the_readme_run(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (tmp_path / "home").mkdir()
    shutil.copy(clip("loop_tabla.flac"), tmp_path / "song.flac")
    shutil.copytree(tmp_path, tmp_path / "music", ignore=shutil.ignore_patterns("home", "music"))
    (block,) = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (lines,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(lines.splitlines()) <= 12
    script = block.replace("tonearm ", f"{shlex.quote(sys.executable)} -m tonearm ")
    (tmp_path / "readme.py").write_text(lines, encoding="utf-8")
    run = f"set -e\n{script}\n{shlex.quote(sys.executable)} readme.py\n"
    done = subprocess.run(
        ["sh", "-c", run],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "mastered.flac").is_file()
    assert (tmp_path / "library.backup").is_file()
    assert "-14" in done.stdout
