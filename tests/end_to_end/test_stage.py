"""The stage itself: what the other tests take for granted about the clock, the cuts and the emulators."""

from datetime import timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from local_aws.emulators import REGION
from local_aws.endpoint import Endpoint
from local_aws.footprint.rounds import Timed, rounds
from local_aws.gateway import denied, throttled
from local_aws.runtime_api import Died
from local_aws.scalable_dimensions import INSTANCES, UNITS
from local_aws.timeline import AGE

ASK = "advise"


def ask(endpoint):
    return {ASK: {"endpoint_name": endpoint.name, "latency_slo_ms": 500}}


def calls_of(incident):
    """How many calls an uncut run makes: the fewest of several, since a call that is slow to be answered is tried again."""
    gateway = incident.endpoint.emulators.gateway

    def run():
        gateway.calls.clear()
        incident.function.invoke(ask(incident.endpoint))
        return len(gateway.calls)

    return min(run() for _ in range(3))


def p90(incident, minutes):
    """Milliseconds of each of the last minutes on the incident's clock, as CloudWatch has them."""
    now = incident.timeline.clock.now()
    endpoint = incident.endpoint
    [result] = incident.timeline.cloudwatch.get_metric_data(
        StartTime=now - timedelta(minutes=minutes), EndTime=now, ScanBy="TimestampAscending", MetricDataQueries=[{
            "Id": "latency", "MetricStat": {"Period": 60, "Stat": "p90", "Metric": {
                "Namespace": "AWS/SageMaker", "MetricName": "ModelLatency", "Dimensions": [
                    {"Name": "EndpointName", "Value": endpoint.name}, {"Name": "VariantName", "Value": endpoint.variant}]}}}])["MetricDataResults"]
    assert len(result["Values"]) == minutes
    return [value / 1000 for value in result["Values"]]


def test_a_warm_process_lives_by_the_clock_of_its_test(incident):
    story = incident()
    clock = story.timeline.clock
    for _ in range(3):
        [report] = story.function.invoke(ask(story.endpoint))["reports"]
        assert report["at"] == clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        clock.forward(minutes=15)


def test_on_that_clock_the_alarm_is_news_and_the_plan_is_applied(incident, topics):
    story = incident(mode="apply")
    [report] = story.alarm()
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["outcome"]["status"] == "applied"
    assert topics.statuses() == ["applied"]


def test_more_instances_make_it_faster(incident):
    story = incident()
    assert max(p90(story, 5)) > 500
    story.timeline.scale(4)
    story.timeline.forward(minutes=5)
    assert max(p90(story, 5)) < 400
    assert story.endpoint.instances() == 4


def test_or_do_not(incident):
    story = incident()
    story.timeline.helped = False
    story.timeline.scale(4)
    story.timeline.forward(minutes=5)
    assert min(p90(story, 5)) > 500


def test_time_cannot_be_moved_into_the_future(incident):
    story = incident()
    with pytest.raises(AssertionError, match="future"):
        story.timeline.forward(minutes=AGE // timedelta(minutes=1) + 10)


@pytest.mark.parametrize("after", [False, True])
def test_a_process_can_be_cut_at_any_call_and_the_next_one_answers(after, incident, emulators):
    story = incident()
    calls = calls_of(story)
    assert calls > 5
    for at in (1, calls):
        cut_at = story.function.invoke_cut(ask(story.endpoint), at, after)
        assert cut_at in emulators.gateway.operations()
        assert emulators.gateway.calls[at - 1].status == (200 if after else 0)  # reached the emulator, or not
        assert len(story.function.invoke(ask(story.endpoint))["reports"]) == 1


def test_a_cut_beyond_the_last_call_is_a_mistake_of_the_test(incident):
    story = incident()
    with pytest.raises(AssertionError, match="could not be cut"):
        story.function.invoke_cut(ask(story.endpoint), 3 * calls_of(story), after=True)


def test_a_process_that_dies_by_itself_is_told_apart(incident):
    story = incident()
    story.function.kill()
    with pytest.raises(Died):
        story.function.invoke(ask(story.endpoint))


def test_rounds_are_told_by_which_call_began_when_which_had_ended():
    times = {"schedule": (0.0, 0.1), "endpoint": (0.11, 0.21), "tags": (0.22, 0.32), "config": (0.23, 0.35), "model": (0.36, 0.46), "late": (0.33, 0.43)}
    calls = [Timed("", name, began, ended, 0) for name, (began, ended) in times.items()]
    # `late` waited for `tags` alone.
    assert [[call.operation for call in together] for together in rounds(calls)] == [
        ["schedule"], ["endpoint"], ["tags", "config"], ["late", "model"]]
    assert rounds([]) == []


# What the gateway does in place of the emulators.


@pytest.fixture
def aws(emulators, incident):
    """A client of a service through the gateway, as the product has it."""

    def client(service):
        return boto3.client(service, endpoint_url=emulators.gateway.url, region_name=REGION, aws_access_key_id="test",
                            aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}))

    return client


