"""What an organisation may ask of `template.yaml`, and what the default leaves out."""

import pytest
from test_template import BOUNDARY, EVERYTHING, KEY, ROOT, Deployment, as_list, load

REPORTS = "arn:aws:sns:eu-west-1:444455556666:central-reports"


def deployed(**parameters):
    return Deployment("template.yaml", **parameters)


def test_the_default_asks_for_no_boundary_key_network_reserve_or_traces():
    deployment = deployed()
    assert not [role for role in deployment.resources("AWS::IAM::Role").values() if "PermissionsBoundary" in role]
    assert not {"VpcConfig", "ReservedConcurrentExecutions"} & set(deployment.function())
    assert deployment.function()["Tracing"] == "PassThrough"
    keyed = [properties for properties in deployment.resources().values() if {"KmsMasterKeyId", "KmsKeyId"} & set(properties)]
    assert not keyed
    assert not [action for action in deployment.actions() if action.split(":")[0] in ("ec2", "kms", "xray")]


def test_every_role_is_within_the_boundary():
    roles = deployed(PermissionsBoundaryArn=BOUNDARY).resources("AWS::IAM::Role")
    assert len(roles) == 2 and all(role["PermissionsBoundary"] == BOUNDARY for role in roles.values())


def test_one_key_encrypts_every_topic_queue_and_log():
    deployment = deployed(KmsKeyArn=KEY)
    topics, queues = deployment.resources("AWS::SNS::Topic"), deployment.resources("AWS::SQS::Queue")
    assert len(topics) == 3 and len(queues) == 2
    for properties in [*topics.values(), *queues.values()]:
        assert properties["KmsMasterKeyId"] == KEY
        assert "SqsManagedSseEnabled" not in properties  # SQS refuses both
    (log,) = deployment.resources("AWS::Logs::LogGroup").values()
    assert log["KmsKeyId"] == KEY


def test_the_key_is_used_through_the_services_that_hold_messages_only():
    statements = [item for item in deployed(KmsKeyArn=KEY).identity_statements() if "kms:Decrypt" in as_list(item["Action"])]
    assert len(statements) == 2
    for statement in statements:
        assert statement["Resource"] == KEY
        services = as_list(statement["Condition"]["StringEquals"]["kms:ViaService"])
        assert set(services) <= {"sqs.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com"}


def test_whoever_gives_a_key_is_told_what_its_policy_has_to_allow():
    described = load("template.yaml")["Parameters"]["KmsKeyArn"]["Description"]
    for word in ("events.amazonaws.com", "cloudwatch.amazonaws.com", "logs.REGION.amazonaws.com", "kms:GenerateDataKey*", "kms:Decrypt"):
        assert word in described


def test_in_a_vpc_lambda_attaches_the_function_and_its_code_may_not():
    deployment = deployed(SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1")
    assert deployment.function()["VpcConfig"] == {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    role = deployment.resources("AWS::IAM::Role")["AdvisorRole"]
    (policy,) = [policy for policy in role["Policies"] if policy["PolicyName"] == "attach-to-vpc"]
    allowed = {action for item in policy["PolicyDocument"]["Statement"] if item["Effect"] == "Allow" for action in item["Action"]}
    (denial,) = [item for item in policy["PolicyDocument"]["Statement"] if item["Effect"] == "Deny"]
    assert set(denial["Action"]) == allowed
    assert denial["Condition"] == {"ArnLike": {"lambda:SourceFunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:*"}}


@pytest.mark.parametrize("half", [{"SubnetIds": "subnet-1"}, {"SecurityGroupIds": "sg-1"}])
def test_half_a_network_is_not_ignored(half):
    assert "VpcConfig" in deployed(**half).function()


def test_traces_are_sent_only_where_they_are_asked_for():
    deployment = deployed(Tracing="Active")
    assert deployment.function()["Tracing"] == "Active"
    assert deployment.statement("xray:PutTraceSegments")["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


def test_reserved_concurrency_is_what_was_asked_for():
    assert deployed(ReservedConcurrency="10").function()["ReservedConcurrentExecutions"] == "10"


def test_reports_may_go_to_a_topic_of_another_account_and_then_nothing_else_may():
    deployment = deployed(ExistingReportTopicArn=REPORTS, ReportEmail="a@example.com")
    assert deployment.function()["Environment"]["Variables"]["ADVISOR_REPORT_TOPIC_ARN"] == REPORTS
    assert deployment.statement("sns:Publish")["Resource"] == [REPORTS, "<ChatTopic>"]
    assert "ReportTopic" not in deployment.resources()
    assert not deployment.resources("AWS::SNS::Subscription")  # the topic is not ours to subscribe to
    assert deployment.resolve(deployment.template["Outputs"]["ReportTopicArn"]["Value"]) == REPORTS


def test_with_every_option_the_settings_of_the_function_are_the_same():
    plain, full = deployed().function(), deployed(**EVERYTHING).function()
    assert plain["Environment"] == full["Environment"]


def test_the_application_has_the_version_of_the_program():
    application = load("template.yaml")["Metadata"]["AWS::ServerlessRepo::Application"]
    assert application["SemanticVersion"]
    cargo = (ROOT / "Cargo.toml").read_text()
    assert f'version = "{application["SemanticVersion"]}"' in cargo.split("[workspace]")[0]
    assert application["SpdxLicenseId"] in cargo
    for path in (application["LicenseUrl"], application["ReadmeUrl"]):
        assert (ROOT / path).is_file()
