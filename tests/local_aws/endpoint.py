"""An endpoint in SageMaker, and what Application Auto Scaling knows about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from . import scalable_dimensions
from .components import Component
from .emulators import ACCOUNT, REGION, Emulators
from .history import History, published_by_component, published_by_variant, simulate
from .scalable_dimensions import COPIES, INSTANCES, PREDEFINED, UNITS

INSTANCE_TYPE = "ml.m5.xlarge"


@dataclass
class Endpoint:
    emulators: Emulators
    name: str
    variant: str = "AllTraffic"
    history: History | None = None
    component: Component | None = None  # what is scaled, where it hosts an inference component
    is_serverless: bool = False

    @classmethod
    def create(cls, emulators: Emulators, name: str, instances: int = 1, tags: dict[str, str] | None = None,
               beside: dict[str, float] | None = None, containers: tuple[str, ...] = (), serverless: dict | None = None) -> "Endpoint":
        """An endpoint without any metric. `beside`: other variants and their weights, its own being 1; `containers`: the names of
        several; `serverless`: its `ServerlessConfig`, in place of instances."""
        endpoint, sagemaker = cls(emulators, name, is_serverless=serverless is not None), emulators.client("sagemaker")
        served_by = {"ServerlessConfig": serverless} if serverless else {"InstanceType": INSTANCE_TYPE, "InitialInstanceCount": instances}
        image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"
        several = {"Containers": [{"Image": image, "ContainerHostname": container} for container in containers]}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/model",
                               **(several if containers else {"PrimaryContainer": {"Image": image}}))
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[
            {"VariantName": variant, "ModelName": name, "InitialVariantWeight": weight, **served_by}
            for variant, weight in {endpoint.variant: 1.0, **(beside or {})}.items()])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        endpoint.tag(tags or {})
        return endpoint

    @classmethod
    def simulate(cls, emulators: Emulators, name: str, scenario: str, days: int = 3, without: tuple[str, ...] = (),
                 end: datetime | None = None, metrics: str = REGION, distinct: int | None = None, **made) -> "Endpoint":
        """An endpoint with the past that a scenario tells, not yet written. `metrics`: the emulator's Region for it; `made`: as
        `create` takes it."""
        past = History(emulators.client("cloudwatch", metrics), {"EndpointName": name, "VariantName": cls.variant}, _minutes(scenario, days),
                       published_by_variant, without=without, end=end, distinct=distinct)
        endpoint = cls.create(emulators, name, past.instances, **made)
        endpoint.history = past
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
        self.history = History(self.emulators.client("cloudwatch"), {"InferenceComponentName": self.component.name}, _minutes(scenario, days),
                               published_by_component)
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
    def dimension(self) -> str:
        return COPIES if self.component else UNITS if self.is_serverless else INSTANCES

    @property
    def resource_id(self) -> str:
        return f"inference-component/{self.component.name}" if self.component else f"endpoint/{self.name}/variant/{self.variant}"

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
        """Instances that run, copies of its component, or units of its provisioned concurrency."""
        if self.component:
            return self.component.current
        variant = self.describe_variant()
        return variant["CurrentServerlessConfig"].get("ProvisionedConcurrency", 0) if self.is_serverless else variant["CurrentInstanceCount"]

    def describe_variant(self) -> dict:
        """What DescribeEndpoint says of its variant."""
        return self.emulators.client("sagemaker").describe_endpoint(EndpointName=self.name)["ProductionVariants"][0]

    # Application Auto Scaling, past the gateway: by the names that moto has, told in AWS's.

    def register_target(self, minimum: int, maximum: int) -> None:
        """A scalable target of somebody else."""
        self._scaling.register_scalable_target(**self._kept, MinCapacity=minimum, MaxCapacity=maximum)

    def put_policy(self, name: str, target: float) -> None:
        """Target tracking of somebody else, on the metric that the advisor would use."""
        self._scaling.put_scaling_policy(PolicyName=name, PolicyType="TargetTrackingScaling", **self._kept,
                                         TargetTrackingScalingPolicyConfiguration={"TargetValue": target, "PredefinedMetricSpecification": {
                                             "PredefinedMetricType": PREDEFINED[self.dimension][0]}})

    def target(self) -> dict | None:
        found = self._scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[self._kept["ResourceId"]])["ScalableTargets"]
        return self._told(found)[0] if found else None

    def target_tags(self) -> dict[str, str]:
        """Tags of the scalable target; the gateway keeps them, since moto has none."""
        target = self.target()
        return self.emulators.gateway.auto_scaling.tags.get(target["ScalableTargetARN"], {}) if target else {}

    def policies(self) -> list[dict]:
        return self._told(self._scaling.describe_scaling_policies(**self._kept)["ScalingPolicies"])

    def scheduled_actions(self) -> list[dict]:
        return self._told(self._scaling.describe_scheduled_actions(**self._kept)["ScheduledActions"])

    def scaling(self) -> dict | None:
        """All that Application Auto Scaling has for it, to compare one time with another; None: no scalable target."""
        target = self.target()
        if target is None:
            return None
        return {"min": target["MinCapacity"], "max": target["MaxCapacity"], "tags": dict(self.target_tags()),
                "policies": {policy["PolicyName"]: policy.get("TargetTrackingScalingPolicyConfiguration") for policy in self.policies()},
                "scheduled actions": {action["ScheduledActionName"]: action["ScalableTargetAction"] for action in self.scheduled_actions()}}

    def keep_scaling(self) -> Callable[[], None]:
        """Remembers what Application Auto Scaling has for it, and how many instances run; what is answered puts that back."""
        instances, target, policies, tags = self.instances(), self.target(), self.policies(), dict(self.target_tags())
        configurations = ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")

        def put_back() -> None:
            self.forget_scaling()
            if not self.component and self.instances() != instances:
                self.set_instances(instances)
            if target:
                self.register_target(target["MinCapacity"], target["MaxCapacity"])
                self.emulators.gateway.auto_scaling.tags[self.target()["ScalableTargetARN"]] = dict(tags)
            for policy in policies:
                self._scaling.put_scaling_policy(PolicyName=policy["PolicyName"], PolicyType=policy["PolicyType"], **self._kept,
                                                 **{name: policy[name] for name in configurations if name in policy})

        return put_back

    def forget_scaling(self) -> None:
        for policy in self.policies():
            self._scaling.delete_scaling_policy(PolicyName=policy["PolicyName"], **self._kept)
        for action in self.scheduled_actions():
            self._scaling.delete_scheduled_action(ScheduledActionName=action["ScheduledActionName"], **self._kept)
        if self.target():
            self._scaling.deregister_scalable_target(**self._kept)

    @property
    def _scaling(self):
        return self.emulators.client("application-autoscaling")

    @property
    def _kept(self) -> dict[str, str]:
        resource = scalable_dimensions.there(self.resource_id, self.dimension)
        return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": INSTANCES}

    def _told(self, items: list[dict]) -> list[dict]:
        return [{key: scalable_dimensions.back(value, self.dimension) if isinstance(value, str) else value for key, value in item.items()}
                for item in items]


def _minutes(scenario: str, days: int) -> list[dict]:
    return simulate(scenario, "--days", str(days))
