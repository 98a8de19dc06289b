"""The Terraform module against `template.yaml`: the same resources, rights, settings, alarms and dashboard.

Both sides are brought to the same words: a reference to a resource becomes its logical name in the template.
"""

import functools
import json
import re

import hcl2
import pytest
from test_template import EVERYTHING, ROOT, Deployment, as_list, load

MODULE = ROOT / "infra" / "terraform"
# What the module calls by its own name.
REFERENCES = {
    "aws_cloudwatch_event_rule.alarms.arn": "<AlarmRule.Arn>",
    "aws_cloudwatch_log_group.advisor.arn": "<AdvisorLogs.Arn>",
    "aws_cloudwatch_log_group.advisor.name": "<AdvisorLogs>",
    "aws_iam_role.advisor.arn": "<AdvisorRole.Arn>",
    "aws_iam_role.follow_up.arn": "<FollowUpRole.Arn>",
    "aws_lambda_function.advisor.arn": "<AdvisorFunction>",
    "aws_lambda_function.advisor.function_name": "<AdvisorFunction>",
    "aws_scheduler_schedule_group.follow_up.name": "<FollowUpGroup>",
    "aws_sqs_queue.dead_letters.arn": "<DeadLetterQueue.Arn>",
    "aws_sqs_queue.dead_letters.name": "<DeadLetterQueue.QueueName>",
    "aws_sqs_queue.events.arn": "<EventQueue.Arn>",
    "aws_sqs_queue.events.url": "<EventQueue>",
    "aws_sqs_queue.events.name": "<EventQueue.QueueName>",
    "local.account": "111122223333",
    "local.chat_topic_arn": "<ChatTopic>",
    "local.operations_topic_arn": "<OperationsTopic>",
    "local.partition": "aws",
    "local.region": "us-east-1",
    "local.report_topic_arn": "<ReportTopic>",
    "var.name": "advisor",
}
KINDS = {
    "aws_cloudwatch_dashboard": "AWS::CloudWatch::Dashboard",
    "aws_cloudwatch_event_rule": "AWS::Events::Rule",
    "aws_cloudwatch_log_group": "AWS::Logs::LogGroup",
    "aws_iam_role": "AWS::IAM::Role",
    "aws_lambda_function": "AWS::Serverless::Function",
    "aws_lambda_permission": "AWS::Lambda::Permission",
    "aws_scheduler_schedule": "AWS::Scheduler::Schedule",
    "aws_scheduler_schedule_group": "AWS::Scheduler::ScheduleGroup",
    "aws_sns_topic": "AWS::SNS::Topic",
    "aws_sns_topic_subscription": "AWS::SNS::Subscription",
    "aws_sqs_queue": "AWS::SQS::Queue",
}
# What one resource of the template holds, or SAM makes of the function.
PARTS = {
    "aws_cloudwatch_event_target": 1,
    "aws_cloudwatch_metric_alarm": 1,
    "aws_iam_role_policy": 7,
    "aws_lambda_event_source_mapping": 1,
    "aws_lambda_function_event_invoke_config": 1,
    "aws_sqs_queue_policy": 2,
}


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def plain(node):
    """Without the quotes, comments and marks of the parser; references in the words of the template."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if isinstance(node, dict):
        return {plain(key): plain(value) for key, value in node.items() if key not in ("__is_block__", "__comments__")}
    if not isinstance(node, str):
        return node
    known = {"var." + snake(name): value for name, value in DEPLOYED.parameters.items()} | REFERENCES
    text = node.strip('"')
    return re.sub(r"\$\{([a-z_.]+)}", lambda match: str(known.get(match[1], match[0])), text)


@functools.cache
def module(kind):
    """Every block of a kind, by its names."""
    blocks = {}
    for path in sorted(MODULE.glob("*.tf")):
        with path.open() as file:
            for block in hcl2.load(file).get(kind, []):
                for first, inner in plain(block).items():
                    blocks |= {(first, second): body for second, body in inner.items()} if kind in ("resource", "data") else {first: inner}
    return blocks


# As much as a template can ask for: with everything, and allowed to write.
DEPLOYED = Deployment("template.yaml", Mode="apply", **EVERYTHING)
RESOURCES, DATA = module("resource"), module("data")


def resource(kind):
    return {name: body for (of_kind, name), body in RESOURCES.items() if of_kind == kind}


def test_every_resource_of_the_one_is_in_the_other():
    counts = {kind: len(resource(kind)) for kind, _ in RESOURCES}
    assert {kind: count for kind, count in counts.items() if kind in KINDS} == {
        kind: len(DEPLOYED.resources(name)) for kind, name in KINDS.items()}
    assert {kind: count for kind, count in counts.items() if kind not in KINDS} == PARTS
    others = {resource["Type"] for resource in DEPLOYED.template["Resources"].values()} - set(KINDS.values())
    assert others == {"AWS::CloudWatch::Alarm", "AWS::IAM::Policy", "AWS::SQS::QueuePolicy"}


def conditions(statement):
    return {(test, key): as_list(value) for test, keys in statement.get("Condition", {}).items() for key, value in keys.items()}


def statements_of_the_template():
    documents = [policy["PolicyDocument"] for role in DEPLOYED.resources("AWS::IAM::Role").values() for policy in role["Policies"]]
    documents += [policy["PolicyDocument"] for kind in ("IAM::Policy", "SQS::QueuePolicy") for policy in DEPLOYED.resources(f"AWS::{kind}").values()]
    return {statement["Sid"]: (statement["Effect"], sorted(as_list(statement["Action"])), sorted(as_list(statement["Resource"])), conditions(statement))
            for document in documents for statement in document["Statement"]}


def statements_of_the_module():
    found = {}
    for (kind, _), document in DATA.items():
        for statement in document.get("statement", []) if kind == "aws_iam_policy_document" else []:
            if "sid" in statement:  # who may take a role has none
                given = {(item["test"], item["variable"]): item["values"] for item in statement.get("condition", [])}
                resources = sorted(item.removesuffix(":*") if item.startswith("<AdvisorLogs") else item for item in statement["resources"])
                found[statement["sid"]] = (statement.get("effect", "Allow"), sorted(statement["actions"]), resources, given)
    return found


def test_every_right_is_the_same():
    assert statements_of_the_module() == statements_of_the_template()


def test_every_document_is_somebodys_policy_under_the_same_condition():
    policies = resource("aws_iam_role_policy")
    for name, policy in policies.items():
        document = DATA["aws_iam_policy_document", name]
        assert policy["policy"].startswith("${data.aws_iam_policy_document." + name)
        assert policy.get("count") == document.get("count")
    asked = {name: policy["count"] for name, policy in policies.items() if "count" in policy}
    has_key = "${var.kms_key_arn == null ? 0 : 1}"
    assert asked == {
        "apply_scaling": '${var.mode == "apply" ? 1 : 0}',
        "attach_to_vpc": "${length(var.subnet_ids) + length(var.security_group_ids) > 0 ? 1 : 0}",
        "follow_up_key": has_key,
        "trace": '${var.tracing == "Active" ? 1 : 0}',
        "use_the_key": has_key,
    }


def test_roles_are_taken_by_the_same_services():
    takers = {item["identifiers"][0] for (_, name), document in DATA.items() if name.endswith("_assumes")
              for statement in document["statement"] for item in statement["principals"]}
    assert takers == {role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] for role in DEPLOYED.resources("AWS::IAM::Role").values()}
    assert all(role["permissions_boundary"] == EVERYTHING["PermissionsBoundaryArn"] for role in resource("aws_iam_role").values())


def test_the_function_has_the_same_settings():
    (function,) = resource("aws_lambda_function").values()
    text = function["environment"][0]["variables"]
    known = {"var." + snake(name): value for name, value in DEPLOYED.parameters.items()} | REFERENCES
    given = {name: known[value] for name, value in re.findall(r"(ADVISOR_\w+) = ([\w.]+)", text)}
    assert given == {"ADVISOR_MAX_HOURLY_USD": ""} | DEPLOYED.function()["Environment"]["Variables"]


def test_an_audit_begins_the_same_way():
    (ours,), (theirs,) = resource("aws_scheduler_schedule").values(), DEPLOYED.resources("AWS::Scheduler::Schedule").values()
    (target,) = ours["target"]
    assert (ours["group_name"], target["arn"], target["role_arn"]) == (theirs["GroupName"], theirs["Target"]["Arn"], theirs["Target"]["RoleArn"])
    assert ours["flexible_time_window"][0]["mode"] == theirs["FlexibleTimeWindow"]["Mode"]
    assert target["input"] == "${jsonencode({audit = {}})}" and json.loads(theirs["Target"]["Input"]) == {"audit": {}}


def test_the_function_runs_the_same_way():
    (function,) = resource("aws_lambda_function").values()
    template = DEPLOYED.function()
    for ours, theirs in [("runtime", "Runtime"), ("handler", "Handler"), ("architectures", "Architectures"), ("memory_size", "MemorySize"),
                         ("timeout", "Timeout"), ("role", "Role"), ("description", "Description")]:
        assert function[ours] == template[theirs]
    assert function["tracing_config"] == [{"mode": template["Tracing"]}]
    assert function["logging_config"] == [{"log_format": "JSON", "log_group": template["LoggingConfig"]["LogGroup"]}]
    (mapping,) = resource("aws_lambda_event_source_mapping").values()
    event = DEPLOYED.queue_event()
    assert (mapping["event_source_arn"], mapping["batch_size"]) == (event["Queue"], event["BatchSize"])
    assert mapping["function_response_types"] == event["FunctionResponseTypes"]
    assert mapping["scaling_config"] == [{"maximum_concurrency": event["ScalingConfig"]["MaximumConcurrency"]}]
    (invoked,) = resource("aws_lambda_function_event_invoke_config").values()
    config = template["EventInvokeConfig"]
    assert invoked["maximum_retry_attempts"] == config["MaximumRetryAttempts"]
    assert invoked["maximum_event_age_in_seconds"] == config["MaximumEventAgeInSeconds"]
    assert invoked["destination_config"][0]["on_failure"][0]["destination"] == config["DestinationConfig"]["OnFailure"]["Destination"]


def test_queues_topics_and_log_keep_things_the_same_way():
    queues, template = resource("aws_sqs_queue"), DEPLOYED.resources("AWS::SQS::Queue")
    redrive = template["EventQueue"]["RedrivePolicy"]
    assert queues["events"]["visibility_timeout_seconds"] == "${6 * var.timeout}"
    assert queues["events"]["redrive_policy"] == ("${jsonencode({deadLetterTargetArn = aws_sqs_queue.dead_letters.arn, "
                                                  f"maxReceiveCount = {redrive['maxReceiveCount']}}})}}")
    assert queues["dead_letters"]["message_retention_seconds"] == template["DeadLetterQueue"]["MessageRetentionPeriod"]
    key = EVERYTHING["KmsKeyArn"]
    assert all(body["kms_master_key_id"] == key for body in [*queues.values(), *resource("aws_sns_topic").values()])
    (log,) = resource("aws_cloudwatch_log_group").values()
    assert (log["kms_key_id"], log["retention_in_days"]) == (key, DEPLOYED.parameters["LogRetentionDays"])


def test_alarms_are_the_same():
    (rest,) = resource("aws_cloudwatch_metric_alarm").values()
    given = {}
    for name, alarm in module("locals")["alarms"].items():
        given[f"operations-advisor-{name}"] = {
            "AlarmName": f"operations-advisor-{name}", "AlarmDescription": alarm["description"], "Namespace": alarm["namespace"], "MetricName": alarm["metric_name"],
            "Dimensions": [{"Name": key, "Value": value} for key, value in alarm["dimensions"].items()], "Statistic": alarm["statistic"],
            "Period": rest["period"], "EvaluationPeriods": alarm["evaluation_periods"], "ComparisonOperator": rest["comparison_operator"],
            "Threshold": alarm["threshold"], "TreatMissingData": rest["treat_missing_data"], "AlarmActions": rest["alarm_actions"], "OKActions": rest["ok_actions"]}
    assert given == {alarm["AlarmName"]: alarm for alarm in DEPLOYED.resources("AWS::CloudWatch::Alarm").values()}


def test_the_dashboard_is_the_same():
    words = {"region": "us-east-1", "function_name": "<AdvisorFunction>", "event_queue": "<EventQueue.QueueName>",
             "dead_letter_queue": "<DeadLetterQueue.QueueName>", "log_group": "<AdvisorLogs>"}
    names = {re.sub(r"^operations-advisor-", "", alarm["AlarmName"]): f"<{name}.Arn>" for name, alarm in DEPLOYED.resources("AWS::CloudWatch::Alarm").items()}
    text = re.sub(r'\$\{alarms\["([a-z-]+)"]}', lambda match: names[match[1]], (MODULE / "dashboard.json.tftpl").read_text())
    text = re.sub(r"\$\{(\w+)}", lambda match: words[match[1]], text)
    (dashboard,) = DEPLOYED.resources("AWS::CloudWatch::Dashboard").values()
    assert json.loads(text) == json.loads(dashboard["DashboardBody"])


def test_every_parameter_is_a_variable_with_the_same_default_and_choice():
    variables, parameters = module("variable"), load("template.yaml")["Parameters"]
    assert set(variables) == {snake(name) for name in parameters} | {"name", "function_zip"}
    for name, parameter in parameters.items():
        variable = variables[snake(name)]
        if name == "Dashboard":
            assert (variable["default"], parameter["Default"]) == ("true", "yes") or variable["default"] is True
            continue
        default = {"": [] if parameter["Type"] == "CommaDelimitedList" else None}.get(parameter["Default"], parameter["Default"])
        given = variable["default"]
        assert (None if given in (None, "null") else given) == default or str(given) == str(default), name
        condition = variable.get("validation", [{"condition": ""}])[0]["condition"]
        if "AllowedValues" in parameter:
            assert re.findall(r"[\w.]+", re.search(r"\[(.*)]", condition)[1]) == [str(value) for value in parameter["AllowedValues"]]
        if "MinValue" in parameter:
            assert re.findall(r">= (\d+).*<= (\d+)", condition) == [(str(parameter["MinValue"]), str(parameter["MaxValue"]))]


def test_every_output_is_there():
    outputs = load("template.yaml")["Outputs"]
    assert set(module("output")) == {snake(name) for name in outputs} - {"what_next"}


@pytest.mark.parametrize("path", sorted(MODULE.glob("*.tf")), ids=lambda path: path.name)
def test_every_reference_is_to_something_that_is_there(path):
    text = re.sub(r"(?m)#.*$", "", path.read_text())
    variables = module("variable")
    local = set(module("locals"))
    assert not {name for name in re.findall(r"\bvar\.(\w+)", text) if name not in variables}
    assert not {name for name in re.findall(r"\blocal\.(\w+)", text) if name not in local}
    for kind, name in re.findall(r"(?<!data\.)\b(aws_\w+)\.(\w+)[.\[\],]", text):
        assert (kind, name) in RESOURCES, f"{kind}.{name}"
    for kind, name in re.findall(r"\bdata\.(aws_\w+)\.(\w+)", text):
        assert (kind, name) in DATA, f"{kind}.{name}"


def test_the_example_gives_variables_that_exist():
    with (MODULE / "example" / "main.tf").open() as file:
        (call,) = plain(hcl2.load(file)["module"])
    given = set(call["endpoint_advisor"]) - {"source"}
    assert given <= set(module("variable"))
    assert given >= {name for name, variable in module("variable").items() if "default" not in variable}
