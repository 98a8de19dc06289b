"""Several variants, shadows, instance pools, containers, explainers and single instances: each is recognised from what AWS
describes, and read under its own dimensions.

moto knows variants with weights, and models of several containers. The fields of the others are added by the gateway, in AWS's
shape. Their metrics are in the emulator's CloudWatch as SageMaker would publish them.
"""

import re
from statistics import mean

import pytest
from conftest import DAYS
from local_aws.alarm import Alarm
from local_aws.endpoint import INSTANCE_TYPE, Endpoint
from local_aws.history import UTILISATION

BEFORE = -30  # minutes: nothing had happened yet

_made: dict[str, Endpoint] = {}


@pytest.fixture
def made(endpoint, emulators):
    """`made(name, scenario, **kind)`: an endpoint of a kind of its own, in that trouble right now."""

    def get(name, scenario, **kind):
        if name not in _made:
            _made[name] = Endpoint.simulate(emulators, f"e2e-{name}", scenario, DAYS, **kind)
            _made[name].history.write()
        _made[name].forget_scaling()
        _made[name].history.up_to_now()
        return _made[name]

    return get


@pytest.fixture
def shifted(made):
    """An overloaded variant; the requests came from the one beside it."""
    endpoint = made("shifted", "overload", beside={"Stable": 3.0})
    endpoint.take_requests_from("Stable", times=9, since=BEFORE)
    return endpoint


def describe(emulators, operation, name, **fields):
    emulators.gateway.described[(operation, name)] = fields


def told(report):
    return [fact["text"] for fact in report["serving"]]


def average(samples):
    values, counts = zip(*samples)
    return sum(value * count for value, count in zip(values, counts)) / sum(counts)


def test_requests_that_move_between_variants_are_called_that_and_only_their_variant_is_scaled(shifted, advise, emulators):
    report = advise(Alarm(shifted.name).eventbridge(), mode="apply")
    assert (report["diagnosis"]["verdict"], report["diagnosis"]["sub_cause"]) == ("overload", "weight_shift")
    [share] = [fact for fact in report["diagnosis"]["evidence"] if fact["signal"] == "traffic_share"]
    assert share["observed"] > 2 * share["expected"]
    assert report["outcome"]["status"] == "applied", report["outcome"]
    assert {call.body["ResourceId"] for call in emulators.gateway.writes()} == {shifted.resource_id}


def test_the_command_that_shifts_back_is_one_that_sagemaker_takes(shifted, advise, emulators):
    steps = advise(Alarm(shifted.name).eventbridge())["next_steps"]
    [command] = [step for step in steps if "update-endpoint-weights-and-capacities" in step]
    weights = {name: float(weight) for name, weight in re.findall(r"VariantName=(\w+),DesiredWeight=([\d.]+)", command)}
    assert weights == {"AllTraffic": pytest.approx(0.1, abs=0.01), "Stable": pytest.approx(0.9, abs=0.01)}
    sagemaker = emulators.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=shifted.name, DesiredWeightsAndCapacities=[
        {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()])
    assert any("10 % of the requests that name no variant" in text for text in told(advise(Alarm(shifted.name).eventbridge())))


def test_variants_of_one_endpoint_are_advised_separately_and_reported_together(shifted, advisor, tool, topics):
    reports = advisor().invoke({"advise": {"endpoint_name": shifted.name, "latency_slo_ms": 500}})["reports"]
    assert {(report["variant_name"], report["diagnosis"]["verdict"]) for report in reports} == {
        ("AllTraffic", "overload"), ("Stable", "insufficient_data")}
    assert len(topics.envelopes()) == 2
    explained = tool("explain", shifted.name, "--latency-slo-ms", "500")
    assert explained.returncode == 0, explained.stderr
    assert explained.stdout.splitlines()[0] == f"{shifted.name}/AllTraffic is overloaded; {shifted.name}/Stable is not diagnosed: not enough data"


def test_a_shadow_is_diagnosed_and_never_scaled(made, advise, emulators):
    shadow = made("shadow", "overload")
    summary = {"CurrentInstanceCount": 2, "DesiredInstanceCount": 2, "CurrentWeight": 1.0, "DesiredWeight": 1.0}
    describe(emulators, "DescribeEndpoint", shadow.name, ProductionVariants=[{"VariantName": "Main", **summary}],
             ShadowProductionVariants=[{"VariantName": shadow.variant, **summary}])
    configured = {"ModelName": shadow.name, "InstanceType": INSTANCE_TYPE}
    describe(emulators, "DescribeEndpointConfig", shadow.name, ProductionVariants=[{"VariantName": "Main", **configured}],
             ShadowProductionVariants=[{"VariantName": shadow.variant, **configured}])
    report = advise(Alarm(shadow.name).eventbridge(), mode="apply")
    assert (report["diagnosis"]["verdict"], report["plan"]["hold_reason"]) == ("overload", "shadow_variant")
    assert report["next_steps"][0].startswith("Callers do not feel it.")
    assert emulators.gateway.writes() == []


