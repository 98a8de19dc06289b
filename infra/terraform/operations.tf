# When the advisor itself is in trouble. docs/operate.md says what each alarm means and what to do.

locals {
  alarms = {
    function-errors = {
      description        = "Endpoint Advisor was cut off, or a direct call of it failed. docs/operate.md, function-errors"
      namespace          = "AWS/Lambda"
      metric_name        = "Errors"
      dimensions         = { FunctionName = aws_lambda_function.advisor.function_name }
      statistic          = "Sum"
      evaluation_periods = 1
      threshold          = 0
    }

    function-throttles = {
      description        = "Endpoint Advisor cannot run - the account or its own reserve has no concurrency left. docs/operate.md, function-throttles"
      namespace          = "AWS/Lambda"
      metric_name        = "Throttles"
      dimensions         = { FunctionName = aws_lambda_function.advisor.function_name }
      statistic          = "Sum"
      evaluation_periods = 3
      threshold          = 0
    }

    dead-letters = {
      description        = "Endpoint Advisor could not handle an event, and gave it up. docs/operate.md, dead-letters"
      namespace          = "AWS/SQS"
      metric_name        = "ApproximateNumberOfMessagesVisible"
      dimensions         = { QueueName = aws_sqs_queue.dead_letters.name }
      statistic          = "Maximum"
      evaluation_periods = 1
      threshold          = 0
    }

    events-waiting = {
      description        = "An event has waited for Endpoint Advisor for more than 15 minutes. docs/operate.md, events-waiting"
      namespace          = "AWS/SQS"
      metric_name        = "ApproximateAgeOfOldestMessage"
      dimensions         = { QueueName = aws_sqs_queue.events.name }
      statistic          = "Maximum"
      evaluation_periods = 1
      threshold          = 900
    }

    follow-ups-missed = {
      description        = "EventBridge Scheduler could not bring an incident back to Endpoint Advisor. docs/operate.md, follow-ups-missed"
      namespace          = "AWS/Scheduler"
      metric_name        = "InvocationDroppedCount"
      dimensions         = { ScheduleGroup = aws_scheduler_schedule_group.follow_up.name }
      statistic          = "Sum"
      evaluation_periods = 1
      threshold          = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "operations" {
  for_each = local.alarms

  alarm_name          = "operations-${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric_name
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = each.value.evaluation_periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.operations_topic_arn]
  ok_actions          = [local.operations_topic_arn]
}

# What the advisor did, from the metrics in its log and those of AWS.
resource "aws_cloudwatch_dashboard" "advisor" {
  count = var.dashboard ? 1 : 0

  dashboard_name = "${var.name}-${local.region}"
  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    region            = local.region
    function_name     = aws_lambda_function.advisor.function_name
    event_queue       = aws_sqs_queue.events.name
    dead_letter_queue = aws_sqs_queue.dead_letters.name
    log_group         = aws_cloudwatch_log_group.advisor.name
    alarms            = { for name, alarm in aws_cloudwatch_metric_alarm.operations : name => alarm.arn }
  })
}
