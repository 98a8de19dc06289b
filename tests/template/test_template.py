"""Holds the CloudFormation templates to what the project promises about them.

Nothing here needs AWS. Conditions are evaluated by the few lines below, so that a test can ask what the role may do
in either mode. Set ENDPOINT_ADVISOR_ROOT to check a copy of the templates, such as one broken on purpose.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import cfnlint.decode
import pytest

ROOT = pathlib.Path(os.environ.get("ENDPOINT_ADVISOR_ROOT", pathlib.Path(__file__).parents[2]))
TEMPLATES = ["template.yaml", "infra/cross-account.yaml", "infra/endpoint-alarms.yaml", "infra/slack.yaml", "infra/slack-webhook.yaml"]
KEY = "arn:aws:kms:us-east-1:111122223333:key/1a2b"
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
# Every option that an organisation may ask for.
EVERYTHING = {"PermissionsBoundaryArn": BOUNDARY, "KmsKeyArn": KEY, "SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1",
              "ReservedConcurrency": "10", "AuditSchedule": "rate(7 days)", "Tracing": "Active", "OperationsEmail": "a@example.com", "ReportEmail": "b@example.com"}
FUNCTION_ARN = "arn:aws:lambda:us-east-1:111122223333:function:endpoint-advisor"
# Every way to deploy a template that makes a difference to what it allows.
WAYS = [
    ("template.yaml", {"Mode": "recommend"}),
    ("template.yaml", {"Mode": "apply"}),
    ("template.yaml", {"Mode": "apply"} | EVERYTHING),
    ("infra/endpoint-alarms.yaml", {}),
    ("infra/slack.yaml", {}),
    ("infra/slack.yaml", {"FunctionArn": FUNCTION_ARN}),
    ("infra/slack-webhook.yaml", {}),
]

# The settings that the function reads, and those that a template must leave alone until their resources exist in it.
SETTINGS = {
    "ADVISOR_MODE",
    "ADVISOR_OBJECTIVE",
    "ADVISOR_REPORT_TOPIC_ARN",
    "ADVISOR_CHAT_TOPIC_ARN",
    "ADVISOR_MAX_INSTANCES",
    "ADVISOR_MAX_HOURLY_USD",
    "ADVISOR_HISTORY_DAYS",
    "ADVISOR_QUEUE_URL",
    "ADVISOR_EXISTING_TARGETS",
    "ADVISOR_FOLLOW_UP_TARGET_ARN",
    "ADVISOR_FOLLOW_UP_ROLE_ARN",
    "ADVISOR_FOLLOW_UP_GROUP",
}

READING_VERBS = ("Describe", "Get", "List")
# What is written in either mode: the log, the queues, the two topics, and the schedules that remember incidents.
WRITES_OF_EITHER_MODE = {
    "iam:PassRole",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "scheduler:CreateSchedule",
    "scheduler:DeleteSchedule",
    "scheduler:UpdateSchedule",
    "sns:Publish",
    "sqs:DeleteMessage",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
}
# What the options for X-Ray, a key and a VPC add. Lambda and SQS use these on the function's behalf.
WRITES_OF_OPTIONS = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# Of those, the ones that AWS cannot narrow to a resource.
UNNAMEABLE = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
WRITES_OF_APPLY_MODE = {
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeleteScheduledAction",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:TagResource",
    "application-autoscaling:UntagResource",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "iam:CreateServiceLinkedRole",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "sagemaker:UpdateInferenceComponentRuntimeConfig",
}

PSEUDO_PARAMETERS = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "advisor",
}
NO_VALUE = object()


def load(name):
    template, findings = cfnlint.decode.decode(str(ROOT / name))
    assert not findings, findings
    return template


def as_list(value):
    return value if isinstance(value, list) else [value]


class Deployment:
    """A template with its parameters given and its conditions decided; references to resources stay text."""

    def __init__(self, name, **parameters):
        self.template = load(name)
        declared = self.template["Parameters"]
        unknown = set(parameters) - set(declared)
        assert not unknown, f"{name} has no parameter {unknown}"
        defaults = {key: str(value["Default"]) for key, value in declared.items() if "Default" in value}
        self.parameters = PSEUDO_PARAMETERS | defaults | parameters
        for key, value in declared.items():
            if value["Type"] == "CommaDelimitedList" and key in self.parameters:
                self.parameters[key] = self.parameters[key].split(",")

    def condition(self, node):
        if isinstance(node, str):
            return self.condition(self.template["Conditions"][node])
        ((function, argument),) = node.items()
        match function:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                left, right = (self.resolve(item) for item in argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self.condition(argument[0])
            case "Fn::And":
                return all(self.condition(item) for item in argument)
            case "Fn::Or":
                return any(self.condition(item) for item in argument)
        raise AssertionError(f"unknown condition {function}")

    def resolve(self, node):
        if isinstance(node, list):
            items = (self.resolve(item) for item in node)
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            match function:
                case "Ref" if argument == "AWS::NoValue":
                    return NO_VALUE
                case "Ref":
                    return self.parameters.get(argument, f"<{argument}>")
                case "Fn::If":
                    name, yes, no = argument
                    return self.resolve(yes if self.condition(str(name)) else no)
                case "Fn::FindInMap":
                    table, *keys = (self.resolve(item) for item in argument)
                    value = self.template["Mappings"][table]
                    for key in keys:
                        value = value[key]
                    return value
                case "Fn::GetAtt":
                    return "<" + ".".join(as_list(argument)) + ">"
                case "Fn::Join":
                    separator, items = (self.resolve(item) for item in argument)
                    return separator.join(items)
                case "Fn::Select":
                    index, items = (self.resolve(item) for item in argument)
                    return items[int(index)]
                case "Fn::Split":
                    separator, text = (self.resolve(item) for item in argument)
                    return text.split(separator)
                case "Fn::Sub" if isinstance(argument, list):
                    text, more = argument
                    known = self.parameters | {key: self.resolve(value) for key, value in more.items()}
                    return re.sub(r"\$\{([^}]+)}", lambda m: known.get(m[1], f"<{m[1]}>"), str(text))
                case "Fn::Sub":
                    return re.sub(r"\$\{([^}]+)}", lambda m: self.parameters.get(m[1], f"<{m[1]}>"), str(argument))
        items = ((key, self.resolve(value)) for key, value in node.items())
        return {key: value for key, value in items if value is not NO_VALUE}

    def resources(self, kind=None):
        """The resources that exist with these parameters, by logical name."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if (kind is None or resource["Type"] == kind)
            and ("Condition" not in resource or self.condition(resource["Condition"]))
        }

    def function(self):
        return self.resources("AWS::Serverless::Function")["AdvisorFunction"]

    def queue_event(self):
        (event,) = [event["Properties"] for event in self.function()["Events"].values() if event["Type"] == "SQS"]
        return event

    def pattern(self):
        (rule,) = self.resources("AWS::Events::Rule").values()
        return rule["EventPattern"]

    def identity_statements(self):
        """Every statement that allows something to an identity of the template, wherever the template writes it."""
        documents = []
        for properties in self.resources().values():
            policies = properties.get("Policies", [])
            assert "ManagedPolicyArns" not in properties or all(arn.startswith("<") for arn in properties["ManagedPolicyArns"])
            documents += [policy.get("PolicyDocument", policy) for policy in policies if isinstance(policy, dict)]
            assert all(isinstance(policy, dict) for policy in policies), "a policy by name hides what it allows"
        for kind in ("Policy", "ManagedPolicy", "RolePolicy", "UserPolicy", "GroupPolicy"):
            documents += [item["PolicyDocument"] for item in self.resources(f"AWS::IAM::{kind}").values()]
        statements = [statement for document in documents for statement in as_list(document["Statement"])]
        return [statement for statement in statements if statement["Effect"] == "Allow"]

    def statement(self, action):
        """The only statement that allows the action."""
        (statement,) = [item for item in self.identity_statements() if action in as_list(item["Action"])]
        return statement

    def actions(self):
        return {action for statement in self.identity_statements() for action in as_list(statement["Action"])}


