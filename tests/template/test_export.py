"""Exported plans, held against the tools that take them. `tests/it/export.rs` writes the files."""

import json
import re
import shlex
import subprocess

import botocore.session
import botocore.validate
import hcl2
import pytest
from test_template import ROOT, run

EXPORTS = ROOT / "tests" / "exports"
TERRAFORM = sorted(EXPORTS.glob("*/main.tf"))
SCRIPTS = sorted(EXPORTS.glob("*/apply.sh"))
TEMPLATES = sorted(EXPORTS.glob("*/template.json")) + sorted(EXPORTS.glob("*/present.json"))


def in_words(path):
    return str(path.relative_to(EXPORTS))


def test_there_is_something_to_check():
    assert len(TERRAFORM) == len(SCRIPTS) == 2 and len(TEMPLATES) == 3


@pytest.mark.parametrize("path", TEMPLATES, ids=in_words)
def test_cloudformation_is_what_its_linter_expects(path):
    code, output = run("cfn-lint", str(path.relative_to(ROOT)))
    assert (code, output.strip()) == (0, "")


def test_what_is_imported_first_is_updated_to_the_plan():
    present = json.loads((EXPORTS / "standing" / "present.json").read_text())["Resources"]
    planned = json.loads((EXPORTS / "standing" / "template.json").read_text())["Resources"]
    assert set(present) <= set(planned)
    assert all(resource["DeletionPolicy"] == "Retain" for resource in present.values())
    (note,) = (EXPORTS / "standing" / "present-notes.txt").read_text().splitlines()
    # As a shell would read it, with an ARN for each command that asks for one.
    command = re.sub(r"\$\([^)]*\)", "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1a2b", note.split(": ", 1)[1])
    words = shlex.split(command)
    resources = json.loads(words[words.index("--resources-to-import") + 1])
    assert {resource["LogicalResourceId"] for resource in resources} == set(present)
    session = botocore.session.get_session()
    shape = session.get_service_model("cloudformation").operation_model("CreateChangeSet").input_shape
    report = botocore.validate.ParamValidator().validate({"StackName": "scaling", "ChangeSetName": "import", "ResourcesToImport": resources}, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("path", TERRAFORM, ids=in_words)
def test_terraform_reads_it(path):
    with path.open() as file:
        read = hcl2.load(file)
    kinds = {kind.strip('"') for resource in read["resource"] for kind in resource if kind.startswith(('"aws', "aws"))}
    assert {"aws_appautoscaling_target", "aws_appautoscaling_policy"} <= kinds


MODULE = sorted((ROOT / "infra" / "terraform").glob("**/*.tf"))


@pytest.mark.parametrize("path", TERRAFORM + MODULE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_terraform_is_laid_out_as_its_formatter_does(path):
    """Two spaces a level, and the `=` of neighbouring one-line attributes under each other."""
    run_of = []
    for line in [*path.read_text().splitlines(), ""]:
        indent = len(line) - len(line.lstrip())
        assert indent % 2 == 0 and "\t" not in line and line == line.rstrip(), line
        attribute = re.match(r"^( *)(\S+) += (.*)$", line)
        if attribute and not line.startswith("#") and not attribute[3].endswith(("{", "[", "(")):
            if run_of and run_of[-1][0] != indent:
                run_of = []
            run_of.append((indent, line.index("=")))
            assert len({column for _, column in run_of}) == 1, line
        else:
            run_of = []


def requests(path):
    """The operation and the input of every command."""
    for line in path.read_text().splitlines():
        if line.startswith("aws "):
            words = shlex.split(line)
            yield words[1], words[2], json.loads(words[words.index("--cli-input-json") + 1])


@pytest.mark.parametrize("path", SCRIPTS, ids=in_words)
def test_every_command_is_what_the_aws_cli_would_send(path):
    session = botocore.session.get_session()
    commands = list(requests(path))
    assert commands and subprocess.run(["sh", "-n", path], check=False).returncode == 0
    for service, operation, request in commands:
        model = session.get_service_model(service)
        name = next(name for name in model.operation_names if botocore.xform_name(name, "-") == operation)
        report = botocore.validate.ParamValidator().validate(request, model.operation_model(name).input_shape)
        assert not report.has_errors(), f"{name}: {report.generate_report()}"
