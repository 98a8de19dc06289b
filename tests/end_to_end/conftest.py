"""The emulators run once per session; every test starts with an endpoint whose incident is still on, with no scaling
set-up, no alarm, and empty mailboxes. Function processes stay warm between tests, as on Lambda."""

import contextlib
import itertools
import os
import subprocess

import pytest
from local_aws.binaries import binary
from local_aws.emulators import Emulators
from local_aws.endpoint import Endpoint
from local_aws.incident import Incident
from local_aws.runtime_api import Function
from local_aws.schedules import Schedules
from local_aws.timeline import Timeline
from local_aws.topics import Topics

DAYS = 1  # enough for a verdict; more only makes the emulator slower, since it walks through all that it holds at each call

_numbers = itertools.count(1)

@pytest.fixture(scope="session")
def emulators():
    with Emulators() as emulators:
        yield emulators


@pytest.fixture(scope="session")
def topics(emulators):
    return Topics(emulators)


@pytest.fixture(scope="session")
def _known():
    return {}


@pytest.fixture
def endpoint(emulators, topics, _known):
    """`endpoint(scenario)`: an endpoint in that trouble, right now; `without` names metrics that it lacks."""

    def get(scenario="overload", without=()):
        key = (scenario, without)
        if key not in _known:
            _known[key] = Endpoint.simulate(emulators, f"e2e-{scenario}-{len(_known)}", scenario, DAYS, without)
            _known[key].history.write()
        endpoint = _known[key]
        endpoint.forget_scaling()
        endpoint.tag({})
        endpoint.set_instances(endpoint.history.instances)
        endpoint.history.up_to_now()
        return endpoint

    _clean(emulators, topics)
    return get


def _clean(emulators, topics):
    cloudwatch = emulators.client("cloudwatch")
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
        cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in page[kind]])
    emulators.gateway.reset()
    topics.envelopes("report"), topics.envelopes("chat")


@pytest.fixture
def orders(endpoint):
    """An overloaded endpoint."""
    return endpoint("overload")


@pytest.fixture(scope="session")
def _functions():
    functions = {}
    yield functions
    for function in functions.values():
        function.__exit__()


def _environment(settings):
    return {f"ADVISOR_{name.upper()}": value for name, value in settings.items()}


@pytest.fixture
def advisor(emulators, topics, _functions):
    """`advisor(mode="apply")`: the function as deployed with these settings."""

    def get(**settings):
        environment = topics.settings | {"ADVISOR_HISTORY_DAYS": str(DAYS)} | _environment(settings)
        key = tuple(sorted(environment.items()))
        if key not in _functions:
            _functions[key] = Function(emulators, environment).__enter__()
        return _functions[key]

    return get


@pytest.fixture
def advise(advisor):
    """`advise(event, mode="apply")`: the only report that the event leads to."""

    def get(event, **settings):
        reports = advisor(**settings).invoke(event)["reports"]
        assert len(reports) == 1
        return reports[0]

    return get


@pytest.fixture
def tool(emulators):
    """The command line tool, as a person runs it without a terminal."""

    def run(*arguments, online=True):
        environment = {"PATH": os.environ["PATH"], "HOME": str(emulators.folder)}
        return subprocess.run([binary("endpoint-advisor"), *arguments], env=environment | (emulators.environment() if online else {}),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture(scope="session")
def schedules(emulators):
    """Where the incidents of functions with a clock are kept."""
    return Schedules.create(emulators)


@pytest.fixture
def incident(emulators, topics, schedules):
    """`incident(mode="apply")`: a new overloaded endpoint whose alarm is about to fire, with the function's clock in its hands."""
    _clean(emulators, topics)
    schedules.forget()
    with contextlib.ExitStack() as running:

        def get(**settings):
            timeline = Timeline.begin(emulators, f"incident-{next(_numbers)}")
            environment = topics.settings | schedules.settings | {"ADVISOR_HISTORY_DAYS": str(DAYS)} | _environment(settings)

            def function():
                return running.enter_context(Function(emulators, environment, timeline.clock, metrics=timeline.endpoint.name))

            return Incident(timeline, function, schedules)

        yield get
