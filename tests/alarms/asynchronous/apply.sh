#!/bin/sh
set -eu

# transcribe/AllTraffic, proposed 2026-10-05T09:20:00Z
aws cloudwatch put-metric-alarm --cli-input-json '{"AlarmName":"endpoint-latency-transcribe-AllTraffic","AlarmDescription":"Maximum ApproximateAgeOfOldestRequest of transcribe/AllTraffic above 60 s in 2 of 3 minutes (Endpoint Advisor)","Namespace":"AWS/SageMaker","MetricName":"ApproximateAgeOfOldestRequest","Dimensions":[{"Name":"EndpointName","Value":"transcribe"}],"Statistic":"Maximum","Period":60,"EvaluationPeriods":3,"DatapointsToAlarm":2,"Threshold":60.0,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"notBreaching"}'