def is_read(action):
    # ReceiveMessage takes a message off a queue, which is why it is not among the reading verbs.
    return action.split(":")[1].startswith(READING_VERBS)


def references(node):
    """Every name that the node refers to, by Ref or inside Sub."""
    if isinstance(node, list):
        return set().union(*(references(item) for item in node))
    if not isinstance(node, dict):
        return set()
    found = set()
    for key, value in node.items():
        if key == "Ref":
            found.add(str(value))
        elif key == "Fn::Sub":
            text = value[0] if isinstance(value, list) else value
            found |= set(re.findall(r"\$\{([^}]+)}", text))
            found |= references(value)
        else:
            found |= references(value)
    return found


def run(*command):
    tool = pathlib.Path(sys.executable).parent / command[0]
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run([tool, *command[1:]], capture_output=True, text=True, env=environment, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


def test_the_function_is_built_from_rust_for_arm64_unless_told_otherwise():
    function = Deployment("template.yaml").function()
    assert function["Architectures"] == ["arm64"]
    assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap")
    assert Deployment("template.yaml", Architecture="x86_64").function()["Architectures"] == ["x86_64"]
    metadata = load("template.yaml")["Resources"]["AdvisorFunction"]["Metadata"]
    assert metadata == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": "bootstrap"}}


def test_recommend_is_the_default_mode():
    assert Deployment("template.yaml").function()["Environment"]["Variables"]["ADVISOR_MODE"] == "recommend"


def test_in_recommend_mode_the_role_has_no_action_that_changes_scaling():
    writes = {action for action in Deployment("template.yaml", Mode="recommend").actions() if not is_read(action)}
    assert writes == WRITES_OF_EITHER_MODE


def test_apply_mode_adds_exactly_the_actions_that_writing_scaling_needs():
    writes = {action for action in Deployment("template.yaml", Mode="apply").actions() if not is_read(action)}
    assert writes == WRITES_OF_EITHER_MODE | WRITES_OF_APPLY_MODE


def test_no_option_lets_recommend_mode_change_scaling():
    writes = {action for action in Deployment("template.yaml", Mode="recommend", **EVERYTHING).actions() if not is_read(action)}
    assert writes == WRITES_OF_EITHER_MODE | WRITES_OF_OPTIONS


@pytest.mark.parametrize("name, parameters", WAYS)
def test_no_action_has_a_wildcard_and_no_statement_is_an_exception_list(name, parameters):
    deployment = Deployment(name, **parameters)
    assert not [action for action in deployment.actions() if "*" in action]
    for statement in deployment.identity_statements():
        assert not {"NotAction", "NotResource"} & set(statement)


@pytest.mark.parametrize("name, parameters", WAYS)
def test_no_write_action_is_allowed_on_every_resource(name, parameters):
    for statement in Deployment(name, **parameters).identity_statements():
        if all(is_read(action) or action in UNNAMEABLE for action in as_list(statement["Action"])):
            continue
        for resource in as_list(statement["Resource"]):
            # Either a resource of the same template, or an ARN that names everything down to the kind of resource.
            of_this_template = re.fullmatch(r"<\w+(\.Arn)?>", resource)
            named = re.fullmatch(r"arn:aws:[a-z0-9-]+:(us-east-1)?:111122223333:[a-z-]+[:/][^:]+", resource)
            assert of_this_template or named, statement


def test_scaling_is_written_for_sagemaker_only():
    statement = Deployment("template.yaml", Mode="apply").statement("application-autoscaling:RegisterScalableTarget")
    assert statement["Condition"] == {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}


def test_only_what_the_advisor_has_changed_can_be_undone():
    deployment = Deployment("template.yaml", Mode="apply")
    for action in ("DeregisterScalableTarget", "DeleteScalingPolicy", "DeleteScheduledAction"):
        assert deployment.statement(f"application-autoscaling:{action}")["Condition"] == {
            "StringEquals": {"application-autoscaling:service-namespace": "sagemaker"},
            "StringLike": {"aws:ResourceTag/endpoint-advisor:before": "*"},
        }


def test_tags_are_written_and_removed_under_our_own_keys_only_and_without_a_namespace_condition():
    statement = Deployment("template.yaml", Mode="apply").statement("application-autoscaling:TagResource")
    assert as_list(statement["Action"]) == ["application-autoscaling:TagResource", "application-autoscaling:UntagResource"]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"aws:TagKeys": "endpoint-advisor:*"}}


