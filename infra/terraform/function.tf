resource "aws_lambda_function" "advisor" {
  # checkov:skip=CKV_AWS_116: what failed goes to the dead letters, by the queue's redrive policy and by the event invoke configuration
  # checkov:skip=CKV_AWS_173: names and limits, no secrets; Lambda encrypts them with a key of its own
  # checkov:skip=CKV_AWS_272: the zip file is signed by who releases it, if at all; a release has checksums
  function_name    = var.name
  description      = "Says why a SageMaker endpoint is slow, and scales it where that helps and is allowed"
  filename         = var.function_zip
  source_code_hash = filebase64sha256(var.function_zip)
  handler          = "bootstrap"
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  memory_size      = var.memory_size
  timeout          = var.timeout
  role             = aws_iam_role.advisor.arn

  # Nothing set aside is -1 here.
  reserved_concurrent_executions = var.reserved_concurrency == null ? -1 : var.reserved_concurrency

  environment {
    variables = merge({
      ADVISOR_MODE                 = var.mode
      ADVISOR_OBJECTIVE            = var.objective
      ADVISOR_REPORT_TOPIC_ARN     = local.report_topic_arn
      ADVISOR_CHAT_TOPIC_ARN       = local.chat_topic_arn
      ADVISOR_MAX_INSTANCES        = var.max_instances
      ADVISOR_HISTORY_DAYS         = var.history_days
      ADVISOR_EXISTING_TARGETS     = var.existing_targets
      ADVISOR_QUEUE_URL            = aws_sqs_queue.events.url
      ADVISOR_FOLLOW_UP_TARGET_ARN = aws_sqs_queue.events.arn
      ADVISOR_FOLLOW_UP_ROLE_ARN   = aws_iam_role.follow_up.arn
      ADVISOR_FOLLOW_UP_GROUP      = aws_scheduler_schedule_group.follow_up.name
      }, var.max_hourly_usd == null ? {} : {
      ADVISOR_MAX_HOURLY_USD = var.max_hourly_usd
    })
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.advisor.name
  }

  tracing_config {
    mode = var.tracing
  }

  # Where only one of the two is given, Lambda says so.
  dynamic "vpc_config" {
    for_each = length(var.subnet_ids) + length(var.security_group_ids) > 0 ? [1] : []

    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }

  # Lambda looks whether the role may do what a queue and a network need.
  depends_on = [aws_iam_role_policy.read_and_report, aws_iam_role_policy.attach_to_vpc]
}

resource "aws_cloudwatch_log_group" "advisor" {
  # checkov:skip=CKV_AWS_338: log_retention_days decides; a report outlives by far the 15 days of metrics that it rests on
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn        = aws_sqs_queue.events.arn
  function_name           = aws_lambda_function.advisor.arn
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}

# For direct alarm actions and SNS, which invoke the function without the queue.
resource "aws_lambda_function_event_invoke_config" "advisor" {
  function_name          = aws_lambda_function.advisor.function_name
  maximum_retry_attempts = 2

  # After an hour an alarm no longer describes the present.
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

# An alarm may also name the function as its own action.
resource "aws_lambda_permission" "alarms_may_invoke" {
  function_name  = aws_lambda_function.advisor.function_name
  action         = "lambda:InvokeFunction"
  principal      = "lambda.alarms.cloudwatch.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*"
}
