# What the function may do. The role reads and reports; what changes scaling is in `apply_scaling` alone. docs/permissions.md says why
# it needs each action.

data "aws_iam_policy_document" "lambda_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "advisor" {
  name_prefix          = "${var.name}-"
  description          = "Endpoint Advisor"
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = data.aws_iam_policy_document.lambda_assumes.json
}

data "aws_iam_policy_document" "read_and_report" {
  # checkov:skip=CKV_AWS_356: reads only; DescribeAlarms has to have "*" to find composite alarms, the others know no resource
  statement {
    sid       = "TakeEvents"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.events.arn]
  }

  statement {
    sid       = "KeepWhatFailed"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  # An audit of many endpoints passes them on to itself, in parts.
  statement {
    sid       = "PassOnAudits"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.events.arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.advisor.arn}:*"]
  }

  statement {
    sid = "ObserveAccountWide"

    actions = [
      "cloudwatch:GetMetricData",
      "cloudwatch:ListMetrics",
      "cloudwatch:DescribeAlarms",
      "cloudwatch:DescribeAlarmsForMetric",
      "application-autoscaling:DescribeScalableTargets",
      "application-autoscaling:DescribeScalingPolicies",
      "application-autoscaling:DescribeScalingActivities",
      "application-autoscaling:DescribeScheduledActions",
      "sagemaker:ListEndpoints",
      "sagemaker:ListInferenceComponents",
      "pricing:GetProducts",
    ]

    resources = ["*"]
  }

  statement {
    sid     = "ObserveScalableTargets"
    actions = ["application-autoscaling:ListTagsForResource"]

    resources = [
      "arn:${local.partition}:application-autoscaling:${local.region}:${local.account}:scalable-target/*",
    ]
  }

  statement {
    sid       = "ObserveEndpoints"
    actions   = ["sagemaker:DescribeEndpoint", "sagemaker:ListTags"]
    resources = ["arn:${local.partition}:sagemaker:${local.region}:${local.account}:endpoint/*"]
  }

  statement {
    sid       = "ObserveEndpointConfigs"
    actions   = ["sagemaker:DescribeEndpointConfig"]
    resources = ["arn:${local.partition}:sagemaker:${local.region}:${local.account}:endpoint-config/*"]
  }

  statement {
    sid       = "ObserveModels"
    actions   = ["sagemaker:DescribeModel"]
    resources = ["arn:${local.partition}:sagemaker:${local.region}:${local.account}:model/*"]
  }

  statement {
    sid       = "ObserveInferenceComponents"
    actions   = ["sagemaker:DescribeInferenceComponent"]
    resources = ["arn:${local.partition}:sagemaker:${local.region}:${local.account}:inference-component/*"]
  }

  statement {
    sid       = "Notify"
    actions   = ["sns:Publish"]
    resources = [local.report_topic_arn, local.chat_topic_arn]
  }

  statement {
    sid = "FollowUp"

    actions = [
      "scheduler:CreateSchedule",
      "scheduler:GetSchedule",
      "scheduler:UpdateSchedule",
      "scheduler:DeleteSchedule",
    ]

    resources = [
      "arn:${local.partition}:scheduler:${local.region}:${local.account}:schedule/${aws_scheduler_schedule_group.follow_up.name}/*",
    ]
  }

  statement {
    sid       = "FollowUpWithItsRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.follow_up.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["scheduler.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "read_and_report" {
  name   = "read-and-report"
  role   = aws_iam_role.advisor.id
  policy = data.aws_iam_policy_document.read_and_report.json
}

data "aws_iam_policy_document" "use_the_key" {
  count = var.kms_key_arn == null ? 0 : 1

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["sqs.${local.region}.amazonaws.com", "sns.${local.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "use_the_key" {
  count = var.kms_key_arn == null ? 0 : 1

  name   = "use-the-key"
  role   = aws_iam_role.advisor.id
  policy = data.aws_iam_policy_document.use_the_key[0].json
}

data "aws_iam_policy_document" "trace" {
  count = var.tracing == "Active" ? 1 : 0

  statement {
    sid       = "SendTraces"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "trace" {
  count = var.tracing == "Active" ? 1 : 0

  name   = "trace"
  role   = aws_iam_role.advisor.id
  policy = data.aws_iam_policy_document.trace[0].json
}

data "aws_iam_policy_document" "attach_to_vpc" {
  count = length(var.subnet_ids) + length(var.security_group_ids) > 0 ? 1 : 0

  statement {
    sid       = "SeeTheNetwork"
    actions   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    resources = ["*"]
  }

  statement {
    sid = "AttachToTheNetwork"

    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ]

    resources = [
      "arn:${local.partition}:ec2:${local.region}:${local.account}:network-interface/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:security-group/*",
      "arn:${local.partition}:ec2:${local.region}:${local.account}:subnet/*",
    ]
  }

  statement {
    sid    = "NotByTheCode"
    effect = "Deny"

    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ]

    resources = ["*"]

    condition {
      test     = "ArnLike"
      variable = "lambda:SourceFunctionArn"
      values   = ["arn:${local.partition}:lambda:${local.region}:${local.account}:function:*"]
    }
  }
}

resource "aws_iam_role_policy" "attach_to_vpc" {
  count = length(var.subnet_ids) + length(var.security_group_ids) > 0 ? 1 : 0

  name   = "attach-to-vpc"
  role   = aws_iam_role.advisor.id
  policy = data.aws_iam_policy_document.attach_to_vpc[0].json
}

data "aws_iam_policy_document" "apply_scaling" {
  count = var.mode == "apply" ? 1 : 0

  statement {
    sid = "ActOnScaling"

    actions = [
      "application-autoscaling:RegisterScalableTarget",
      "application-autoscaling:PutScalingPolicy",
      "application-autoscaling:PutScheduledAction",
    ]

    resources = [
      "arn:${local.partition}:application-autoscaling:${local.region}:${local.account}:scalable-target/*",
    ]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values   = ["sagemaker"]
    }
  }

  statement {
    sid = "ActUndo"

    actions = [
      "application-autoscaling:DeregisterScalableTarget",
      "application-autoscaling:DeleteScalingPolicy",
      "application-autoscaling:DeleteScheduledAction",
    ]

    resources = [
      "arn:${local.partition}:application-autoscaling:${local.region}:${local.account}:scalable-target/*",
    ]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values   = ["sagemaker"]
    }

    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/endpoint-advisor:before"
      values   = ["*"]
    }
  }

  statement {
    sid     = "ActOnTags"
    actions = ["application-autoscaling:TagResource", "application-autoscaling:UntagResource"]

    resources = [
      "arn:${local.partition}:application-autoscaling:${local.region}:${local.account}:scalable-target/*",
    ]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["endpoint-advisor:*"]
    }
  }

  statement {
    sid       = "ActCheckedOnEndpoints"
    actions   = ["sagemaker:UpdateEndpointWeightsAndCapacities"]
    resources = ["arn:${local.partition}:sagemaker:${local.region}:${local.account}:endpoint/*"]
  }

  statement {
    sid       = "ActCheckedOnInferenceComponents"
    actions   = ["sagemaker:UpdateInferenceComponentRuntimeConfig"]
    resources = ["arn:${local.partition}:sagemaker:${local.region}:${local.account}:inference-component/*"]
  }

  statement {
    sid       = "ActCheckedOnAlarms"
    actions   = ["cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"]
    resources = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:TargetTracking-*"]
  }

  statement {
    sid     = "ActOnOwnAlarms"
    actions = ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"]

    resources = [
      "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:endpoint-advisor-*",
    ]
  }

  statement {
    sid     = "ActMakeServiceLinkedRole"
    actions = ["iam:CreateServiceLinkedRole"]

    resources = [
      "arn:${local.partition}:iam::${local.account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["sagemaker.application-autoscaling.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "apply_scaling" {
  count = var.mode == "apply" ? 1 : 0

  name   = "apply-scaling"
  role   = aws_iam_role.advisor.id
  policy = data.aws_iam_policy_document.apply_scaling[0].json
}