def test_of_several_instance_types_the_slow_one_is_named(made, advise, emulators):
    pooled = made("pooled", "overload")
    types = {"ml.m5.large": (1_700_000, 0.5), "ml.m5.2xlarge": (280_000, 1.5)}  # microseconds; utilisation against that of the variant
    pools = [{"InstanceType": kind, "CurrentInstanceCount": 1} for kind in types]
    describe(emulators, "DescribeEndpoint", pooled.name, ProductionVariants=[
        {"VariantName": pooled.variant, "DesiredInstanceCount": 2, "CurrentWeight": 1.0, "DesiredWeight": 1.0, "InstancePools": pools}])
    describe(emulators, "DescribeEndpointConfig", pooled.name, ProductionVariants=[
        {"VariantName": pooled.variant, "ModelName": pooled.name, "InitialInstanceCount": 2,
         "InstancePools": [{"InstanceType": kind, "Priority": rank} for rank, kind in enumerate(types, start=1)]}])
    for kind, (latency, busier) in types.items():
        put = pooled.history.put_beside
        put("ModelLatency", lambda m: latency, "Microseconds", last=60, InstanceType=kind)
        put("Invocations", lambda m: m["invocations"] / 2, last=60, InstanceType=kind)
        put("CPUUtilization", lambda m: busier * mean(m["cpu_percent"]), "Percent", UTILISATION, last=60, InstanceType=kind)
    report = advise(Alarm(pooled.name).eventbridge(), mode="apply")
    assert report["diagnosis"]["verdict"] == "overload"
    assert "Only the instances of ml.m5.large are slow" in report["diagnosis"]["summary"]
    assert any(text.startswith("instances by type: 1 of ml.m5.large, 1 of ml.m5.2xlarge") for text in told(report))
    assert report["outcome"]["status"] == "applied", report["outcome"]
    assert pooled.target()["MinCapacity"] > 2  # the sum of the pools


@pytest.mark.parametrize("mode, words", [(None, "a pipeline of containers (prepare, score): each request meets all of them"),
                                         ("Direct", "several containers (prepare, score): each request goes to one of them")])
def test_of_several_containers_the_slow_one_is_named(mode, words, made, advise, emulators):
    endpoint = made("containers", "slow-dependency", containers=("prepare", "score"))
    if mode:
        describe(emulators, "DescribeModel", endpoint.name, InferenceExecutionConfig={"Mode": mode})
    put = endpoint.history.put_beside
    put("ContainerLatency", lambda m: 20_000, "Microseconds", ContainerName="prepare")
    put("ContainerLatency", lambda m: average(m["model_latency_us"]) if m["invocations"] else None, "Microseconds", ContainerName="score")
    for container in ("prepare", "score"):
        put("Invocations", lambda m: m["invocations"] / 2 or None, ContainerName=container)
    report = advise(Alarm(endpoint.name).eventbridge())
    assert (report["hosting"], report["diagnosis"]["verdict"]) == ("multi_container", "slow_dependency")
    assert told(report) == [words]
    assert "Container score takes" in report["diagnosis"]["summary"]
    assert report["next_steps"][0].startswith("Look at container score first")


def test_with_enhanced_metrics_the_ill_instance_is_named(made, advise, emulators):
    endpoint = made("instances", "sick-instance")
    describe(emulators, "DescribeEndpoint", endpoint.name, MetricsConfig={"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 60})
    for number in range(4):
        put, of = endpoint.history.put_beside, {"InstanceId": f"i-0{number}"}
        put("ModelLatency", lambda m: 2_000_000 if number == 3 and m["minute"] > BEFORE else 300_000, "Microseconds", last=60, **of)
        put("Invocations", lambda m: m["invocations"] / 4, last=60, **of)
        put("CPUUtilization", lambda m: mean(m["cpu_percent"]), "Percent", UTILISATION, last=60, **of)
    report = advise(Alarm(endpoint.name).eventbridge())
    assert report["diagnosis"]["verdict"] == "uneven_load"
    assert "instance i-03" in report["diagnosis"]["summary"]
    assert report["next_steps"][0].startswith("Replace instance i-03")
    assert "ListMetrics" in emulators.gateway.operations()


def test_more_explanations_are_the_cause_and_captures_are_not(made, advise, emulators):
    endpoint = made("explained", "slow-model")
    describe(emulators, "DescribeEndpoint", endpoint.name,
             ExplainerConfig={"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}},
             DataCaptureConfig={"EnableCapture": True, "CaptureStatus": "Started", "CurrentSamplingPercentage": 100,
                                "DestinationS3Uri": "s3://captures", "KmsKeyId": ""})
    endpoint.history.put_beside("ExplanationsPerInstance", lambda m: (0.1 if m["minute"] <= BEFORE else 0.8) * m["invocations"] / m["instances"])
    report = advise(Alarm(endpoint.name).eventbridge(), mode="apply")
    assert (report["diagnosis"]["verdict"], report["diagnosis"]["sub_cause"]) == ("slow_model", "explanations")
    assert any("requests are captured" in text for text in told(report))
    assert emulators.gateway.writes() == []