def test_messages_are_published_to_the_two_topics_of_the_stack_only():
    statement = Deployment("template.yaml").statement("sns:Publish")
    assert statement["Resource"] == ["<ReportTopic>", "<ChatTopic>"]


def test_the_function_writes_schedules_of_its_own_group_only():
    statement = Deployment("template.yaml").statement("scheduler:CreateSchedule")
    assert as_list(statement["Action"]) == [f"scheduler:{verb}Schedule" for verb in ("Create", "Get", "Update", "Delete")]
    assert statement["Resource"] == "arn:aws:scheduler:us-east-1:111122223333:schedule/<FollowUpGroup>/*"
    variables = Deployment("template.yaml").function()["Environment"]["Variables"]
    assert variables["ADVISOR_FOLLOW_UP_GROUP"] == "<FollowUpGroup>"
    assert variables["ADVISOR_FOLLOW_UP_TARGET_ARN"] == "<EventQueue.Arn>"
    assert variables["ADVISOR_FOLLOW_UP_ROLE_ARN"] == "<FollowUpRole.Arn>"


def test_the_function_hands_the_follow_up_role_to_the_scheduler_and_to_nobody_else():
    statement = Deployment("template.yaml").statement("iam:PassRole")
    assert statement["Resource"] == "<FollowUpRole.Arn>"
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_the_scheduler_may_only_send_to_the_queue_of_events():
    role = Deployment("template.yaml").resources("AWS::IAM::Role")["FollowUpRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": PSEUDO_PARAMETERS["AWS::AccountId"]}}
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", "<EventQueue.Arn>")