@pytest.fixture
def target(aws, emulators):
    """A scalable target with one policy and one scheduled action, and its key."""
    key = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/stage/variant/AllTraffic", "ScalableDimension": INSTANCES}
    scaling = aws("application-autoscaling")
    arn = scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=4, Tags={"endpoint-advisor:before": "absent"})["ScalableTargetARN"]
    scaling.put_scaling_policy(**key, PolicyName="ours", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 700.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}})
    scaling.put_scheduled_action(**key, ScheduledActionName="morning", Schedule="cron(0 8 * * ? *)", ScalableTargetAction={"MinCapacity": 2})
    yield key | {"arn": arn}
    emulators.gateway.reset()


def without_arn(target):
    return {name: value for name, value in target.items() if name != "arn"}


def code_of(call):
    with pytest.raises(ClientError) as error:
        call()
    return error.value.response["Error"]["Code"]


def test_a_target_that_is_deregistered_takes_its_policies_actions_and_tags_with_it(aws, target):
    scaling, key = aws("application-autoscaling"), without_arn(target)
    assert scaling.list_tags_for_resource(ResourceARN=target["arn"])["Tags"] == {"endpoint-advisor:before": "absent"}
    scaling.deregister_scalable_target(**key)
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=key["ResourceId"])["ScalingPolicies"] == []
    assert scaling.describe_scheduled_actions(ServiceNamespace="sagemaker", ResourceId=key["ResourceId"])["ScheduledActions"] == []
    arn = scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=4)["ScalableTargetARN"]
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {}


def test_what_is_not_there_cannot_be_deleted_and_nothing_is_put_where_no_target_is(aws, target):
    scaling, key = aws("application-autoscaling"), without_arn(target)
    assert code_of(lambda: scaling.delete_scaling_policy(**key, PolicyName="gone")) == "ObjectNotFoundException"
    assert code_of(lambda: scaling.delete_scheduled_action(**key, ScheduledActionName="gone")) == "ObjectNotFoundException"
    scaling.deregister_scalable_target(**key)
    assert code_of(lambda: scaling.deregister_scalable_target(**key)) == "ObjectNotFoundException"
    assert code_of(lambda: scaling.put_scheduled_action(**key, ScheduledActionName="night", Schedule="cron(0 8 * * ? *)",
                                                        ScalableTargetAction={"MinCapacity": 1})) == "ObjectNotFoundException"


