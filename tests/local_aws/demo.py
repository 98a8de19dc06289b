"""`make demo`: four slow endpoints, one advisor. One needs instances and gets them; one hosts an inference component that needs
copies; one needs neither, and is told why; on the last a shift of weight brings one variant more requests than it can carry."""

import json
import signal
import sys
import time
from datetime import datetime, timedelta, timezone

from . import terminal
from .alarm import Alarm
from .binaries import binary
from .components import Component
from .emulators import Emulators
from .endpoint import INSTANCE_TYPE, Endpoint
from .stack import Stack

DAYS = 3
INCIDENT_MINUTES = 15  # the simulator's incidents begin this long before the end
MAX_INSTANCES = 10
ADDRESS = "on-call@example.com"
PATIENCE_SECONDS = 45  # for one report


class Demo:
    def __init__(self, emulators: Emulators):
        self.emulators = emulators
        self.failures: list[str] = []
        self._step = 0

    def run(self) -> None:
        self._heading("The stage: emulators on this machine, nothing in AWS")
        terminal.line("ministack stands in for CloudWatch, SNS, SQS, Lambda and CloudFormation; moto for SageMaker and Application Auto Scaling.")
        with terminal.progress(f"sam deploy: template.yaml with Mode=apply, MaxInstances={MAX_INSTANCES}"):
            self.stack = Stack.deploy(self.emulators, Mode="apply", MaxInstances=str(MAX_INSTANCES), ReportEmail=ADDRESS)
        self.reports, self.chat = self.stack.subscribe("ReportTopicArn"), self.stack.subscribe("ChatTopicArn")
        terminal.line(f"The function is {binary('bootstrap').name}, the Rust binary, behind its queue. "
                      f"{ADDRESS}, a program and a chat channel are subscribed to its topics.")

        orders = self._endpoint("orders", "overload")
        report = self._incident(orders)
        if report:
            self._expect(report["diagnosis"]["verdict"] == "overload", "the verdict is overload")
            self._expect(report["outcome"]["status"] == "applied", "the plan was applied")
            self._scaling(orders)
            self._messages(orders)

        tagging = self._tagging()
        report = self._incident(tagging)
        if report:
            self._expect(report["diagnosis"]["verdict"] == "overload", "the verdict is overload")
            self._expect(report["outcome"]["status"] == "applied", "the plan was applied")
            self._scaling(tagging)

        search = self._endpoint("search", "slow-dependency")
        report = self._incident(search)
        if report:
            self._expect(report["diagnosis"]["verdict"] == "slow_dependency", "the verdict is slow_dependency")
            self._expect(report["plan"]["action"] == "hold", f"it declines to scale: {report['plan']['hold_reason']}")
            self._expect(not search.target() and not search.policies(), "Application Auto Scaling has nothing for search")
            self._messages(search)
        ranking = self._endpoint("ranking", "overload", beside={"Stable": 3.0})
        report = self._incident(ranking, takes_from="Stable")
        if report:
            self._expect(report["diagnosis"]["sub_cause"] == "weight_shift", "the verdict is overload, by a shift of requests between variants")
            self._expect(ranking.target() is not None, f"{ranking.variant} got a scalable target")
            stable = Endpoint(self.emulators, ranking.name, "Stable")
            self._expect(not stable.target() and not stable.policies(), "Application Auto Scaling has nothing for Stable")
            self._messages(ranking)
        self._expect(self.stack.waiting("DeadLetterQueueUrl") == 0, "the dead-letter queue is empty")

    def _endpoint(self, name: str, scenario: str, **made) -> Endpoint:
        self._heading(f"The endpoint `{name}`, up to the incident")
        endpoint = Endpoint.simulate(self.emulators, name, scenario, DAYS, **made)
        with terminal.progress(f"{DAYS} days of minute metrics into CloudWatch"):
            datums = endpoint.history.write(until_minute=-INCIDENT_MINUTES - 1)
        terminal.line(f"{datums:,} datums; {endpoint.instances()} × {INSTANCE_TYPE}; p90 ModelLatency {self._latency(endpoint):.0f} ms; no auto scaling.")
        return endpoint

    def _tagging(self) -> Endpoint:
        self._heading("The endpoint `tagging` with the inference component `tagger`, up to the incident")
        endpoint = Endpoint.of_component(self.emulators, Component("tagger", "tagging"))
        endpoint.simulate_component("overload", DAYS)
        terminal.note("moto knows no inference components: the demo's gateway answers for it, in AWS's shape.")
        with terminal.progress(f"{DAYS} days of minute metrics into CloudWatch"):
            datums = endpoint.history.write(until_minute=-INCIDENT_MINUTES - 1)
        terminal.line(f"{datums:,} datums; {endpoint.instances()} copies; p90 ModelLatency {self._latency(endpoint):.0f} ms; no auto scaling.")
        return endpoint

    def _incident(self, endpoint: Endpoint, takes_from: str | None = None) -> dict | None:
        """`takes_from`: the variant beside it from which the requests come."""
        self._heading(f"`{endpoint.name}` becomes slow")
        cloudwatch = self.emulators.client("cloudwatch")
        alarm = Alarm(endpoint.name, component=endpoint.component.name if endpoint.component else "")
        alarm.put(cloudwatch)
        endpoint.history.write()
        endpoint.history.up_to_now()
        if takes_from:
            endpoint.take_requests_from(takes_from, times=9, since=-INCIDENT_MINUTES - 1)
            terminal.line(f"Requests moved here from the variant {takes_from}: a tenth of the endpoint's before, a quarter now.")
        state = alarm.read_state(cloudwatch)
        terminal.line(f"p90 ModelLatency is {self._latency(endpoint):.0f} ms, the objective {alarm.threshold / 1000:.0f} ms. "
                      f"{self._load(endpoint)}")
        self._expect(state["StateValue"] == "ALARM", f"CloudWatch has {state['AlarmName']} in {state['StateValue']}")
        terminal.note("ministack evaluates an alarm over all endpoints together; the p90 above is this endpoint's own.")

        self._heading("The alarm's event reaches the function")
        terminal.note("Driven by this demo: no emulator sends an alarm's EventBridge event, so the demo puts it, in AWS's shape, into the "
                      "deployed queue, where the deployed rule would. From there on everything is the deployed stack.")
        self.stack.send(alarm.eventbridge())
        with terminal.progress("queue → function → report"):
            envelope = self.reports.receive(PATIENCE_SECONDS, wanted=lambda envelope: json.loads(envelope["Message"])["endpoint_name"] == endpoint.name)
        self._expect(envelope is not None, f"a report about {endpoint.name} arrived")
        if not envelope:
            terminal.quote(self.stack.log()[-3000:] or "the function has logged nothing")
            return None
        report = json.loads(envelope["Message"])
        self._verdict(report)
        return report

    def _verdict(self, report: dict) -> None:
        diagnosis, capacity, plan = report["diagnosis"], report["capacity"], report["plan"]
        self._heading("The report, as the subscribed program received it")
        cause = " / ".join(filter(None, (diagnosis["verdict"], diagnosis["sub_cause"])))
        terminal.line(f"Verdict   {cause}, confidence {diagnosis['confidence']:.2f} ({diagnosis['grade']})")
        terminal.line(f"          {diagnosis['summary']}")
        for evidence in diagnosis["evidence"]:
            if evidence["supports"]:
                terminal.line(f"Because   {evidence['text']}")
        for alternative in diagnosis["alternatives"]:
            terminal.line(f"Not       {alternative['verdict']}: {alternative['why_not']}")
        if capacity:
            high = f" to {capacity['high']:,.0f}" if capacity["high"] else " or more"
            terminal.line(f"Capacity  {capacity['invocations_per_instance_per_minute']:,.0f} invocations per {'copy' if report['inference_component_name'] else 'instance'} and minute "
                          f"({capacity['low']:,.0f}{high}), from {capacity['minutes_used']:,} minutes")
        terminal.line(f"Plan      {plan['action']}{': ' + plan['hold_reason'] if plan['hold_reason'] else ''}, digest {plan['digest']}")
        terminal.line(f"Outcome   {report['outcome']['status']}{': ' + report['outcome']['reason'] if report['outcome']['reason'] else ''}")

    def _scaling(self, endpoint: Endpoint) -> None:
        self._heading("Application Auto Scaling now, read back with boto3")
        target, policies = endpoint.target(), endpoint.policies()
        self._expect(target is not None, "the scalable target exists")
        if target:
            resource = f"inference-component/{endpoint.component.name}" if endpoint.component else target["ResourceId"]
            terminal.line(f"{resource}: {target['MinCapacity']} to {target['MaxCapacity']} {'copies' if endpoint.component else 'instances'}, tags {endpoint.target_tags()}")
            self._expect(target["MinCapacity"] > endpoint.instances(), f"its minimum is above the {endpoint.instances()} that run: AWS scales out at once")
            self._expect(target["MaxCapacity"] <= MAX_INSTANCES, f"its maximum is within the {MAX_INSTANCES} allowed")
        self._expect([policy["PolicyName"].startswith("endpoint-advisor-") for policy in policies] == [True], "one policy exists, ours")
        for policy in policies:
            terminal.quote(json.dumps({"PolicyName": policy["PolicyName"], **policy["TargetTrackingScalingPolicyConfiguration"]}, indent=2))
        terminal.note("The emulators scale no instances; on AWS the endpoint would now be Updating.")

    def _messages(self, endpoint: Endpoint) -> None:
        self._heading(f"What people receive about `{endpoint.name}`")
        mails = [mail for mail in self.emulators.gateway.emails if endpoint.name in mail["subject"] + mail["text"]]
        self._expect(bool(mails), f"an e-mail to {ADDRESS}")
        if mails:
            terminal.note("ministack has no mail server. This is the `email` part of the message that its SNS accepted.")
            terminal.quote(f"Subject: {mails[-1]['subject']}\n\n{mails[-1]['text']}")
        envelope = self.chat.receive(10, wanted=lambda envelope: endpoint.name in envelope["Message"])
        self._expect(envelope is not None, "a card for Slack, in the schema of Amazon Q Developer in chat applications")
        if envelope:
            content = json.loads(envelope["Message"])["content"]
            steps = "".join(f"\n- {step}" for step in content.get("nextSteps", []))
            terminal.quote(f"{content.get('title', '')}\n{content['description']}{steps}")

    def _latency(self, endpoint: Endpoint) -> float:
        """The newest p90 that CloudWatch has of this endpoint, in milliseconds."""
        now = datetime.now(timezone.utc)
        of = {"InferenceComponentName": endpoint.component.name} if endpoint.component else {
            "EndpointName": endpoint.name, "VariantName": endpoint.variant}
        dimensions = [{"Name": name, "Value": value} for name, value in of.items()]
        answer = self.emulators.client("cloudwatch").get_metric_data(
            StartTime=now - timedelta(hours=1), EndTime=now, MetricDataQueries=[{
                "Id": "latency", "MetricStat": {"Period": 60, "Stat": "p90", "Metric": {
                    "Namespace": "AWS/SageMaker", "MetricName": "ModelLatency", "Dimensions": dimensions}}}])
        result = answer["MetricDataResults"][0]
        return max(zip(result["Timestamps"], result["Values"]))[1] / 1000

    def _load(self, endpoint: Endpoint) -> str:
        before, now = endpoint.history.minute(-INCIDENT_MINUTES - 30), endpoint.history.minute(-1)
        return f"Invocations per minute: {before['invocations']:,} half an hour before, {now['invocations']:,} now."

    def _heading(self, text: str) -> None:
        self._step += 1
        terminal.heading(self._step, text)

    def _expect(self, good: bool, text: str) -> None:
        terminal.verdict(good, text)
        if not good:
            self.failures.append(text)


def main() -> int:
    for stop_signal in signal.SIGTERM, signal.SIGHUP:
        signal.signal(stop_signal, lambda number, _: sys.exit(128 + number))  # unwinds, so that everything is stopped
    began = time.monotonic()
    try:
        with Emulators() as emulators:
            demo = Demo(emulators)
            demo.run()
    except KeyboardInterrupt:
        print("\ninterrupted; everything is stopped")
        return 130
    except (FileNotFoundError, RuntimeError, TimeoutError) as error:
        print(f"\nthe demo could not run: {error}", file=sys.stderr)
        return 1
    print()
    if demo.failures:
        print(f"Not as expected: {'; '.join(demo.failures)}.")
        return 1
    print(f"orders and the component tagger were overloaded and got policies; search was slow for another reason and was left alone; "
          f"a shift of requests overloaded one variant of ranking, which got a policy of its own. "
          f"{time.monotonic() - began:.0f} s; everything is stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
