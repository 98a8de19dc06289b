#!/bin/sh
set -eu

# orders/AllTraffic, proposed 2026-10-05T09:20:00Z
aws cloudwatch put-metric-alarm --cli-input-json '{"AlarmName":"endpoint-latency-orders-AllTraffic","AlarmDescription":"Average ModelLatency of orders/AllTraffic above 500 ms over five minutes (Endpoint Advisor)","Namespace":"AWS/SageMaker","MetricName":"ModelLatency","Dimensions":[{"Name":"EndpointName","Value":"orders"},{"Name":"VariantName","Value":"AllTraffic"}],"Statistic":"Average","Period":300,"EvaluationPeriods":1,"DatapointsToAlarm":1,"Threshold":500000.0,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"notBreaching"}'
