"""Application Auto Scaling where moto 5.2.5 has nothing, or does otherwise than AWS.

- `DescribeScalingActivities` (moto: 500): from `activities`, which a test sets.
- Tags of scalable targets (moto: 500, and none in `RegisterScalableTarget`): from `tags`, by ARN. A target that is
  registered anew has a new ARN and no tags, on AWS as in moto.
- `DeregisterScalableTarget` deletes the target's policies and scheduled actions on AWS; in moto they survive.
- What is not there is an `ObjectNotFoundException` on AWS: deleting a missing policy, scheduled action or target (moto:
  `ValidationException`, or success), and putting a policy or an action on a target that nobody registered (moto: success).
- What AWS refuses as a `ValidationException`, and dimensions that moto does not know: see `scalable_dimensions`.
"""

import http.client
import json
from dataclasses import dataclass, field

from . import scalable_dimensions

_PARTS = {"policies": ("DescribeScalingPolicies", "ScalingPolicies", "PolicyName", "DeleteScalingPolicy"),
          "actions": ("DescribeScheduledActions", "ScheduledActions", "ScheduledActionName", "DeleteScheduledAction")}


@dataclass
class AutoScalingGaps:
    moto: str  # host and port
    activities: list[dict] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def answer(self, operation: str, asked: dict) -> tuple[int, dict] | None:
        """Status and body of the operations that are answered here; None for the others. `asked` is as AWS takes it."""
        if refused := scalable_dimensions.refused(operation, asked, self._describe_endpoint):
            return 400, {"__type": "ValidationException", "Message": refused}
        match operation:
            case "DescribeScalingActivities":
                return 200, {"ScalingActivities": self._activities(asked)}
            case "ListTagsForResource":
                return 200, {"Tags": self.tags.get(asked["ResourceARN"], {})}
            case "TagResource":
                self.tags.setdefault(asked["ResourceARN"], {}).update(asked["Tags"])
                return 200, {}
            case "UntagResource":
                for key in asked["TagKeys"]:
                    self.tags.get(asked["ResourceARN"], {}).pop(key, None)
                return 200, {}
            case "PutScalingPolicy" | "PutScheduledAction" | "DeregisterScalableTarget" if not self._target(asked):
                return _not_found("scalable target", asked)
            case "DeleteScalingPolicy" if asked["PolicyName"] not in self._names("policies", asked):
                return _not_found("scaling policy", asked)
            case "DeleteScheduledAction" if asked["ScheduledActionName"] not in self._names("actions", asked):
                return _not_found("scheduled action", asked)
        return None

    def learn(self, operation: str, asked: dict, answer: bytes) -> None:
        """Takes note of what moto has done, and does what it has left undone. `asked` is as AWS takes it."""
        match operation:
            case "RegisterScalableTarget":  # on AWS its tags count only when it creates the target
                self.tags.setdefault(json.loads(answer)["ScalableTargetARN"], dict(asked.get("Tags", {})))
            case "DeregisterScalableTarget":
                for part, (_, _, name, delete) in _PARTS.items():
                    for found in self._names(part, asked):
                        self._scaling(delete, _key(asked) | {name: found})

    def _activities(self, asked: dict) -> list[dict]:
        wanted = [activity for activity in self.activities if asked.get("ResourceId") in (None, activity["ResourceId"])]
        if not asked.get("IncludeNotScaledActivities"):
            wanted = [activity for activity in wanted if "NotScaledReasons" not in activity]
        newest_first = sorted(wanted, key=lambda activity: activity["StartTime"], reverse=True)
        return newest_first[: asked.get("MaxResults", 50)]

    def _target(self, asked: dict) -> list[dict]:
        resource = scalable_dimensions.there(asked["ResourceId"], asked["ScalableDimension"])
        return self._scaling("DescribeScalableTargets", {"ServiceNamespace": asked["ServiceNamespace"], "ResourceIds": [resource]})["ScalableTargets"]

    def _names(self, part: str, asked: dict) -> list[str]:
        describe, found, name, _ = _PARTS[part]
        return [item[name] for item in self._scaling(describe, _key(asked))[found]]

    def _describe_endpoint(self, name: str) -> dict:
        return self._ask("sagemaker", "SageMaker.DescribeEndpoint", json.dumps({"EndpointName": name}))

    def _scaling(self, operation: str, body: dict) -> dict:
        text = scalable_dimensions.there(json.dumps(body), body.get("ScalableDimension", ""))
        return self._ask("application-autoscaling", f"AnyScaleFrontendService.{operation}", text)

    def _ask(self, service: str, target: str, body: str) -> dict:
        connection = http.client.HTTPConnection(self.moto, timeout=30)
        try:
            connection.request("POST", "/", body, {
                "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target,
                "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20261005/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"})
            response = connection.getresponse()
            return json.loads(response.read() or b"{}")
        finally:
            connection.close()


def _key(asked: dict) -> dict:
    return {name: asked[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}


def _not_found(what: str, asked: dict) -> tuple[int, dict]:
    return 400, {"__type": "ObjectNotFoundException",
                 "Message": f"No {what} found for service namespace: {asked['ServiceNamespace']}, resource ID: {asked['ResourceId']}, "
                            f"scalable dimension: {asked['ScalableDimension']}"}
