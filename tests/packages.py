"""Installs real packages as sources, each into its own folder, so that tests can lint what people ship."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from once import CACHE, once

# Pinned, so that what is unreadable in them can be listed by file and reason.
PACKAGES = {
    "wagtail": "7.4.4",
    "django-oscar": "4.2.1",
    "django-cms": "5.1.3",
    "django-filer": "3.5.0",
    "dj-stripe": "2.11.0",
    "coderedcms": "6.0.0",
    "nautobot": "3.2.7",
    "edx-enterprise": "8.18.0",
    "django-machina": "1.3.1",
    "django-helpdesk": "2.6.1",
}


def install(name: str) -> Path:
    """The folder that holds a package's own files, without its dependencies; installed once."""
    version = PACKAGES[name]
    target = CACHE / "packages" / f"{name}-{version}"
    done = target / ".installed"

    def make() -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-compile", "--ignore-requires-python", "--target", str(target), f"{name}=={version}"]
        subprocess.run(command, check=True)
        # Settings make the folder a project of its own, although it lies inside this repository.
        (target / "miglint.toml").write_text("")
        done.write_text(version)

    once(done, make)
    return target


def install_all() -> dict[str, Path]:
    """All packages, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(PACKAGES, pool.map(install, PACKAGES), strict=True))


if __name__ == "__main__":
    for name, path in install_all().items():
        print(name, path)
