"""The scalable dimensions of SageMaker. moto 5.2.5 knows one of them, the instances of a variant, and checks nothing.

- Copies of an inference component and provisioned concurrency, whose dimensions moto refuses: it keeps their scalable targets, policies
  and scheduled actions as instances of a variant of another name, which is put in on the way `there` and taken out on the way `back`.
- What AWS documents as out of bounds, and moto takes: `refused`. Of the words, those about predefined metrics are AWS's own
  (aws/aws-cdk#29065); the others are ours.

Nothing scales: what a test asks for, it sets itself.
"""

import re
from collections.abc import Callable

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
UNITS = "sagemaker:variant:DesiredProvisionedConcurrency"

PREDEFINED = {
    INSTANCES: ["SageMakerVariantInvocationsPerInstance", "SageMakerVariantConcurrentRequestsPerModelHighResolution"],
    COPIES: ["SageMakerInferenceComponentInvocationsPerCopy", "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"],
    UNITS: ["SageMakerVariantProvisionedConcurrencyUtilization"],
}
_THERE = {COPIES: (r"inference-component/([\w-]+)", r"endpoint/\1/variant/copies-of-it"),
          UNITS: (r"endpoint/([\w-]+)/variant/([\w-]+)", r"endpoint/\1/variant/units-of-\2")}
_BACK = {COPIES: (r"endpoint/([\w-]+)/variant/copies-of-it", r"inference-component/\1"),
         UNITS: (r"/variant/units-of-([\w-]+)", r"/variant/\1")}


def there(text: str, dimension: str) -> str:
    """A request about this dimension, or a part of it, as moto takes it."""
    return re.sub(*_THERE[dimension], text).replace(dimension, INSTANCES) if dimension in _THERE else text


def back(text: str, dimension: str) -> str:
    """moto's answer to it, or a part of it, as AWS gives it."""
    return re.sub(*_BACK[dimension], text).replace(INSTANCES, dimension) if dimension in _BACK else text


def refused(operation: str, asked: dict, describe: Callable[[str], dict]) -> str | None:
    """Why AWS does not take a request; `describe` gives what DescribeEndpoint says of an endpoint."""
    dimension = asked.get("ScalableDimension", "")
    if operation == "RegisterScalableTarget":
        return _refused_range(asked) or (_without_units(asked, describe) if dimension == UNITS else None)
    if operation == "PutScalingPolicy":
        metric = asked.get("TargetTrackingScalingPolicyConfiguration", {}).get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        if metric and metric not in PREDEFINED[dimension]:
            return f"Scalable dimension {dimension} only supports the following predefined metric types: {', '.join(PREDEFINED[dimension])}"
    return None


def _refused_range(asked: dict) -> str | None:
    least, most = asked.get("MinCapacity"), asked.get("MaxCapacity")
    if None not in (least, most) and most < least:
        return "Maximum capacity cannot be less than minimum capacity"
    if asked["ScalableDimension"] == UNITS and least is not None and least < 1:
        return "Minimum capacity cannot be less than 1"
    return None


def _without_units(asked: dict, describe: Callable[[str], dict]) -> str | None:
    """Only provisioned concurrency that is set can be scaled, up to MaxConcurrency."""
    _, endpoint, _, name = asked["ResourceId"].split("/")
    variant = next((variant for variant in describe(endpoint).get("ProductionVariants", []) if variant["VariantName"] == name), {})
    config = variant.get("CurrentServerlessConfig", {})
    if not config.get("ProvisionedConcurrency"):
        return f"No provisioned concurrency is set for {asked['ResourceId']}"
    if asked.get("MaxCapacity", 1) > config["MaxConcurrency"]:
        return f"Maximum capacity cannot be more than MaxConcurrency, which is {config['MaxConcurrency']}"
    return None
