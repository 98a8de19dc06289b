# terraform init && terraform apply -var report_email=on-call@example.com

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

variable "report_email" {
  type        = string
  description = "Address that receives the reports."
}

module "endpoint_advisor" {
  source = "../"

  # cargo lambda build --release --arm64 --bin bootstrap && python3 infra/zip_function.py target/lambda/bootstrap/bootstrap function.zip
  function_zip = "${path.module}/../../../function.zip"

  mode             = "recommend"
  max_instances    = 10
  report_email     = var.report_email
  operations_email = var.report_email
}

# One alarm for each endpoint: its name begins with endpoint-latency-, its threshold is the objective, in microseconds.
resource "aws_cloudwatch_metric_alarm" "orders" {
  alarm_name                            = "endpoint-latency-orders-AllTraffic"
  namespace                             = "AWS/SageMaker"
  metric_name                           = "ModelLatency"
  dimensions                            = { EndpointName = "orders", VariantName = "AllTraffic" }
  extended_statistic                    = "p90"
  period                                = 60
  evaluation_periods                    = 3
  datapoints_to_alarm                   = 3
  comparison_operator                   = "GreaterThanThreshold"
  threshold                             = 500000
  treat_missing_data                    = "notBreaching"
  evaluate_low_sample_count_percentiles = "ignore"
}

output "report_topic_arn" {
  description = "Subscribe whoever should read the reports"
  value       = module.endpoint_advisor.report_topic_arn
}