def test_provisioned_concurrency_is_scaled_only_where_it_is_set_within_bounds_and_by_its_own_metric(aws, emulators):
    scaling, memory = aws("application-autoscaling"), {"MemorySizeInMB": 2_048, "MaxConcurrency": 10}
    Endpoint.create(emulators, "cold", serverless=memory)
    warm = Endpoint.create(emulators, "warm", serverless=memory | {"ProvisionedConcurrency": 2})
    key = {"ServiceNamespace": "sagemaker", "ResourceId": warm.resource_id, "ScalableDimension": UNITS}
    for wrong in ({"ResourceId": "endpoint/cold/variant/AllTraffic"}, {"MinCapacity": 0}, {"MaxCapacity": 11}, {"MinCapacity": 6}):
        asked = key | {"MinCapacity": 1, "MaxCapacity": 5} | wrong
        assert code_of(lambda: scaling.register_scalable_target(**asked)) == "ValidationException", wrong
    arn = scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=5)["ScalableTargetARN"]
    put = lambda metric: scaling.put_scaling_policy(  # noqa: E731
        **key, PolicyName="units", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 0.7, "PredefinedMetricSpecification": {"PredefinedMetricType": metric}})
    assert code_of(lambda: put("SageMakerVariantInvocationsPerInstance")) == "ValidationException"
    put("SageMakerVariantProvisionedConcurrencyUtilization")
    # What comes back is in AWS's words, and beside what belongs to instances.
    [found] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[warm.resource_id], ScalableDimension=UNITS)["ScalableTargets"]
    assert (found["ResourceId"], found["ScalableDimension"], found["ScalableTargetARN"]) == (warm.resource_id, UNITS, arn)
    [policy] = scaling.describe_scaling_policies(**key)["ScalingPolicies"]
    assert (policy["ResourceId"], policy["ScalableDimension"]) == (warm.resource_id, UNITS)
    assert scaling.describe_scaling_policies(**key | {"ScalableDimension": INSTANCES})["ScalingPolicies"] == []


def test_activities_come_newest_first_and_say_how_it_went(aws, incident):
    story = incident()
    story.timeline.scale(4, "InProgress")
    story.timeline.forward(minutes=2)
    story.timeline.scale(4, "Failed")
    story.timeline.forward(minutes=2)
    story.timeline.scale(3)
    activities = aws("application-autoscaling").describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    assert [activity["StatusCode"] for activity in activities] == ["Successful", "Failed"]
    assert "ResourceLimitExceeded" in activities[1]["StatusMessage"]
    assert activities[1]["EndTime"] - activities[1]["StartTime"] == timedelta(minutes=2)


def test_an_endpoint_that_scales_is_updating(aws, incident):
    story = incident()
    status = lambda: aws("sagemaker").describe_endpoint(EndpointName=story.endpoint.name)["EndpointStatus"]  # noqa: E731
    story.timeline.scale(4, "InProgress")
    assert status() == "Updating"
    story.timeline.scale(4)
    assert status() == "InService"


def test_calls_of_scheduler_have_their_names(aws, emulators, incident, schedules):
    scheduler = aws("scheduler")
    story = incident()
    name = "ea-" + "0" * 32
    target = {"Arn": schedules.settings["ADVISOR_FOLLOW_UP_TARGET_ARN"], "RoleArn": schedules.settings["ADVISOR_FOLLOW_UP_ROLE_ARN"], "Input": "{}"}
    wanted = {"Name": name, "GroupName": schedules.group, "ScheduleExpression": "at(2036-10-05T09:14:00)",
              "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    emulators.gateway.reset()
    scheduler.create_schedule(**wanted)
    assert code_of(lambda: scheduler.create_schedule(**wanted)) == "ConflictException"
    scheduler.get_schedule(Name=name, GroupName=schedules.group)
    scheduler.update_schedule(**wanted)
    scheduler.delete_schedule(Name=name, GroupName=schedules.group)
    calls = emulators.gateway.calls
    assert [call.operation for call in calls] == ["CreateSchedule", "CreateSchedule", "GetSchedule", "UpdateSchedule", "DeleteSchedule"]
    assert all(call.body["Name"] == name for call in calls)
    assert calls[0].body["Target"] == target
    assert emulators.gateway.writes() == []  # it is no write to scaling
    assert schedules.get(story.endpoint) is None


def test_scheduler_can_be_made_to_fail(aws, emulators, schedules):
    emulators.gateway.faults = [throttled("GetSchedule"), denied("CreateSchedule", "scheduler:CreateSchedule")]
    assert code_of(lambda: aws("scheduler").get_schedule(Name="any", GroupName=schedules.group)) == "ThrottlingException"
    assert code_of(lambda: aws("scheduler").create_schedule(Name="any", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
                                                            Target={"Arn": "a", "RoleArn": "b"})) == "AccessDeniedException"
