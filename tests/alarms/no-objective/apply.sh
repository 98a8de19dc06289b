#!/bin/sh
set -eu

# orders/AllTraffic, proposed 2026-10-05T09:20:00Z
aws cloudwatch put-metric-alarm --cli-input-json '{"AlarmName":"endpoint-latency-orders-AllTraffic","AlarmDescription":"p90 ModelLatency of orders/AllTraffic above 500 ms in 2 of 3 minutes (Endpoint Advisor)","Namespace":"AWS/SageMaker","MetricName":"ModelLatency","Dimensions":[{"Name":"EndpointName","Value":"orders"},{"Name":"VariantName","Value":"AllTraffic"}],"ExtendedStatistic":"p90","Period":60,"EvaluationPeriods":3,"DatapointsToAlarm":2,"Threshold":500000.0,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"missing","EvaluateLowSampleCountPercentile":"ignore"}'
