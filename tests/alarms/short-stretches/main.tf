# orders/AllTraffic, proposed 2026-10-05T09:20:00Z

resource "aws_cloudwatch_metric_alarm" "orders_AllTraffic_latency" {
  alarm_name        = "endpoint-latency-orders-AllTraffic"
  alarm_description = "p90 ModelLatency of orders/AllTraffic above 500 ms in 2 of 3 minutes (Endpoint Advisor)"
  namespace         = "AWS/SageMaker"
  metric_name       = "ModelLatency"
  dimensions = {
    "EndpointName" = "orders"
    "VariantName"  = "AllTraffic"
  }
  extended_statistic                    = "p90"
  period                                = 60
  evaluation_periods                    = 3
  datapoints_to_alarm                   = 2
  threshold                             = 500000
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "missing"
  evaluate_low_sample_count_percentiles = "ignore"
}
