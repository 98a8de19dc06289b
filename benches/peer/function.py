"""What a team would deploy instead: the same reads in Python with boto3, for `make bench-lambda` to compare with.

Written as AWS recommends for Lambda: clients at module level, so that they are made while the function starts and live on while it
is warm; a connection for each thread; what does not depend on each other asked at the same time. It reads what the advisor reads for the alarm
of a variant on instances, and then only counts: no verdict, no capacity, no replay, no message. So it is measured at less than what it
would take to do the same.
"""

import concurrent.futures
import datetime

import boto3
import botocore.exceptions
from botocore.config import Config

AT_ONCE = 10
MINUTE = datetime.timedelta(minutes=1)
HISTORY_DAYS = 14
SERIES_PER_PAGE = 5  # of 14 days of minutes: a page of GetMetricData holds 100,800 datapoints

CONFIG = Config(max_pool_connections=AT_ONCE, retries={"mode": "standard"})
CLOUDWATCH = boto3.client("cloudwatch", config=CONFIG)
SAGEMAKER = boto3.client("sagemaker", config=CONFIG)
SCALING = boto3.client("application-autoscaling", config=CONFIG)
SCHEDULER = boto3.client("scheduler", config=CONFIG)
POOL = concurrent.futures.ThreadPoolExecutor(AT_ONCE)

INVOCATIONS, HOSTS = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
OF_HISTORY = [
    (INVOCATIONS, "Invocations", "Sum"), (INVOCATIONS, "InvocationsPerInstance", "Sum"), (INVOCATIONS, "ModelLatency", "p90"),
    (INVOCATIONS, "Invocation5XXErrors", "Sum"), (INVOCATIONS, "Invocation4XXErrors", "Sum"), (HOSTS, "CPUUtilization", "Average"),
]
OF_A_DAY = [
    (HOSTS, "CPUUtilization", "Minimum"), (HOSTS, "CPUUtilization", "Maximum"), (HOSTS, "MemoryUtilization", "Maximum"),
    (INVOCATIONS, "OverheadLatency", "Average"), (INVOCATIONS, "InvocationModelErrors", "Sum"),
    (INVOCATIONS, "ConcurrentRequestsPerModel", "Minimum"), (INVOCATIONS, "ConcurrentRequestsPerModel", "Maximum"),
    (INVOCATIONS, "ModelCacheHit", "Average"), (INVOCATIONS, "ModelLoadingWaitTime", "Average"),
    (INVOCATIONS, "ModelLoadingTime", "SampleCount"), (INVOCATIONS, "ModelLoadingTime", "Average"),
    (INVOCATIONS, "ModelDownloadingTime", "Average"), (HOSTS, "LoadedModelCount", "Average"),
    (INVOCATIONS, "ModelLatency", "Minimum"), (INVOCATIONS, "ModelLatency", "p50"), (INVOCATIONS, "ModelLatency", "Average"),
]


def handler(event, context):
    detail = event["detail"]
    [metric] = [metric["metricStat"]["metric"] for metric in detail["configuration"]["metrics"]]
    endpoint, variant = metric["dimensions"]["EndpointName"], metric["dimensions"]["VariantName"]
    end = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)

    is_open = POOL.submit(incident, endpoint, variant)
    described = POOL.submit(SAGEMAKER.describe_endpoint, EndpointName=endpoint)
    series = [POOL.submit(read, endpoint, variant, chunk, end - days * datetime.timedelta(days=1), end) for chunk, days in chunks()]
    described = described.result()

    scaled = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    resource = f"endpoint/{endpoint}/variant/{variant}"
    config = POOL.submit(SAGEMAKER.describe_endpoint_config, EndpointConfigName=described["EndpointConfigName"])
    tags = POOL.submit(everything, SAGEMAKER, "list_tags", "Tags", ResourceArn=described["EndpointArn"])
    targets = POOL.submit(everything, SCALING, "describe_scalable_targets", "ScalableTargets", ResourceIds=[resource], **scaled)
    policies = POOL.submit(everything, SCALING, "describe_scaling_policies", "ScalingPolicies", ResourceId=resource, **scaled)
    activities = POOL.submit(SCALING.describe_scaling_activities, ResourceId=resource, MaxResults=50, **scaled)
    actions = POOL.submit(everything, SCALING, "describe_scheduled_actions", "ScheduledActions", ResourceId=resource, **scaled)

    [configured] = [known for known in config.result()["ProductionVariants"] if known["VariantName"] == variant]
    model = POOL.submit(SAGEMAKER.describe_model, ModelName=configured["ModelName"])
    of_targets = [POOL.submit(SCALING.list_tags_for_resource, ResourceARN=target["ScalableTargetARN"]) for target in targets.result()]
    metrics = {key: values for chunk in series for key, values in chunk.result().items()}
    return {
        "endpoint_name": endpoint, "status": described["EndpointStatus"], "model": model.result()["ModelName"],
        "incident_is_open": is_open.result(), "tags": len(tags.result()), "targets": len(of_targets), "policies": len(policies.result()),
        "activities": len(activities.result()["ScalingActivities"]), "scheduled_actions": len(actions.result()),
        "datapoints": sum(map(len, metrics.values())), "p90_ms": metrics["ModelLatency p90"][max(metrics["ModelLatency p90"])] / 1000,
    }


def chunks():
    """Statistics that are read together, and how many days of them."""
    for first in range(0, len(OF_HISTORY), SERIES_PER_PAGE):
        yield OF_HISTORY[first : first + SERIES_PER_PAGE], HISTORY_DAYS
    yield OF_A_DAY, 1


def read(endpoint, variant, chunk, start, end):
    """The values of each statistic by their minute."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    queries = [{"Id": f"m{index}", "MetricStat": {"Period": 60, "Stat": stat, "Metric": {
        "Namespace": namespace, "MetricName": name, "Dimensions": dimensions}}} for index, (namespace, name, stat) in enumerate(chunk)]
    values = {f"{name} {stat}": {} for _, name, stat in chunk}
    pages = CLOUDWATCH.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, StartTime=start, EndTime=end,
                                                                 ScanBy="TimestampAscending")
    for page in pages:
        for result in page["MetricDataResults"]:
            _, name, stat = chunk[int(result["Id"][1:])]
            values[f"{name} {stat}"].update(zip(result["Timestamps"], result["Values"]))
    return values


def everything(client, operation, key, **asked):
    return [item for page in client.get_paginator(operation).paginate(**asked) for item in page[key]]


def incident(endpoint, variant):
    try:
        SCHEDULER.get_schedule(Name=f"{endpoint}-{variant}"[:64], GroupName="incidents")
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return False
    return True
