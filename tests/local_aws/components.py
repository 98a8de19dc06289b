"""Inference components, of which moto 5.2.5 knows nothing: it answers 500 to their operations.

- `DescribeInferenceComponent` and `ListInferenceComponents`: answered from `components`, in AWS's shape.
- `DescribeEndpoint` and `DescribeEndpointConfig`: moto's answer, changed to what AWS says of a variant that is made for
  components: no `ModelName`, and `ManagedInstanceScaling`.
- Application Auto Scaling: see `scalable_dimensions`.
"""

from dataclasses import dataclass, field


@dataclass
class Component:
    """One component."""

    name: str
    endpoint: str
    current: int = 1
    desired: int | None = None
    cores: float = 4.0
    variant: str = "AllTraffic"
    modified: float = 1_780_000_000.0

    def described(self) -> dict:
        return self.summary() | {
            "Specification": {"ModelName": self.name, "ComputeResourceRequirements": {
                "NumberOfCpuCoresRequired": self.cores, "MinMemoryRequiredInMb": 8_192}},
            "RuntimeConfig": {"CurrentCopyCount": self.current,
                              "DesiredCopyCount": self.current if self.desired is None else self.desired}}

    def summary(self) -> dict:
        arn = "arn:aws:sagemaker:us-east-1:111122223333"
        return {"InferenceComponentName": self.name, "InferenceComponentArn": f"{arn}:inference-component/{self.name}",
                "EndpointName": self.endpoint, "EndpointArn": f"{arn}:endpoint/{self.endpoint}", "VariantName": self.variant,
                "InferenceComponentStatus": "InService", "CreationTime": 1_780_000_000.0, "LastModifiedTime": self.modified}


@dataclass
class Components:
    components: dict[str, Component] = field(default_factory=dict)
    managed: dict[str, dict] = field(default_factory=dict)  # by endpoint

    def add(self, component: Component, managed: dict | None = None) -> Component:
        self.components[component.name] = component
        if managed:
            self.managed[component.endpoint] = managed
        return component

    def answer(self, operation: str, asked: dict) -> tuple[int, dict] | None:
        match operation:
            case "DescribeInferenceComponent":
                component = self.components.get(asked["InferenceComponentName"])
                return (200, component.described()) if component else (400, {
                    "__type": "ValidationException", "message": f'Could not find inference component "{asked["InferenceComponentName"]}".'})
            case "ListInferenceComponents":
                of_endpoint = [component for component in self.components.values() if component.endpoint == asked["EndpointNameEquals"]]
                return 200, {"InferenceComponents": [component.summary() for component in of_endpoint]}
        return None

    def changed(self, operation: str, asked: dict, answer: dict) -> dict:
        """Moto's answer about an endpoint with components, as AWS would give it."""
        name = asked.get("EndpointName") or asked.get("EndpointConfigName")
        if operation not in ("DescribeEndpoint", "DescribeEndpointConfig") or name not in self.managed:
            return answer
        for variant in answer["ProductionVariants"]:
            variant["ManagedInstanceScaling"] = self.managed[name]
            if operation == "DescribeEndpointConfig":
                variant.pop("ModelName")
                variant["InstanceType"] = "ml.m5.4xlarge"
        return answer
