#!/bin/sh
set -eu

# orders/AllTraffic, planned 2026-10-05T09:20:00Z, digest 3d00e8662301
aws application-autoscaling register-scalable-target --cli-input-json '{"ServiceNamespace":"sagemaker","ResourceId":"endpoint/orders/variant/AllTraffic","ScalableDimension":"sagemaker:variant:DesiredInstanceCount","MinCapacity":2,"MaxCapacity":5,"Tags":{"endpoint-advisor:before":"absent","endpoint-advisor:instances-before":"2"}}'
aws application-autoscaling put-scaling-policy --cli-input-json '{"PolicyName":"endpoint-advisor-invocations","ServiceNamespace":"sagemaker","ResourceId":"endpoint/orders/variant/AllTraffic","ScalableDimension":"sagemaker:variant:DesiredInstanceCount","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":740.0,"PredefinedMetricSpecification":{"PredefinedMetricType":"SageMakerVariantInvocationsPerInstance"},"ScaleOutCooldown":60,"ScaleInCooldown":600,"DisableScaleIn":false}}'
aws application-autoscaling register-scalable-target --cli-input-json '{"ServiceNamespace":"sagemaker","ResourceId":"endpoint/orders/variant/AllTraffic","ScalableDimension":"sagemaker:variant:DesiredInstanceCount","MinCapacity":3,"MaxCapacity":5,"Tags":{"endpoint-advisor:before":"absent","endpoint-advisor:instances-before":"2"}}'
