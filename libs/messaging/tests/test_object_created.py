from __future__ import annotations

import json

import boto3
import pytest
from chronicle_contracts import Quarantine
from chronicle_messaging import Message, ObjectCreated, read_objects


def message(body):
    return Message(body=body, group="", receipt="r", message_id="m")


class TestANotification:
    def test_from_the_real_endpoint_names_the_object(self, aws, aws_env, bus):
        s3 = boto3.client("s3", endpoint_url=aws.url)
        queue = bus.queue("objects")
        bus.topic()
        bucket = bus.prefix
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
        etag = s3.put_object(Bucket=bucket, Key="recordings/a b+c.mkv", Body=b"12345")["ETag"]
        found: list[ObjectCreated] = []
        while not found:
            received = queue.receive(wait=5)
            assert received, "no notification came"
            found += [one for message in received for one in read_objects(message)]
        assert found == [ObjectCreated(bucket, "recordings/a b+c.mkv", 5, etag.strip('"'))]

    def test_that_only_tests_the_way_is_empty(self):
        assert read_objects(message(json.dumps({"Event": "s3:TestEvent"}))) == ()

    def test_of_a_removal_is_empty(self):
        removed = {"eventName": "ObjectRemoved:Delete", "s3": {}}
        assert read_objects(message(json.dumps({"Records": [removed]}))) == ()

    @pytest.mark.parametrize("body", ["{", "[]", "{}", '{"Records": [{}]}', "null"])
    def test_that_is_none_is_quarantined(self, body):
        with pytest.raises(Quarantine, match="not an S3 notification"):
            read_objects(message(body))
