"""`template.yaml` as plain CloudFormation, and the stack set that brings it into every account of an organisation."""

import json
import sys

import pytest
from test_template import ROOT, Deployment, as_list, run

sys.path.insert(0, str(ROOT / "infra"))
from plain_template import CODE_PARAMETERS, plain_template  # noqa: E402


@pytest.fixture(scope="module")
def plain():
    return plain_template()


def central(**parameters):
    return Deployment("infra/cross-account.yaml", OrganizationId="o-a1b2c3d4e5", OrganizationalUnitIds="ou-1,ou-2", Regions="us-east-1,eu-west-1", **parameters)


def test_nothing_is_left_to_a_transform(plain, tmp_path):
    assert "Transform" not in plain
    assert not [name for name, resource in plain["Resources"].items() if resource["Type"].startswith("AWS::Serverless")]
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(plain))
    code, output = run("cfn-lint", str(path))
    assert (code, output.strip()) == (0, "")


def test_what_is_deployed_is_what_the_template_says(plain):
    template = Deployment("template.yaml").template
    made = set(plain["Resources"]) - set(template["Resources"])
    # What SAM makes of the function's own events and settings.
    assert made == {"AdvisorFunctionEventInvokeConfig", "AdvisorFunctionQueue"}
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            assert plain["Resources"][name].get("Properties") == json.loads(json.dumps(resource.get("Properties")))
            assert plain["Resources"][name].get("Condition") == resource.get("Condition")
    function = plain["Resources"]["AdvisorFunction"]["Properties"]
    assert function["Environment"] == template["Resources"]["AdvisorFunction"]["Properties"]["Environment"]
    assert set(plain["Parameters"]) == set(template["Parameters"]) | set(CODE_PARAMETERS)


def test_the_code_comes_from_a_bucket_of_the_region(plain):
    code = plain["Resources"]["AdvisorFunction"]["Properties"]["Code"]
    assert code == {"S3Bucket": {"Fn::Sub": "${CodeBucketPrefix}-${AWS::Region}"}, "S3Key": {"Ref": "CodeKey"}}


def test_the_stack_set_gives_parameters_that_exist_and_all_that_have_no_default(plain):
    (stack_set,) = central().resources("AWS::CloudFormation::StackSet").values()
    given = {parameter["ParameterKey"] for parameter in stack_set["Parameters"]}
    assert given <= set(plain["Parameters"])
    assert given >= {name for name, parameter in plain["Parameters"].items() if "Default" not in parameter}
    assert stack_set["Capabilities"] == ["CAPABILITY_IAM"]  # no macro: such stack sets refuse them


def test_the_reports_of_every_account_go_to_the_two_topics_and_nothing_else_does():
    deployment = central()
    (stack_set,) = deployment.resources("AWS::CloudFormation::StackSet").values()
    central_values = {item["ParameterKey"]: item["ParameterValue"] for item in stack_set["Parameters"] if item["ParameterValue"].startswith("<")
                      and item["ParameterValue"].strip("<>") in deployment.resources()}
    assert central_values == {"ExistingReportTopicArn": "<ReportTopic>", "ExistingChatTopicArn": "<ChatTopic>"}


def test_roles_of_the_organisation_alone_may_publish_and_only_that():
    (policy,) = central().resources("AWS::SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    assert as_list(statement["Action"]) == ["sns:Publish"]


def test_no_role_is_assumed_across_accounts(plain):
    assert not central().resources("AWS::IAM::Role")
    roles = [resource["Properties"] for resource in plain["Resources"].values() if resource["Type"] == "AWS::IAM::Role"]
    principals = [statement["Principal"] for role in roles for statement in role["AssumeRolePolicyDocument"]["Statement"]]
    assert principals == [{"Service": "scheduler.amazonaws.com"}, {"Service": "lambda.amazonaws.com"}]
    assert "sts:AssumeRole" not in {action for action in Deployment("template.yaml", Mode="apply").actions()}


def test_the_alarms_about_the_advisor_stay_in_its_account():
    (stack_set,) = central().resources("AWS::CloudFormation::StackSet").values()
    assert not [item for item in stack_set["Parameters"] if "Operations" in item["ParameterKey"]]
