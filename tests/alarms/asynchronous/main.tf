# transcribe/AllTraffic, proposed 2026-10-05T09:20:00Z

resource "aws_cloudwatch_metric_alarm" "transcribe_AllTraffic_latency" {
  alarm_name        = "endpoint-latency-transcribe-AllTraffic"
  alarm_description = "Maximum ApproximateAgeOfOldestRequest of transcribe/AllTraffic above 60 s in 2 of 3 minutes (Endpoint Advisor)"
  namespace         = "AWS/SageMaker"
  metric_name       = "ApproximateAgeOfOldestRequest"
  dimensions = {
    "EndpointName" = "transcribe"
  }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 60
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}
