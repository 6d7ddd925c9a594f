from __future__ import annotations

from chronicle_contracts import Ignore, Quarantine, Retry, encode
from chronicle_messaging import lambda_handler

from libs.messaging.tests.cast import event


def record(message_id, body, group=None):
    """A record as Lambda gets it from SQS."""
    attributes = {"ApproximateReceiveCount": "1"}
    if group is not None:
        attributes |= {"MessageGroupId": group}
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt of {message_id}",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {"type": {"stringValue": "t", "dataType": "String"}},
        "eventSource": "aws:sqs",
    }


def of_event(one):
    return record(f"{one.subject}-{one.sequence}", encode(one).decode(), one.subject)


def failed(answer):
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


class Handler:
    def __init__(self, **raising):
        self.raising = raising
        self.seen = []

    def __call__(self, one):
        self.seen.append((one.subject, one.sequence))
        if one.sequence == 1 and one.subject in self.raising:
            raise self.raising[one.subject]


class TestTheLambdaHandler:
    def test_reports_nothing_when_all_is_well(self):
        handler = Handler()
        records = [of_event(event("concert", n)) for n in (1, 2)]
        assert failed(lambda_handler(handler)({"Records": records}, None)) == []
        assert handler.seen == [("concert", 1), ("concert", 2)]

    def test_reports_a_failure_and_all_of_its_job_after_it(self):
        handler = Handler(concert=Retry("busy"), talk=ZeroDivisionError("bug"))
        records = [of_event(event(job, n)) for n in (1, 2) for job in ("concert", "talk", "match")]
        answer = lambda_handler(handler)({"Records": records}, None)
        assert failed(answer) == ["concert-1", "talk-1", "concert-2", "talk-2"]
        assert handler.seen == [("concert", 1), ("talk", 1), ("match", 1), ("match", 2)]

    def test_reports_only_the_failure_itself_on_a_standard_queue(self):
        handler = Handler(concert=Retry("busy"))
        records = [record(f"m{n}", encode(event("concert", n)).decode()) for n in (1, 2)]
        assert failed(lambda_handler(handler)({"Records": records}, None)) == ["m1"]

    def test_takes_what_is_ignored_for_done(self):
        handler = Handler(concert=Ignore("known"))
        answer = lambda_handler(handler)({"Records": [of_event(event("concert", 1))]}, None)
        assert failed(answer) == []

    def test_puts_aside_what_can_never_be_handled(self, bus):
        queue = bus.queue("dispatcher")
        handler = lambda_handler(Handler(talk=Quarantine("no")), quarantine=queue.quarantine)
        records = [record("m1", "{not json", "concert"), of_event(event("talk", 1))]
        assert failed(handler({"Records": records}, None)) == []
        reasons = [one.attributes["quarantine-reason"] for one in queue.dead_letters.receive()]
        assert reasons[1] == "no"
        assert "not a Chronicle event" in reasons[0]

    def test_leaves_it_to_the_queue_where_it_cannot_be_put_aside(self):
        handler = lambda_handler(Handler())
        assert failed(handler({"Records": [record("m1", "{not json", "concert")]}, None)) == ["m1"]

    def test_reports_what_could_not_be_put_aside(self):
        def down(_message, _reason):
            raise OSError("no way to the dead letters")

        handler = lambda_handler(Handler(), quarantine=down)
        assert failed(handler({"Records": [record("m1", "{not json", "concert")]}, None)) == ["m1"]
