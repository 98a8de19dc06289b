variable "name" {
  type        = string
  description = "Name of the function, and the beginning of all other names."
  default     = "endpoint-advisor"

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{1,32}$", var.name))
    error_message = "At most 32 letters, digits and hyphens."
  }
}

variable "function_zip" {
  type        = string
  description = "Path of the zip file that holds the program bootstrap, built for architecture (infra/zip_function.py makes it)."
}

variable "mode" {
  type        = string
  description = "recommend - report only; the role then has no action that changes scaling. apply - may also write scaling, within the limits below and the tags of each endpoint."
  default     = "recommend"

  validation {
    condition     = contains(["recommend", "apply"], var.mode)
    error_message = "One of recommend, apply."
  }
}

variable "existing_targets" {
  type        = string
  description = "What may happen to scalable targets that the advisor did not make. advise - nothing. raise - their minimum and maximum may be raised, never lowered."
  default     = "advise"

  validation {
    condition     = contains(["advise", "raise"], var.existing_targets)
    error_message = "One of advise, raise."
  }
}

variable "max_instances" {
  type        = number
  description = "No plan has a maximum above this number of instances."
  default     = 10

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 10000
    error_message = "From 1 to 10000."
  }
}

variable "max_hourly_usd" {
  type        = number
  description = "No plan may cost more than this many US dollars per hour at its maximum. None - no limit."
  default     = null

  validation {
    condition     = var.max_hourly_usd == null || try(var.max_hourly_usd > 0, false)
    error_message = "More than 0."
  }
}

variable "objective" {
  type        = string
  description = "How much a minute over the latency objective is worth, in minutes of the mean fleet. availability - 100, balanced - 20, cost - 5."
  default     = "balanced"

  validation {
    condition     = contains(["availability", "balanced", "cost"], var.objective)
    error_message = "One of availability, balanced, cost."
  }
}

variable "history_days" {
  type        = number
  description = "Days of metrics read for sizing and replay. CloudWatch keeps one-minute data for 15 days."
  default     = 14

  validation {
    condition     = var.history_days >= 1 && var.history_days <= 15
    error_message = "From 1 to 15."
  }
}

variable "alarm_name_prefix" {
  type        = string
  description = "Only alarms whose name starts with this reach the advisor by itself. Empty - every alarm of this account and Region."
  default     = "endpoint-latency-"

  validation {
    condition     = length(var.alarm_name_prefix) <= 255
    error_message = "At most 255 characters."
  }
}

variable "audit_schedule" {
  type        = string
  description = "When every endpoint of the account and Region is looked at, with one summary as a message. Empty - never by itself."
  default     = null

  validation {
    condition     = var.audit_schedule == null || can(regex("^(rate|cron)\\(.+\\)$", var.audit_schedule))
    error_message = "A schedule such as rate(7 days) or cron(0 6 ? * MON *)."
  }
}

variable "report_email" {
  type        = string
  description = "Address that receives the reports; it must confirm the subscription. Empty, or with existing_report_topic_arn - none."
  default     = null

  validation {
    condition     = var.report_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.report_email))
    error_message = "One e-mail address."
  }
}

variable "existing_report_topic_arn" {
  type        = string
  description = "Topic that receives the reports instead of one of this module. It may be in another account or Region, whose topic policy then has to let this account publish (infra/cross-account.yaml does). None - the module makes one."
  default     = null

  validation {
    condition     = var.existing_report_topic_arn == null || can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]+$", var.existing_report_topic_arn))
    error_message = "The ARN of a standard SNS topic."
  }
}

variable "existing_chat_topic_arn" {
  type        = string
  description = "The same for the cards of Amazon Q Developer in chat applications. None - the module makes one."
  default     = null

  validation {
    condition     = var.existing_chat_topic_arn == null || can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]+$", var.existing_chat_topic_arn))
    error_message = "The ARN of a standard SNS topic."
  }
}

variable "operations_email" {
  type        = string
  description = "Address that hears when the advisor itself is in trouble (docs/operate.md says what to do); it must confirm the subscription. Empty, or with existing_operations_topic_arn - none."
  default     = null

  validation {
    condition     = var.operations_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.operations_email))
    error_message = "One e-mail address."
  }
}

variable "existing_operations_topic_arn" {
  type        = string
  description = "Topic of this account and Region that hears it, instead of one of this module. None - the module makes one."
  default     = null

  validation {
    condition     = var.existing_operations_topic_arn == null || can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]+$", var.existing_operations_topic_arn))
    error_message = "The ARN of a standard SNS topic."
  }
}

variable "dashboard" {
  type        = bool
  description = "Whether to make a CloudWatch dashboard of what the advisor did. An account has three for nothing; each further one costs 3 USD a month."
  default     = true
}

variable "tracing" {
  type        = string
  description = "AWS X-Ray. Active - Lambda records each run of the function, and the role may send that to X-Ray. PassThrough - only where the caller asks."
  default     = "PassThrough"

  validation {
    condition     = contains(["PassThrough", "Active"], var.tracing)
    error_message = "One of PassThrough, Active."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days that log lines, and with them the reports, are kept."
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "One of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "architecture" {
  type        = string
  description = "Processor of the function. The build has to match."
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "One of arm64, x86_64."
  }
}

variable "memory_size" {
  type        = number
  description = "Memory of the function in MB."
  default     = 768

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "From 128 to 10240."
  }
}

variable "timeout" {
  type        = number
  description = "Seconds that the function may take for one batch. The queue hides a message for six times as long."
  default     = 60

  validation {
    condition     = contains([30, 60, 120, 150], var.timeout)
    error_message = "One of 30, 60, 120, 150."
  }
}

variable "batch_size" {
  type        = number
  description = "Events handled by one run of the function. All of them have to fit into the timeout."
  default     = 1

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10
    error_message = "From 1 to 10."
  }
}

variable "maximum_concurrency" {
  type        = number
  description = "Runs of the function at the same time for events from the queue. Further events wait in the queue."
  default     = 5

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "From 2 to 1000."
  }
}

variable "reserved_concurrency" {
  type        = number
  description = "Runs that are set aside for this function, and the most that it may have, however it is called. At least maximum_concurrency, or the queue meets throttles. None - none set aside."
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || try(var.reserved_concurrency >= 1, false)
    error_message = "At least 1."
  }
}

variable "permissions_boundary_arn" {
  type        = string
  description = "Permissions boundary of the two roles of this module. It has to allow what docs/permissions.md lists. None - none."
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[^:]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "The ARN of an IAM managed policy."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "Customer managed key for the topics, queues and log group of this module. Its key policy has to let IAM policies of this account decide (the default statement for the account's root), and allow kms:GenerateDataKey* and kms:Decrypt to events.amazonaws.com and cloudwatch.amazonaws.com, and kms:Encrypt*, kms:Decrypt*, kms:ReEncrypt*, kms:GenerateDataKey* and kms:Describe* to logs.REGION.amazonaws.com; also the first two to sns.amazonaws.com where a queue with this key subscribes. None - the queues have keys of SQS, the rest is encrypted as AWS does by itself."
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[a-zA-Z0-9-]+$", var.kms_key_arn))
    error_message = "The ARN of a KMS key of this Region (not of an alias)."
  }
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets for the function. It needs none; if given, they need NAT or interface endpoints for monitoring, sagemaker.api, application-autoscaling, sns and scheduler. Empty - no VPC."
  default     = []
}

variable "security_group_ids" {
  type        = list(string)
  description = "Security groups for the function in those subnets; HTTPS to the outside is enough. Empty - no VPC."
  default     = []
}
