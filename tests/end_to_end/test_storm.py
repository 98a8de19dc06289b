"""Many alarms at once through a queue, with duplicates, in no order, with garbage among them, and three processes that take batches."""

import pytest
from local_aws.storm import Storm

# Garbage has to come often enough to be given up, and each time waits for this long; a batch has to be done by then.
HIDDEN_SECONDS, RECEIVES, BATCH = 40, 3, 3


@pytest.fixture(scope="module")
def outcome(emulators):
    return Storm(emulators, 60, "gale", HIDDEN_SECONDS, RECEIVES, BATCH).blow(pollers=3, patience=300)


def test_no_alarm_is_lost(outcome):
    assert outcome.left == 0, outcome.words()
    assert len(outcome.alarmed) == 36
    assert outcome.lost == []


def test_no_endpoint_is_written_twice(outcome):
    assert outcome.doubled == [] and outcome.without_effect == []
    assert outcome.incidents == len(outcome.alarmed)


def test_only_garbage_ends_among_the_dead_letters(outcome):
    assert len(outcome.dead) == outcome.garbage == 3
    assert not [body for body in outcome.dead if '"444455556666"' not in body and body.startswith('{"version"') and body.endswith("}")]
