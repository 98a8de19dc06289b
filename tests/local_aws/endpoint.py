"""An endpoint in SageMaker, and what Application Auto Scaling knows about it."""

from dataclasses import dataclass
from datetime import datetime

from .components import STAND_IN, Component
from .emulators import ACCOUNT, REGION, Emulators
from .history import History

INSTANCE_TYPE = "ml.m5.xlarge"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@dataclass
class Endpoint:
    emulators: Emulators
    name: str
    variant: str = "AllTraffic"
    history: History | None = None
    component: Component | None = None  # what is scaled, where it hosts an inference component

    @classmethod
    def create(cls, emulators: Emulators, name: str, instances: int = 1, tags: dict[str, str] | None = None,
               beside: dict[str, float] | None = None, containers: tuple[str, ...] = ()) -> "Endpoint":
        """An endpoint without any metric. `beside`: other variants and their weights, its own being 1; `containers`: the names of
        several."""
        endpoint, sagemaker = cls(emulators, name), emulators.client("sagemaker")
        image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"
        several = {"Containers": [{"Image": image, "ContainerHostname": container} for container in containers]}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/model",
                               **(several if containers else {"PrimaryContainer": {"Image": image}}))
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[
            {"VariantName": variant, "ModelName": name, "InstanceType": INSTANCE_TYPE, "InitialInstanceCount": instances,
             "InitialVariantWeight": weight} for variant, weight in {endpoint.variant: 1.0, **(beside or {})}.items()])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        endpoint.tag(tags or {})
        return endpoint

    @classmethod
    def simulate(cls, emulators: Emulators, name: str, scenario: str, days: int = 3, without: tuple[str, ...] = (),
                 end: datetime | None = None, metrics: str = REGION, distinct: int | None = None, **made) -> "Endpoint":
        """An endpoint with the past that a scenario tells, not yet written. `metrics`: the emulator's Region for it; `made`: as
        `create` takes it."""
        history = History(emulators.client("cloudwatch", metrics), name, cls.variant, scenario, days, without=without, end=end, distinct=distinct)
        endpoint = cls.create(emulators, name, history.instances, **made)
        endpoint.history = history
        return endpoint

    @classmethod
    def of_component(cls, emulators: Emulators, component: Component, minimum: int = 1, maximum: int = 3) -> "Endpoint":
        """An endpoint that hosts this component and nothing else, on so many instances; without any metric."""
        endpoint = cls.create(emulators, component.endpoint)
        emulators.gateway.components.add(component, managed={"Status": "ENABLED", "MinInstanceCount": minimum, "MaxInstanceCount": maximum})
        endpoint.component = component
        return endpoint

    def simulate_component(self, scenario: str, days: int) -> None:
        """Gives its component the past that a scenario tells, not yet written."""
        cloudwatch = self.emulators.client("cloudwatch")
        self.history = History(cloudwatch, self.name, self.variant, scenario, days, component=self.component.name)
        self.component.current = self.history.instances

    def take_requests_from(self, variant: str, times: float, since: int) -> None:
        """`variant` gets `times` the requests of this one up to minute `since` (-1 being the last that the simulator tells); from
        then on, what this one gets more, that one gets less."""
        all_together = (1 + times) * self.history.minute(since)["invocations"]
        self.history.put_beside("Invocations", lambda m: times * m["invocations"] if m["minute"] <= since else all_together - m["invocations"],
                                VariantName=variant)

    @property
    def arn(self) -> str:
        return self.emulators.client("sagemaker").describe_endpoint(EndpointName=self.name)["EndpointArn"]

    @property
    def resource_id(self) -> str:
        # Moto keeps a component as if it were a variant.
        return f"endpoint/{self.component.name}/variant/{STAND_IN}" if self.component else f"endpoint/{self.name}/variant/{self.variant}"

    def tag(self, tags: dict[str, str]) -> None:
        """These tags of ours, and no other."""
        sagemaker, arn = self.emulators.client("sagemaker"), self.arn
        present = [tag["Key"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]]
        if present:
            sagemaker.delete_tags(ResourceArn=arn, TagKeys=present)
        if tags:
            sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": f"endpoint-advisor:{key}", "Value": value} for key, value in tags.items()])

    def set_instances(self, count: int) -> None:
        self.emulators.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=[{"VariantName": self.variant, "DesiredWeight": 1.0, "DesiredInstanceCount": count}])

    def instances(self) -> int:
        """Instances that run, or copies of its component."""
        if self.component:
            return self.component.current
        variants = self.emulators.client("sagemaker").describe_endpoint(EndpointName=self.name)["ProductionVariants"]
        return variants[0]["CurrentInstanceCount"]

    # Application Auto Scaling.

    def register_target(self, minimum: int, maximum: int) -> None:
        """A scalable target of somebody else."""
        self._scaling.register_scalable_target(**self._scaling_key, MinCapacity=minimum, MaxCapacity=maximum)

    def put_policy(self, name: str, target: float) -> None:
        """Target tracking of somebody else, on the metric that the advisor would use."""
        self._scaling.put_scaling_policy(PolicyName=name, PolicyType="TargetTrackingScaling", **self._scaling_key,
                                         TargetTrackingScalingPolicyConfiguration={"TargetValue": target, "PredefinedMetricSpecification": {
                                             "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}})

    def target(self) -> dict | None:
        found = self._scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[self.resource_id])["ScalableTargets"]
        return found[0] if found else None

    def target_tags(self) -> dict[str, str]:
        """Tags of the scalable target; the gateway keeps them, since moto has none."""
        target = self.target()
        return self.emulators.gateway.auto_scaling.tags.get(target["ScalableTargetARN"], {}) if target else {}

    def policies(self) -> list[dict]:
        return self._scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=self.resource_id)["ScalingPolicies"]

    def scheduled_actions(self) -> list[dict]:
        return self._scaling.describe_scheduled_actions(ServiceNamespace="sagemaker", ResourceId=self.resource_id)["ScheduledActions"]

    def scaling(self) -> dict | None:
        """All that Application Auto Scaling has for it, to compare one time with another; None: no scalable target."""
        target = self.target()
        if target is None:
            return None
        return {"min": target["MinCapacity"], "max": target["MaxCapacity"], "tags": dict(self.target_tags()),
                "policies": {policy["PolicyName"]: policy.get("TargetTrackingScalingPolicyConfiguration") for policy in self.policies()},
                "scheduled actions": {action["ScheduledActionName"]: action["ScalableTargetAction"] for action in self.scheduled_actions()}}

    def forget_scaling(self) -> None:
        for policy in self.policies():
            self._scaling.delete_scaling_policy(PolicyName=policy["PolicyName"], **self._scaling_key)
        for action in self.scheduled_actions():
            self._scaling.delete_scheduled_action(ScheduledActionName=action["ScheduledActionName"], **self._scaling_key)
        if self.target():
            self._scaling.deregister_scalable_target(**self._scaling_key)

    @property
    def _scaling(self):
        return self.emulators.client("application-autoscaling")

    @property
    def _scaling_key(self) -> dict[str, str]:
        return {"ServiceNamespace": "sagemaker", "ResourceId": self.resource_id, "ScalableDimension": DIMENSION}
