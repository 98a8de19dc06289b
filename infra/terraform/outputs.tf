output "function_arn" {
  description = "The function, for alarm actions of an alarm that should call it directly"
  value       = aws_lambda_function.advisor.arn
}

output "function_name" {
  description = "The function, to ask it by hand"
  value       = aws_lambda_function.advisor.function_name
}

output "queue_url" {
  description = "Events waiting for the function"
  value       = aws_sqs_queue.events.url
}

output "dead_letter_queue_url" {
  description = "Events that could not be handled; it should be empty"
  value       = aws_sqs_queue.dead_letters.url
}

output "report_topic_arn" {
  description = "Reports for people and machines; subscribe e-mail, queues, functions or web hooks"
  value       = local.report_topic_arn
}

output "chat_topic_arn" {
  description = "Reports for Amazon Q Developer in chat applications; a parameter of infra/slack.yaml"
  value       = local.chat_topic_arn
}

output "operations_topic_arn" {
  description = "Hears when the advisor itself is in trouble; subscribe whoever keeps it running"
  value       = local.operations_topic_arn
}

output "dashboard_url" {
  description = "What the advisor did; none where there is no dashboard"
  value       = var.dashboard ? "https://console.aws.amazon.com/cloudwatch/home?region=${local.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.advisor[0].dashboard_name}" : null
}

output "follow_up_group_name" {
  description = "Schedule group with one schedule for each open incident"
  value       = aws_scheduler_schedule_group.follow_up.name
}

output "log_group_name" {
  description = "Log of the function, one JSON line per report"
  value       = aws_cloudwatch_log_group.advisor.name
}
