from __future__ import annotations

import pytest
from chronicle_messaging import Bus, MessagingSettings
from chronicle_messaging.clients import Clients
from pydantic import ValidationError


class TestMessagingSettings:
    def test_provision_a_local_endpoint_and_not_aws(self):
        local = MessagingSettings(aws_endpoint_url="http://127.0.0.1:4566")
        assert local.may_provision
        assert not MessagingSettings(aws_endpoint_url=None).may_provision

    def test_do_as_they_are_told_about_provisioning(self, monkeypatch):
        monkeypatch.setenv("CHRONICLE_PROVISION", "false")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
        assert not MessagingSettings().may_provision

    def test_refuse_a_prefix_that_cannot_begin_a_name(self):
        with pytest.raises(ValidationError):
            MessagingSettings(prefix="a b")

    def test_connect_a_bus_without_asking_the_endpoint(self, messaging_settings):
        bus = Bus.connect(messaging_settings)
        assert bus.queue("portal").name == f"{messaging_settings.prefix}-portal.fifo"
        assert bus.provision


class TestCredentials:
    def test_are_not_needed_on_this_machine(self, aws, monkeypatch):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        clients = Clients(region="us-east-1", endpoint_url=aws.url)
        assert clients.arn("sns", "x") == f"arn:aws:sns:us-east-1:{clients.account}:x"
