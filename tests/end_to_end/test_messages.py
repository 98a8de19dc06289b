"""What subscribers get."""

from local_aws.alarm import Alarm


def test_people_get_text_that_leads_with_the_verdict(orders, advise, emulators):
    report = advise(Alarm(orders.name).eventbridge())
    [mail] = emulators.gateway.emails
    assert orders.name in mail["subject"]
    assert mail["subject"].isascii() and mail["subject"].isprintable() and len(mail["subject"]) < 100
    assert report["diagnosis"]["summary"] in " ".join(mail["text"].split())


def test_programs_get_the_report_itself(orders, advise, topics):
    report = advise(Alarm(orders.name).eventbridge())
    [published] = topics.reports()
    assert published["id"] == report["id"]
    assert published["plan"] == report["plan"]


def test_attributes_allow_subscriptions_to_filter(orders, advise, topics):
    advise(Alarm(orders.name).eventbridge(), mode="apply")
    [envelope] = topics.envelopes()
    attributes = {name: attribute["Value"] for name, attribute in envelope["MessageAttributes"].items()}
    assert attributes == {"verdict": "overload", "action": "scale", "status": "applied", "endpoint_name": orders.name, "severity": "action_taken"}


def test_chat_gets_a_card_and_one_thread_per_incident(orders, advisor, topics):
    alarm = Alarm(orders.name).eventbridge()
    for _ in range(2):
        advisor().invoke(alarm)
    cards = topics.cards()
    assert len({card["metadata"]["threadId"] for card in cards}) == 1
    assert all(isinstance(value, str) for card in cards for value in card["metadata"].get("additionalContext", {}).values())
