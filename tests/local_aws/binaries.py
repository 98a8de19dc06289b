"""Where cargo puts the binaries that are tested."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def binary(name: str) -> Path:
    """The built binary, or an error that says how to build it."""
    folder = Path(os.environ.get("ADVISOR_BIN_DIR", CHECKOUT / "target" / "debug"))
    path = folder.absolute() / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `make build`, or point ADVISOR_BIN_DIR at the binaries")
    return path
