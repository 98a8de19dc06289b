"""`make demo`: six slow endpoints, one advisor. One needs instances and gets them; so do one that hosts an inference component, which
needs copies, a serverless one, which needs provisioned concurrency, and an asynchronous one, whose queue grows; one needs neither, and is
told why; on the last a shift of weight brings one variant more requests than it can carry."""

import json
import signal
import sys
import time

from . import scene, terminal
from .binaries import binary
from .emulators import Emulators
from .endpoint import INSTANCE_TYPE, Endpoint
from .scene import MAX_INSTANCES, Scene
from .stack import Stack

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
        terminal.note("Driven by this demo: no emulator sends an alarm's EventBridge event, so the demo puts it, in AWS's shape, into the "
                      "deployed queue, where the deployed rule would. From there on everything is the deployed stack.")

        orders = scene.variant(self.emulators, "orders", "overload")
        if self._applied(orders, "overload"):
            self._messages(orders)
        self._applied(scene.component(self.emulators, "tagger", "tagging", "overload"), "overload")
        self._applied(scene.units(self.emulators, "vision", "spillover", most=40), "cold_start")
        self._applied(scene.waiting(self.emulators, "transcribe", "growth", seed=3), "backlog")

        search = scene.variant(self.emulators, "search", "slow-dependency")
        report = self._incident(search)
        if report:
            self._expect(report["diagnosis"]["verdict"] == "slow_dependency", "the verdict is slow_dependency")
            self._expect(report["plan"]["action"] == "hold", f"it declines to scale: {report['plan']['hold_reason']}")
            self._has_nothing(search.endpoint)
            self._messages(search)
        ranking = scene.variant(self.emulators, "ranking", "overload", beside={"Stable": 3.0})
        report = self._incident(ranking, takes_from="Stable")
        if report:
            self._expect(report["diagnosis"]["sub_cause"] == "weight_shift", "the verdict is overload, by a shift of requests between variants")
            self._expect(ranking.endpoint.target() is not None, f"{ranking.endpoint.variant} got a scalable target")
            self._has_nothing(Endpoint(self.emulators, ranking.name, "Stable"))
        self._expect(self.stack.waiting("DeadLetterQueueUrl") == 0, "the dead-letter queue is empty")

    def _applied(self, of: Scene, verdict: str) -> dict | None:
        """Lets an endpoint become slow whose plan is to be applied."""
        report = self._incident(of)
        if report:
            self._expect(report["diagnosis"]["verdict"] == verdict, f"the verdict is {verdict}")
            self._expect(report["outcome"]["status"] == "applied", "the plan was applied")
            self._scaling(of)
        return report

    def _incident(self, of: Scene, takes_from: str | None = None) -> dict | None:
        """`takes_from`: the variant beside it from which the requests come."""
        self._heading(f"The endpoint `{of.name}`{of.hosts}, up to the incident")
        if of.note:
            terminal.note(of.note)
        with terminal.progress("a day or more of minute metrics into CloudWatch"):
            datums = of.write_up_to_the_incident()
        instances = f"{of.endpoint.instances()} × {INSTANCE_TYPE}" if of.counted[0] == "instance" else of.count(of.endpoint.instances())
        terminal.line(f"{datums:,} datums; {instances}; {of.reading()}; no auto scaling.")

        self._heading(f"`{of.name}` becomes slow")
        cloudwatch = self.emulators.client("cloudwatch")
        of.alarm.put(cloudwatch)
        of.write_the_incident()
        if takes_from:
            of.endpoint.take_requests_from(takes_from, times=9, since=-of.trouble_minutes - 1)
            terminal.line(f"Requests moved here from the variant {takes_from}: a tenth of the endpoint's before, a quarter now.")
        state = of.alarm.read_state(cloudwatch)
        terminal.line(f"{of.reading()}; the alarm is at {of.limit()}. {of.loads()}")
        self._expect(state["StateValue"] == "ALARM", f"CloudWatch has {state['AlarmName']} in {state['StateValue']}")
        if of.alarm.metric == "ModelLatency":
            terminal.note("ministack evaluates an alarm over all endpoints together; the p90 above is this endpoint's own.")

        self._heading("The alarm's event reaches the function")
        self.stack.send(of.alarm.eventbridge())
        with terminal.progress("queue → function → report"):
            envelope = self.reports.receive(PATIENCE_SECONDS, wanted=lambda envelope: json.loads(envelope["Message"])["endpoint_name"] == of.name)
        self._expect(envelope is not None, f"a report about {of.name} arrived")
        if not envelope:
            terminal.quote(self.stack.log()[-3000:] or "the function has logged nothing")
            return None
        report = json.loads(envelope["Message"])
        self._verdict(report, of)
        return report

    def _verdict(self, report: dict, of: Scene) -> None:
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
            terminal.line(f"Capacity  {capacity['invocations_per_instance_per_minute']:,.0f} invocations per {of.counted[0]} and minute "
                          f"({capacity['low']:,.0f}{high}), from {capacity['minutes_used']:,} minutes")
        for step in report["next_steps"]:
            terminal.line(f"Next      {step}")
        terminal.line(f"Plan      {plan['action']}{': ' + plan['hold_reason'] if plan['hold_reason'] else ''}, digest {plan['digest']}")
        terminal.line(f"Outcome   {report['outcome']['status']}{': ' + report['outcome']['reason'] if report['outcome']['reason'] else ''}")

    def _scaling(self, of: Scene) -> None:
        self._heading("Application Auto Scaling now, read back with boto3")
        endpoint = of.endpoint
        target, policies = endpoint.target(), endpoint.policies()
        self._expect(target is not None, "the scalable target exists")
        if target:
            running, least, most = endpoint.instances(), target["MinCapacity"], target["MaxCapacity"]
            terminal.line(f"{target['ResourceId']}: {least} to {of.count(most)}, tags {endpoint.target_tags()}")
            if of.raises_min:
                self._expect(least > running, f"its minimum is above the {running} that are there: AWS scales out at once")
            else:
                self._expect(most > running, f"it has room above the {running} that run, and the policy fills it: nothing in a queue is lost meanwhile")
            self._expect(most <= of.most, f"its maximum is within the {of.most} allowed")
        self._expect([policy["PolicyName"].startswith("endpoint-advisor-") for policy in policies] == [True], "one policy exists, ours")
        for policy in policies:
            terminal.quote(json.dumps({"PolicyName": policy["PolicyName"], **policy["TargetTrackingScalingPolicyConfiguration"]}, indent=2))
        terminal.note("The emulators scale nothing; on AWS the endpoint would now be Updating.")

    def _has_nothing(self, endpoint: Endpoint) -> None:
        self._expect(not endpoint.target() and not endpoint.policies(), f"Application Auto Scaling has nothing for {endpoint.name}/{endpoint.variant}")

    def _messages(self, of: Scene) -> None:
        self._heading(f"What people receive about `{of.name}`")
        mails = [mail for mail in self.emulators.gateway.emails if of.name in mail["subject"] + mail["text"]]
        self._expect(bool(mails), f"an e-mail to {ADDRESS}")
        if mails:
            terminal.note("ministack has no mail server. This is the `email` part of the message that its SNS accepted.")
            terminal.quote(f"Subject: {mails[-1]['subject']}\n\n{mails[-1]['text']}")
        envelope = self.chat.receive(10, wanted=lambda envelope: of.name in envelope["Message"])
        self._expect(envelope is not None, "a card for Slack, in the schema of Amazon Q Developer in chat applications")
        if envelope:
            content = json.loads(envelope["Message"])["content"]
            steps = "".join(f"\n- {step}" for step in content.get("nextSteps", []))
            terminal.quote(f"{content.get('title', '')}\n{content['description']}{steps}")

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
    print(f"orders and the component tagger were overloaded and got policies, and so did vision, which met cold starts, and transcribe, whose "
          f"queue grew; search was slow for another reason and was left alone; a shift of requests overloaded one variant of ranking, which got "
          f"a policy of its own. "
          f"{time.monotonic() - began:.0f} s; everything is stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
