"""The three functions that are measured: how each starts, and what each would be deployed as."""

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..binaries import CHECKOUT
from ..emulators import ACCOUNT, REGION

# Of a package in Python nothing is deployed that only installs others, nor what the interpreter makes anew.
_NOT_DEPLOYED = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth", "__pycache__")


@dataclass
class Program:
    name: str
    words: str
    command: list
    settings: dict[str, str]
    files: dict[str, Path]  # of the package, by their name in it
    binary: Path | None = None

    def package_bytes(self) -> int:
        """The size of its zip."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, path in sorted(self.files.items()):
                archive.write(path, name)
        return len(packed.getvalue())

    def binary_bytes(self) -> int | None:
        return self.binary.stat().st_size if self.binary else None


def programs(built: Path) -> list[Program]:
    """`built`: the folder of the binaries."""
    for name in ("bootstrap", "hello"):
        if not (built / name).exists():
            raise FileNotFoundError(f"{built / name} is missing: run `make bench-lambda`, or for debug binaries `make build`")
    return [_advisor(built / "bootstrap"), _hello(built / "hello"), _peer()]


def _advisor(path: Path) -> Program:
    arn = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
    settings = {
        "ADVISOR_MODE": "recommend", "ADVISOR_REPORT_TOPIC_ARN": arn.format("sns", "report"), "ADVISOR_CHAT_TOPIC_ARN": arn.format("sns", "chat"),
        "ADVISOR_FOLLOW_UP_TARGET_ARN": arn.format("sqs", "events"), "ADVISOR_FOLLOW_UP_GROUP": "incidents",
        "ADVISOR_FOLLOW_UP_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/follow-up"}
    return Program("advisor", "this function", [path], settings, {"bootstrap": path}, path)


def _hello(path: Path) -> Program:
    return Program("hello", "a Rust function that does nothing", [path], {}, {"bootstrap": path}, path)


def _peer() -> Program:
    source = CHECKOUT / "benches" / "peer"
    python = CHECKOUT / ".venv" / "peer" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python} is missing: run tests/requirements/install.sh peer")
    [packages] = (CHECKOUT / ".venv" / "peer" / "lib").glob("python3.*/site-packages")
    deployed = {str(path.relative_to(packages)): path for path in packages.rglob("*")
                if path.is_file() and not any(part.split("-")[0] in _NOT_DEPLOYED or part in _NOT_DEPLOYED for part in path.relative_to(packages).parts)}
    files = deployed | {"function.py": source / "function.py"}
    settings = {"PYTHONPATH": str(source), "LAMBDA_TASK_ROOT": str(source), "_HANDLER": "function.handler", "LANG": os.environ.get("LANG", "C.UTF-8")}
    return Program("peer", "the same reads in Python with boto3", [python, "-m", "awslambdaric", "function.handler"], settings, files)
