# The way out: one topic for people and machines, one for chat, because Amazon Q Developer in chat applications shows only messages in
# its own schema; and one for when the advisor itself is in trouble.

locals {
  report_topic_arn     = var.existing_report_topic_arn != null ? var.existing_report_topic_arn : aws_sns_topic.report[0].arn
  chat_topic_arn       = var.existing_chat_topic_arn != null ? var.existing_chat_topic_arn : aws_sns_topic.chat[0].arn
  operations_topic_arn = var.existing_operations_topic_arn != null ? var.existing_operations_topic_arn : aws_sns_topic.operations[0].arn
}

resource "aws_sns_topic" "report" {
  count = var.existing_report_topic_arn == null ? 1 : 0

  name_prefix       = "${var.name}-report-"
  display_name      = "Endpoint Advisor"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "report_email" {
  count = var.existing_report_topic_arn == null && var.report_email != null ? 1 : 0

  topic_arn = local.report_topic_arn
  protocol  = "email"
  endpoint  = var.report_email
}

resource "aws_sns_topic" "chat" {
  count = var.existing_chat_topic_arn == null ? 1 : 0

  name_prefix       = "${var.name}-chat-"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic" "operations" {
  count = var.existing_operations_topic_arn == null ? 1 : 0

  name_prefix       = "${var.name}-operations-"
  display_name      = "Operation of Endpoint Advisor"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "operations_email" {
  count = var.existing_operations_topic_arn == null && var.operations_email != null ? 1 : 0

  topic_arn = local.operations_topic_arn
  protocol  = "email"
  endpoint  = var.operations_email
}
