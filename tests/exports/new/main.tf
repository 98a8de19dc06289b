# orders/AllTraffic, planned 2026-10-05T09:20:00Z, digest 3d00e8662301

resource "aws_appautoscaling_target" "orders_AllTraffic" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/orders/variant/AllTraffic"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 3
  max_capacity       = 5
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
