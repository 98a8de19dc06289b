"""What a linter of policies finds in everything that deploys. An exception stands beside its resource, with its reason."""

import json
import os
import subprocess

import pytest
from test_template import ROOT

LINTERS = ROOT / ".venv" / "lint" / "bin"


def run(tool, *arguments):
    # BC_SKIP_MAPPING: checkov would ask its maker for a list of severities.
    done = subprocess.run([LINTERS / tool, *arguments], capture_output=True, text=True, cwd=ROOT, env=os.environ | {"BC_SKIP_MAPPING": "TRUE"})
    return done.returncode, done.stdout + done.stderr


FILES = {
    "cloudformation": ["-f", "template.yaml", *(word for path in sorted((ROOT / "infra").glob("*.yaml")) for word in ("-f", str(path.relative_to(ROOT))))],
    "terraform": ["-d", "infra/terraform"],
    "github_actions": ["-d", "."],
}


@pytest.mark.parametrize("framework", FILES)
def test_checkov_finds_nothing_that_is_not_argued(framework):
    code, output = run("checkov", "--framework", framework, "--output", "json", "--skip-download", *FILES[framework])
    found = json.loads(output)["results"]
    assert not found["parsing_errors"] and len(found["passed_checks"]) > 20
    assert [(check["check_id"], check["resource"]) for check in found["failed_checks"]] == []
    assert code == 0
    for check in found["skipped_checks"]:
        assert len(check["check_result"]["suppress_comment"]) > 20