def test_every_environment_variable_is_a_setting_and_every_setting_is_set():
    variables = Deployment("template.yaml", MaxHourlyUsd="12.50").function()["Environment"]["Variables"]
    assert set(variables) == SETTINGS


def test_no_cost_limit_leaves_its_variable_unset():
    variables = Deployment("template.yaml", MaxHourlyUsd="").function()["Environment"]["Variables"]
    assert set(variables) == SETTINGS - {"ADVISOR_MAX_HOURLY_USD"}
    assert all(variables.values())


def test_no_address_makes_no_email_subscription():
    assert not Deployment("template.yaml").resources("AWS::SNS::Subscription")
    (subscription,) = Deployment("template.yaml", ReportEmail="a@example.com").resources("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "a@example.com")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_used_and_described(name):
    template = load(name)
    used = references(template["Resources"]) | references(template.get("Conditions", {}))
    assert set(template["Parameters"]) - used == set()
    assert not [key for key, value in template["Parameters"].items() if not value.get("Description")]


@pytest.mark.parametrize("name", ["template.yaml", "infra/cross-account.yaml", "infra/endpoint-alarms.yaml"])
def test_every_parameter_is_in_exactly_one_group_of_the_form(name):
    template = load(name)
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    listed = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(listed) == sorted(template["Parameters"])


def test_the_rule_takes_alarm_and_ok_of_alarms_with_the_prefix():
    pattern = Deployment("template.yaml").pattern()
    assert pattern["source"] == ["aws.cloudwatch"]
    assert pattern["detail-type"] == ["CloudWatch Alarm State Change"]
    assert pattern["detail"] == {"alarmName": [{"prefix": "endpoint-latency-"}], "state": {"value": ["ALARM", "OK"]}}


def test_the_rule_takes_alarms_of_this_account_and_region_alone():
    for prefix in ("endpoint-latency-", ""):
        pattern = Deployment("template.yaml", AlarmNamePrefix=prefix).pattern()
        assert (pattern["account"], pattern["region"]) == (["111122223333"], ["us-east-1"])


def test_the_environment_holds_names_and_limits():
    settings = Deployment("template.yaml", **EVERYTHING).function()["Environment"]["Variables"]
    assert set(settings) <= {"ADVISOR_MODE", "ADVISOR_OBJECTIVE", "ADVISOR_MAX_INSTANCES", "ADVISOR_MAX_HOURLY_USD", "ADVISOR_EXISTING_TARGETS",
                             "ADVISOR_HISTORY_DAYS", "ADVISOR_REPORT_TOPIC_ARN", "ADVISOR_CHAT_TOPIC_ARN", "ADVISOR_QUEUE_URL",
                             "ADVISOR_FOLLOW_UP_TARGET_ARN", "ADVISOR_FOLLOW_UP_ROLE_ARN", "ADVISOR_FOLLOW_UP_GROUP"}


def test_an_empty_prefix_gives_a_pattern_without_a_name_filter():
    assert Deployment("template.yaml", AlarmNamePrefix="").pattern()["detail"] == {"state": {"value": ["ALARM", "OK"]}}


def test_the_alarm_template_makes_names_that_the_rule_listens_to():
    prefix = Deployment("template.yaml").parameters["AlarmNamePrefix"]
    (alarm,) = Deployment("infra/endpoint-alarms.yaml", EndpointName="orders").resources("AWS::CloudWatch::Alarm").values()
    assert alarm["AlarmName"] == f"{prefix}orders-AllTraffic"


def test_the_latency_alarm_is_three_of_three_minutes_and_ignores_quiet_ones():
    (alarm,) = Deployment("infra/endpoint-alarms.yaml", EndpointName="orders").resources("AWS::CloudWatch::Alarm").values()
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SageMaker", "ModelLatency")
    assert {item["Name"]: item["Value"] for item in alarm["Dimensions"]} == {
        "EndpointName": "orders",
        "VariantName": "AllTraffic",
    }
    assert (alarm["ExtendedStatistic"], alarm["Threshold"]) == ("p90", "500000")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == ("60", "3", "3")
    assert (alarm["TreatMissingData"], alarm["EvaluateLowSampleCountPercentile"]) == ("notBreaching", "ignore")


def test_an_alarm_without_a_topic_has_no_action():
    (alarm,) = Deployment("infra/endpoint-alarms.yaml", EndpointName="orders").resources("AWS::CloudWatch::Alarm").values()
    assert not {"AlarmActions", "OKActions"} & set(alarm)


def test_every_permission_for_a_service_names_an_account_or_a_source():
    permissions = Deployment("template.yaml").resources("AWS::Lambda::Permission")
    assert permissions
    for properties in permissions.values():
        assert {"SourceAccount", "SourceArn"} & set(properties)
    assert permissions["AlarmsMayInvoke"]["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    assert permissions["AlarmsMayInvoke"]["SourceAccount"] == PSEUDO_PARAMETERS["AWS::AccountId"]

    policies = {}
    for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        policies |= Deployment("template.yaml").resources(kind)
    assert policies
    for properties in policies.values():
        for statement in as_list(properties["PolicyDocument"]["Statement"]):
            keys = {key for test in statement.get("Condition", {}).values() for key in test}
            assert {"aws:SourceArn", "aws:SourceAccount"} & keys, statement


def test_the_slack_role_is_taken_for_this_account_only_and_has_a_guardrail():
    deployment = Deployment("infra/slack.yaml")
    (role,) = deployment.resources("AWS::IAM::Role").values()
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": PSEUDO_PARAMETERS["AWS::AccountId"]}}
    (channel,) = deployment.resources("AWS::Chatbot::SlackChannelConfiguration").values()
    assert channel["GuardrailPolicies"] == ["<ChannelPolicy>"]
    assert all(is_read(action) for action in deployment.actions())


def test_without_a_function_the_channel_has_no_button():
    deployment = Deployment("infra/slack.yaml")
    assert not deployment.resources("AWS::Chatbot::CustomAction")
    (channel,) = deployment.resources("AWS::Chatbot::SlackChannelConfiguration").values()
    assert "CustomizationResourceArns" not in channel


def test_with_a_function_the_channel_may_call_it_and_nothing_else_that_writes():
    deployment = Deployment("infra/slack.yaml", FunctionArn=FUNCTION_ARN)
    assert [action for action in deployment.actions() if not is_read(action)] == ["lambda:InvokeFunction"]
    assert deployment.statement("lambda:InvokeFunction")["Resource"] == FUNCTION_ARN
    (role,) = deployment.resources("AWS::IAM::Role").values()
    (channel,) = deployment.resources("AWS::Chatbot::SlackChannelConfiguration").values()
    # A command has to be allowed by both.
    assert role["ManagedPolicyArns"] == channel["GuardrailPolicies"] == ["<ChannelPolicy>", "<ApprovePolicy>"]
    assert channel["CustomizationResourceArns"] == ["<ApproveAction>"]


# What a report says of itself to the channel.
CONTEXT = {"approve": "yes", "endpoint_name": "orders", "variant_name": "AllTraffic", "plan_digest": "3f9c01d2a4be", "status": "recommended"}


def test_the_button_sends_the_approval_of_exactly_this_plan():
    (action,) = Deployment("infra/slack.yaml", FunctionArn=FUNCTION_ARN).resources("AWS::Chatbot::CustomAction").values()
    (attachment,) = action["Attachments"]
    prefix = "event.metadata.additionalContext."
    assert all(path.startswith(prefix) for path in attachment["Variables"].values())
    command = action["Definition"]["CommandText"]
    for name, path in attachment["Variables"].items():
        command = command.replace(f"${name}", CONTEXT[path.removeprefix(prefix)])
    options, payload = command.split(" --payload ")
    approval = {"endpoint_name": "orders", "variant_name": "AllTraffic", "plan_digest": "3f9c01d2a4be"}
    assert json.loads(payload) == {"apply": approval}
    assert options == f"lambda invoke --function-name {FUNCTION_ARN} --region us-east-1 --invocation-type Event"


def test_the_button_is_there_only_where_the_report_says_that_approving_makes_sense():
    (action,) = Deployment("infra/slack.yaml", FunctionArn=FUNCTION_ARN).resources("AWS::Chatbot::CustomAction").values()
    (attachment,) = action["Attachments"]
    assert attachment["NotificationType"] == "Custom"
    assert attachment["Criteria"] == [{"VariableName": "approve", "Operator": "EQUALS", "Value": "yes"}]
    # Limits of the service.
    assert 0 < len(attachment["ButtonText"]) <= 50
    assert len(attachment["Variables"]) <= 5


def test_a_message_stays_hidden_for_six_times_the_timeout_of_the_function():
    allowed = load("template.yaml")["Parameters"]["Timeout"]["AllowedValues"]
    assert allowed
    for timeout in allowed:
        deployment = Deployment("template.yaml", Timeout=timeout)
        queue = deployment.resources("AWS::SQS::Queue")["EventQueue"]
        window = int(deployment.queue_event().get("MaximumBatchingWindowInSeconds", 0))
        assert int(queue["VisibilityTimeout"]) >= 6 * int(deployment.function()["Timeout"]) + window


def test_the_answer_to_a_batch_names_the_records_that_failed():
    event = Deployment("template.yaml", BatchSize="10").queue_event()
    assert event["Queue"] == "<EventQueue.Arn>"
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["BatchSize"] == "10"


@pytest.mark.parametrize("concurrency", ["2", "5", "6", "1000"])
def test_the_concurrency_asked_for_is_the_concurrency_set(concurrency):
    event = Deployment("template.yaml", MaximumConcurrency=concurrency).queue_event()
    assert str(event["ScalingConfig"]["MaximumConcurrency"]) == concurrency


def test_what_could_not_be_handled_is_kept_on_every_path():
    deployment = Deployment("template.yaml")
    queues = deployment.resources("AWS::SQS::Queue")
    assert queues["EventQueue"]["RedrivePolicy"] == {"deadLetterTargetArn": "<DeadLetterQueue.Arn>", "maxReceiveCount": 5}
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    on_failure = deployment.function()["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert on_failure == {"Type": "SQS", "Destination": "<DeadLetterQueue.Arn>"}
    (rule,) = deployment.resources("AWS::Events::Rule").values()
    (target,) = rule["Targets"]
    assert (target["Arn"], target["DeadLetterConfig"]) == ("<EventQueue.Arn>", {"Arn": "<DeadLetterQueue.Arn>"})


def test_logs_are_json_and_kept_for_a_limited_time():
    deployment = Deployment("template.yaml")
    assert deployment.function()["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "<AdvisorLogs>"}
    (group,) = deployment.resources("AWS::Logs::LogGroup").values()
    assert group["RetentionInDays"] == "90"


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name):
    code, output = run("cfn-lint", name)
    assert (code, output.strip()) == (0, "")


def test_sam_validate_finds_nothing():
    code, output = run("sam", "validate", "--lint", "--region", "us-east-1", "--template", str(ROOT / "template.yaml"))
    assert code == 0, output
