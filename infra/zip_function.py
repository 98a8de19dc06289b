#!/usr/bin/env python3
"""Packs the program as Lambda takes it, with the same bytes for the same program, whenever and by whomever:
`python3 infra/zip_function.py bootstrap function.zip`. Standard library only."""

import pathlib
import sys
import zipfile


def zip_function(program: pathlib.Path, archive: pathlib.Path) -> None:
    # No time, no owner: 1980 is the earliest that a zip file can say.
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, so that the mode counts
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(entry, program.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    zip_function(*map(pathlib.Path, sys.argv[1:]))
