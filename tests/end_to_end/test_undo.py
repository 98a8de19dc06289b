"""`endpoint-advisor undo`: what was there before is back, by what the tags of the scalable target remember."""

import pytest
from local_aws.alarm import Alarm


@pytest.fixture
def changed(orders, advise, emulators):
    """An endpoint whose scaling the function has just set up."""

    def get(**settings):
        report = advise(Alarm(orders.name).eventbridge(), mode="apply", **settings)
        assert report["outcome"]["status"] == "applied"
        emulators.gateway.calls.clear()
        return orders

    return get


def written(emulators):
    return [call.operation for call in emulators.gateway.writes()]


def test_nothing_is_left_where_nothing_was(changed, tool, emulators):
    orders = changed()
    undone = tool("undo", orders.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert orders.scaling() is None
    assert orders.policies() == []
    assert written(emulators) == ["DeleteScalingPolicy", "DeregisterScalableTarget"]


def test_the_range_of_somebody_else_is_back(orders, changed, tool):
    orders.register_target(1, 6)
    before = orders.scaling()
    changed(existing_targets="raise")
    assert orders.scaling() != before
    undone = tool("undo", orders.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert orders.scaling() == before


def test_it_says_what_changes(changed, tool):
    orders = changed()
    target, [policy] = orders.target(), orders.policies()
    said = tool("undo", orders.name, "--yes").stdout
    assert policy["PolicyName"] in said
    assert str(target["MinCapacity"]) in said and str(target["MaxCapacity"]) in said


def test_without_consent_it_only_says_so(changed, tool, emulators):
    orders = changed()
    before = orders.scaling()
    asked = tool("undo", orders.name)  # nobody is there to answer
    assert asked.returncode != 0
    assert orders.policies()[0]["PolicyName"] in asked.stdout
    assert orders.scaling() == before
    assert written(emulators) == []


def test_it_leaves_the_policy_that_somebody_else_has_added(changed, tool):
    orders = changed()
    orders.put_policy("theirs", 900.0)
    undone = tool("undo", orders.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert [policy["PolicyName"] for policy in orders.policies()] == ["theirs"]
    assert orders.target() is not None


def test_what_the_advisor_never_touched_is_left_alone(orders, tool, emulators):
    orders.register_target(1, 6)
    before = orders.scaling()
    assert tool("undo", orders.name, "--yes").returncode != 0
    assert orders.scaling() == before
    assert written(emulators) == []


def test_twice_is_as_once(changed, tool, emulators):
    orders = changed()
    tool("undo", orders.name, "--yes")
    emulators.gateway.calls.clear()
    tool("undo", orders.name, "--yes")
    assert orders.scaling() is None
    assert written(emulators) == []


@pytest.mark.parametrize("mode", ["off", "recommend"])
def test_it_obeys_the_tags_of_the_endpoint_unless_told_otherwise(mode, changed, tool):
    orders = changed()
    orders.tag({"mode": mode})
    assert tool("undo", orders.name, "--yes").returncode != 0
    assert orders.scaling() is not None
    assert tool("undo", orders.name, "--yes", "--override-tags").returncode == 0
    assert orders.scaling() is None


def test_it_works_when_the_stack_and_its_memory_are_gone(incident, tool, schedules):
    story = incident(mode="apply")
    story.alarm()
    story.function.kill()
    schedules.forget()
    assert story.endpoint.scaling() is not None
    undone = tool("undo", story.endpoint.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert story.endpoint.scaling() is None
