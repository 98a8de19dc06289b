"""The deployed advisor: `template.yaml` in the emulator's CloudFormation, with the binary that cargo built."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from .binaries import CHECKOUT, binary
from .emulators import ACCOUNT, REGION, Emulators

_BUCKET = "advisor-artifacts"


class Subscriber:
    """A queue subscribed to a topic, in place of a person, a program or a chat service."""

    def __init__(self, emulators: Emulators, topic_arn: str, name: str):
        self._sqs = emulators.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        emulators.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")

    def receive(self, seconds: float = 30, wanted=lambda envelope: True) -> dict | None:
        """The next SNS envelope that is `wanted`, or None if none arrives in time. Others are dropped."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=1, WaitTimeSeconds=0)
            for message in answer.get("Messages", []):
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                if wanted(envelope := json.loads(message["Body"])):
                    return envelope
            if "Messages" not in answer:
                if time.monotonic() > deadline:
                    return None
                time.sleep(0.1)

    def drain(self) -> list[dict]:
        """All envelopes that are there now."""
        envelopes = []
        while envelope := self.receive(seconds=0):
            envelopes.append(envelope)
        return envelopes


@dataclass
class Stack:
    emulators: Emulators
    name: str
    outputs: dict[str, str] = field(default_factory=dict)

    @classmethod
    def deploy(cls, emulators: Emulators, name: str = "endpoint-advisor", **parameters: str) -> "Stack":
        """Runs `sam deploy`, as a user would, on the template as it is.

        The template's CodeUri is its own folder, so a folder with a copy of it and the binary is what `sam build` leaves.
        """
        folder = emulators.folder / name
        folder.mkdir()
        for file in ("template.yaml", "README.md", "LICENSE-APACHE"):
            shutil.copy(CHECKOUT / file, folder)
        _copy_stripped(binary("bootstrap"), folder / "bootstrap")
        emulators.client("s3").create_bucket(Bucket=_BUCKET)
        machine = {"x86_64": "x86_64"}.get(os.uname().machine, "arm64")
        parameters = {"Architecture": machine} | parameters
        sam = [CHECKOUT / ".venv/tools/bin/sam", "deploy", "--template-file", "template.yaml", "--stack-name", name, "--s3-bucket", _BUCKET,
               "--region", REGION, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset", "--no-progressbar",
               "--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items())]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | emulators.environment() | {
            # Straight to the emulator: what the harness does must not look like the product's calls. HOME: sam writes there.
            "AWS_ENDPOINT_URL": emulators.ministack_url, "SAM_CLI_TELEMETRY": "0", "HOME": str(emulators.folder)}
        done = subprocess.run(sam, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"sam deploy failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        described = emulators.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        stack = cls(emulators, name, {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]})
        stack._set_numbers_again()
        return stack

    def _set_numbers_again(self) -> None:
        """ministack hands a number that comes from a template parameter on as text, and its queue poller then fails to
        compare it. CloudFormation on AWS converts. So the same values are set once more, as numbers."""
        function = self.emulators.client("lambda")
        for mapping in function.list_event_source_mappings(FunctionName=self.outputs["FunctionName"])["EventSourceMappings"]:
            concurrency = mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 2)
            function.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=int(mapping["BatchSize"]),
                                                 ScalingConfig={"MaximumConcurrency": int(concurrency)})
        settings = function.get_function_configuration(FunctionName=self.outputs["FunctionName"])
        function.update_function_configuration(FunctionName=self.outputs["FunctionName"], Timeout=int(settings["Timeout"]),
                                               MemorySize=int(settings["MemorySize"]))

    def send(self, body: dict) -> None:
        """Puts an event into the deployed queue, as the deployed rule would."""
        self.emulators.client("sqs").send_message(QueueUrl=self.outputs["QueueUrl"], MessageBody=json.dumps(body))

    def subscribe(self, topic: str) -> Subscriber:
        """`topic`: `ReportTopicArn` or `ChatTopicArn`."""
        return Subscriber(self.emulators, self.outputs[topic], f"{self.name}-{topic.removesuffix('TopicArn').lower()}-subscriber")

    def waiting(self, queue: str = "QueueUrl") -> int:
        """Messages in the queue, handed out or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.emulators.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def log(self) -> str:
        """What the deployed function has printed."""
        logs = self.emulators.client("logs")
        events = logs.filter_log_events(logGroupName=self.outputs["LogGroupName"])["events"]
        return "\n".join(event["message"] for event in events)


def _copy_stripped(source: Path, target: Path) -> None:
    """Symbols are most of a development build; without them it uploads in a second."""
    if not shutil.which("strip") or subprocess.run(["strip", "-o", target, source], capture_output=True).returncode:
        shutil.copy(source, target)
