# The way in: alarm -> rule -> queue -> function. The queue bounds concurrency, lets a burst of alarms wait, and keeps what could not
# be handled.

resource "aws_cloudwatch_event_rule" "alarms" {
  name_prefix = "${var.name}-"
  description = "Sends state changes of CloudWatch alarms to Endpoint Advisor"

  # OK closes an incident. EventBridge refuses an empty prefix, so without one there is no name filter at all.
  event_pattern = jsonencode({
    source      = ["aws.cloudwatch"]
    # Other accounts and Regions may send to the same bus, and endpoints there may have the same names.
    account     = [local.account]
    region      = [local.region]
    detail-type = ["CloudWatch Alarm State Change"]
    detail = merge(
      { state = { value = ["ALARM", "OK"] } },
      var.alarm_name_prefix == "" ? {} : { alarmName = [{ prefix = var.alarm_name_prefix }] },
    )
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule      = aws_cloudwatch_event_rule.alarms.name
  target_id = "queue"
  arn       = aws_sqs_queue.events.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

resource "aws_sqs_queue" "events" {
  name_prefix             = "${var.name}-events-"
  kms_master_key_id       = var.kms_key_arn
  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null

  # AWS asks for at least six times, so that a message is not handed out again while retries of its batch are still running.
  visibility_timeout_seconds = 6 * var.timeout

  # Fewer than five, and a spell of throttling could use them up.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name_prefix             = "${var.name}-dead-letters-"
  kms_master_key_id       = var.kms_key_arn
  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null

  # The longest that SQS allows: whoever looks has two weeks.
  message_retention_seconds = 1209600
}

data "aws_iam_policy_document" "rule_may_send" {
  statement {
    sid       = "RuleMaySend"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.events.arn, aws_sqs_queue.dead_letters.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.alarms.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id
  policy    = data.aws_iam_policy_document.rule_may_send.json
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = data.aws_iam_policy_document.rule_may_send.json
}

# The way back in: each open incident is one schedule of this group, which puts its own memory into the queue when it is time to look
# again. Destroying the group deletes every schedule in it.

resource "aws_scheduler_schedule_group" "follow_up" {
  name_prefix = "${var.name}-"
}

resource "aws_scheduler_schedule" "audit" {
  # checkov:skip=CKV_AWS_297: its input is {"audit":{}}, nothing that a key would protect
  count = var.audit_schedule == null ? 0 : 1

  name_prefix         = "${var.name}-audit-"
  description         = "Has Endpoint Advisor look at every endpoint"
  group_name          = aws_scheduler_schedule_group.follow_up.name
  schedule_expression = var.audit_schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sqs_queue.events.arn
    role_arn = aws_iam_role.follow_up.arn
    input    = jsonencode({ audit = {} })
  }
}

data "aws_iam_policy_document" "scheduler_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "follow_up" {
  name_prefix          = "${var.name}-"
  description          = "Lets EventBridge Scheduler put the follow-up of an incident into Endpoint Advisor's queue"
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = data.aws_iam_policy_document.scheduler_assumes.json
}

data "aws_iam_policy_document" "follow_up" {
  statement {
    sid       = "SendFollowUps"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.events.arn]
  }
}

resource "aws_iam_role_policy" "follow_up" {
  name   = "put-follow-ups-into-the-queue"
  role   = aws_iam_role.follow_up.id
  policy = data.aws_iam_policy_document.follow_up.json
}

data "aws_iam_policy_document" "follow_up_key" {
  count = var.kms_key_arn == null ? 0 : 1

  statement {
    sid       = "EncryptFollowUps"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["sqs.${local.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "follow_up_key" {
  count = var.kms_key_arn == null ? 0 : 1

  name   = "use-the-key"
  role   = aws_iam_role.follow_up.id
  policy = data.aws_iam_policy_document.follow_up_key[0].json
}
