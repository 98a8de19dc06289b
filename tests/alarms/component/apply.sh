#!/bin/sh
set -eu

# orders/orders-ranker, proposed 2026-10-05T09:20:00Z
aws cloudwatch put-metric-alarm --cli-input-json '{"AlarmName":"endpoint-latency-orders-orders-ranker","AlarmDescription":"p90 ModelLatency of orders/orders-ranker above 500 ms in 2 of 3 minutes (Endpoint Advisor)","Namespace":"AWS/SageMaker","MetricName":"ModelLatency","Dimensions":[{"Name":"InferenceComponentName","Value":"orders-ranker"}],"ExtendedStatistic":"p90","Period":60,"EvaluationPeriods":3,"DatapointsToAlarm":2,"Threshold":500000.0,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"missing","EvaluateLowSampleCountPercentile":"ignore"}'
