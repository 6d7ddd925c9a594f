"""The app of the event log."""

from django.apps import AppConfig


class EventLogConfig(AppConfig):
    """Log, inbox, quarantine and the portal's own event store."""

    name = "portal.eventlog"
    label = "eventlog"
    verbose_name = "Event log"
