"""The workflows, and the packages that they make."""

import re
import stat
import subprocess
import sys
import zipfile

import yaml
from test_policy import run as lint
from test_template import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(path):
    return yaml.safe_load(path.read_text())


def steps():
    return [step for path in WORKFLOWS for job in read(path)["jobs"].values() for step in job["steps"]]


def test_there_are_two():
    assert [path.stem for path in WORKFLOWS] == ["ci", "release"]


def test_the_workflows_are_what_their_schema_asks_for():
    code, output = lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    assert code == 0, output


def test_every_action_is_pinned_to_a_commit_that_has_its_version_beside_it():
    used = [line.strip() for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert re.fullmatch(r"- uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    # One version of each.
    assert len({line.split("@")[0] for line in used}) == len(set(used))


def test_every_script_is_a_script():
    for step in steps():
        if "run" in step:
            script = re.sub(r"\$\{\{[^}]*}}", "x", step["run"])
            assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0, script


def test_nothing_from_outside_is_put_into_a_script():
    for step in steps():
        for expression in re.findall(r"\$\{\{(.*?)}}", step.get("run", "")):
            assert expression.strip().startswith("matrix."), expression


def test_only_the_job_that_makes_the_release_may_write():
    for path in WORKFLOWS:
        assert read(path)["permissions"] == {"contents": "read"}
        assert [name for name, job in read(path)["jobs"].items() if "permissions" in job] == (["release"] if path.stem == "release" else [])


def test_the_tests_run_by_one_command():
    assert "make test" in [step.get("run") for step in steps()]


def test_the_same_program_gives_the_same_zip(tmp_path):
    program = tmp_path / "bootstrap"
    program.write_bytes(bytes(range(256)) * 1000)
    archives = [tmp_path / "first.zip", tmp_path / "second.zip"]
    for archive, mode in zip(archives, (0o755, 0o644)):
        program.chmod(mode)
        subprocess.run([sys.executable, ROOT / "infra" / "zip_function.py", program, archive], check=True)
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        (entry,) = archive.infolist()
        assert entry.filename == "bootstrap" and archive.read(entry) == program.read_bytes()
        # Lambda runs it as it is.
        assert stat.S_IMODE(entry.external_attr >> 16) == 0o755
