# orders/AllTraffic, planned 2026-10-05T09:20:00Z, digest 9f7f058cc077

import {
  to = aws_appautoscaling_target.orders_AllTraffic
  id = "sagemaker/endpoint/orders/variant/AllTraffic/sagemaker:variant:DesiredInstanceCount"
}

resource "aws_appautoscaling_target" "orders_AllTraffic" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/orders/variant/AllTraffic"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 3
  max_capacity       = 5
}

import {
  to = aws_appautoscaling_policy.orders_AllTraffic_endpoint-advisor-invocations
  id = "sagemaker/endpoint/orders/variant/AllTraffic/sagemaker:variant:DesiredInstanceCount/endpoint-advisor-invocations"
}

resource "aws_appautoscaling_policy" "orders_AllTraffic_endpoint-advisor-invocations" {
  name               = "endpoint-advisor-invocations"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.orders_AllTraffic.service_namespace
  resource_id        = aws_appautoscaling_target.orders_AllTraffic.resource_id
  scalable_dimension = aws_appautoscaling_target.orders_AllTraffic.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = 740
    scale_out_cooldown = 60
    scale_in_cooldown  = 600
    disable_scale_in   = false

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

import {
  to = aws_appautoscaling_policy.orders_AllTraffic_endpoint-advisor-from-zero
  id = "sagemaker/endpoint/orders/variant/AllTraffic/sagemaker:variant:DesiredInstanceCount/endpoint-advisor-from-zero"
}

resource "aws_appautoscaling_policy" "orders_AllTraffic_endpoint-advisor-from-zero" {
  name               = "endpoint-advisor-from-zero"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.orders_AllTraffic.service_namespace
  resource_id        = aws_appautoscaling_target.orders_AllTraffic.resource_id
  scalable_dimension = aws_appautoscaling_target.orders_AllTraffic.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 300
    metric_aggregation_type = "Average"

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

import {
  to = aws_cloudwatch_metric_alarm.orders_AllTraffic_endpoint-advisor-from-zero
  id = "endpoint-advisor-from-zero/endpoint/orders/variant/AllTraffic"
}

resource "aws_cloudwatch_metric_alarm" "orders_AllTraffic_endpoint-advisor-from-zero" {
  alarm_name        = "endpoint-advisor-from-zero/endpoint/orders/variant/AllTraffic"
  alarm_description = "Fires endpoint-advisor-from-zero"
  namespace         = "AWS/SageMaker"
  metric_name       = "HasBacklogWithoutCapacity"
  dimensions = {
    "EndpointName" = "orders"
  }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "missing"
  alarm_actions = [
    aws_appautoscaling_policy.orders_AllTraffic_endpoint-advisor-from-zero.arn
  ]
}

resource "aws_appautoscaling_scheduled_action" "orders_AllTraffic_endpoint-advisor-7" {
  name               = "endpoint-advisor-7"
  service_namespace  = aws_appautoscaling_target.orders_AllTraffic.service_namespace
  resource_id        = aws_appautoscaling_target.orders_AllTraffic.resource_id
  scalable_dimension = aws_appautoscaling_target.orders_AllTraffic.scalable_dimension
  schedule           = "cron(0 7 * * ? *)"

  scalable_target_action {
    min_capacity = 3
  }
}

# Once the new policy stands, delete the one whose place it takes: aws application-autoscaling delete-scaling-policy --service-namespace sagemaker --resource-id endpoint/orders/variant/AllTraffic --scalable-dimension sagemaker:variant:DesiredInstanceCount --policy-name endpoint-advisor-utilization
