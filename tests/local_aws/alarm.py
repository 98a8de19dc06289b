"""A latency alarm, and the events that AWS sends when it changes state, in every shape.

No emulator sends an alarm's EventBridge event or its direct Lambda action, and ministack's SNS message of an alarm lacks
`AlarmArn` and `ExtendedStatistic`. So the events are written here, after AWS's documented shapes, with current times.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .emulators import ACCOUNT, REGION

NAMESPACE = "AWS/SageMaker"


@dataclass
class Alarm:
    endpoint: str
    variant: str = "AllTraffic"  # empty: of the endpoint, as metrics of a queue are
    component: str = ""  # of this inference component, instead of the variant
    name: str = ""
    description: str | None = "p90 ModelLatency above 500 ms"
    threshold: float = 500_000.0  # microseconds
    statistic: str = "p90"
    metric: str = "ModelLatency"
    namespace: str = NAMESPACE
    state: str = "ALARM"
    periods: int = 3
    form: str = "metric"  # or `math`, `anomaly`, `composite`: a composite alarm names the metric alarm `child`
    child: str = ""
    age: timedelta = timedelta()  # how long ago the state changed
    now: datetime | None = None  # where a test has a clock of its own

    def __post_init__(self) -> None:
        self.name = self.name or f"endpoint-latency-{self.endpoint}"
        self.at = (self.now or datetime.now(timezone.utc)) - self.age

    @property
    def dimensions(self) -> dict[str, str]:
        if self.component:
            return {"InferenceComponentName": self.component}
        return {"EndpointName": self.endpoint} | ({"VariantName": self.variant} if self.variant else {})

    @property
    def arn(self) -> str:
        return _alarm_arn(self.name)

    def put(self, cloudwatch) -> None:
        """Creates the alarm itself in CloudWatch."""
        kind = "ExtendedStatistic" if self.statistic.startswith("p") else "Statistic"
        cloudwatch.put_metric_alarm(
            AlarmName=self.name, AlarmDescription=self.description or "", Namespace=self.namespace, MetricName=self.metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in self.dimensions.items()],
            **{kind: self.statistic}, Period=60, EvaluationPeriods=self.periods, DatapointsToAlarm=self.periods,
            Threshold=self.threshold, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching")

    def enter(self, cloudwatch) -> None:
        """Puts the alarm in CloudWatch into this state. Writing metrics makes the emulator evaluate it anew."""
        cloudwatch.set_alarm_state(AlarmName=self.name, StateValue=self.state, StateReason=self._reason())

    def read_state(self, cloudwatch) -> dict:
        return cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"][0]

    # The shapes.

    def eventbridge(self) -> dict:
        return {"version": "0", "id": str(uuid.uuid4()), "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
                "account": ACCOUNT, "time": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"), "region": REGION, "resources": [self.arn],
                "detail": self._detail()}

    def direct_action(self) -> dict:
        return {"source": "aws.cloudwatch", "alarmArn": self.arn, "accountId": ACCOUNT, "time": _time(self.at), "region": REGION,
                "alarmData": self._detail()}

    def message(self) -> dict:
        """What an alarm's SNS action publishes: the only shape that carries the alarm's whole configuration."""
        message = {"AlarmName": self.name, "AlarmDescription": self.description, "AWSAccountId": ACCOUNT,
                   "NewStateValue": self.state, "NewStateReason": self._reason(), "StateChangeTime": _time(self.at),
                   "Region": "US East (N. Virginia)", "AlarmArn": self.arn, "OldStateValue": self._old_state(), "OKActions": [],
                   "AlarmActions": [_ALARM_TOPIC], "InsufficientDataActions": []}
        if self.form == "composite":
            return message | {"AlarmRule": f"ALARM({self.child})", "TriggeringChildren": [
                {"Arn": _alarm_arn(self.child), "State": {"Value": self.state, "Timestamp": _time(self.at)}}]}
        dimensions = [{"value": value, "name": name} for name, value in reversed(self.dimensions.items())]
        trigger = {"Period": 60, "EvaluationPeriods": self.periods, "DatapointsToAlarm": self.periods,
                   "ComparisonOperator": "GreaterThanThreshold", "Threshold": self.threshold, "TreatMissingData": "notBreaching",
                   "EvaluateLowSampleCountPercentile": ""}
        if self.form == "metric":
            trigger |= {"MetricName": self.metric, "Namespace": self.namespace, "StatisticType": "ExtendedStatistic",
                        "ExtendedStatistic": self.statistic, "Unit": None, "Dimensions": dimensions}
        else:
            metric = {"MetricName": self.metric, "Namespace": self.namespace, "Dimensions": dimensions}
            trigger["Metrics"] = [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": self.statistic}, "ReturnData": False},
                                  {"Id": "e1", "Expression": self._expression(), "Label": "latency", "ReturnData": True}]
        if self.form == "anomaly":
            del trigger["Threshold"]
            trigger |= {"ThresholdMetricId": "e1", "ComparisonOperator": "GreaterThanUpperThreshold"}
        return message | {"AlarmConfigurationUpdatedTimestamp": _time(self.at - timedelta(days=4)), "Trigger": trigger}

    def sns(self) -> dict:
        """SNS to the function. Lambda spells `SigningCertUrl` so; in a queue it is `SigningCertURL`."""
        envelope = self.sns_envelope()
        envelope["SigningCertUrl"], envelope["UnsubscribeUrl"] = envelope.pop("SigningCertURL"), envelope.pop("UnsubscribeURL")
        return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": f"{_ALARM_TOPIC}:{uuid.uuid4()}",
                             "Sns": envelope | {"MessageAttributes": {}}}]}

    def sns_envelope(self) -> dict:
        """SNS to a queue, without raw delivery: the body of an SQS message."""
        host = f"https://sns.{REGION}.amazonaws.com"
        return {"Type": "Notification", "MessageId": str(uuid.uuid4()), "TopicArn": _ALARM_TOPIC,
                "Subject": f'{self.state}: "{self.name}" in US East (N. Virginia)', "Message": json.dumps(self.message()),
                "Timestamp": self.at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", "SignatureVersion": "1", "Signature": "EXAMPLE",
                "SigningCertURL": f"{host}/SimpleNotificationService-example.pem", "UnsubscribeURL": f"{host}/?Action=Unsubscribe"}

    def _detail(self) -> dict:
        stamp = _time(self.at)
        return {"alarmName": self.name, "configuration": self._configuration(),
                "previousState": {"value": self._old_state(), "reason": "Unchecked: Initial alarm creation",
                                  "timestamp": _time(self.at - timedelta(hours=2))},
                "state": {"value": self.state, "reason": self._reason(), "timestamp": stamp, "reasonData": json.dumps(self._reason_data(stamp))}}

    def _configuration(self) -> dict:
        if self.form == "composite":
            return {"alarmRule": f"ALARM({self.child})"}
        metric = {"id": "m1", "returnData": self.form != "math", "metricStat": {"period": 60, "stat": self.statistic, "metric": {
            "namespace": self.namespace, "name": self.metric, "dimensions": self.dimensions}}}
        expression = {"id": "e1", "expression": self._expression(), "label": "latency", "returnData": True}
        return {"description": self.description, "metrics": [metric] if self.form == "metric" else [expression, metric]}

    def _reason_data(self, stamp: str) -> dict:
        if self.form == "composite":
            return {"triggeringAlarms": [{"arn": _alarm_arn(self.child), "state": {"value": self.state, "timestamp": stamp}}]}
        data = {"version": "1.0", "queryDate": stamp, "startDate": _time(self.at - timedelta(minutes=4)), "period": 60,
                "recentDatapoints": [self.threshold * factor for factor in (1.6, 2.5, 2.8)]}
        if self.form == "anomaly":
            return data | {"recentLowerThresholds": [100_000.0] * 3, "recentUpperThresholds": [self.threshold] * 3}
        return data | {"threshold": self.threshold}

    def _expression(self) -> str:
        return "ANOMALY_DETECTION_BAND(m1, 2)" if self.form == "anomaly" else "IF(m1 > 0, m1, 0)"

    def _reason(self) -> str:
        return (f"Threshold Crossed: {self.periods} out of the last {self.periods} datapoints were greater than the threshold "
                f"({self.threshold}) (minimum {self.periods} datapoints for OK -> ALARM transition).")

    def _old_state(self) -> str:
        return "ALARM" if self.state == "OK" else "OK"


def sqs(*bodies: dict | str) -> dict:
    """An SQS event with these bodies; the message ids are `message-0`, `message-1`, …"""
    return {"Records": [{
        "messageId": f"message-{i}", "receiptHandle": f"AQEB-{i}", "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1791191662061", "SenderId": "AIDAEXAMPLE",
                       "ApproximateFirstReceiveTimestamp": "1791191662070"},
        "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:alarm-events", "awsRegion": REGION} for i, body in enumerate(bodies)]}


def failed_messages(answer: dict) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


_ALARM_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"


def _alarm_arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def _time(at: datetime) -> str:
    """CloudWatch's own way: milliseconds, and an offset without colon."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
