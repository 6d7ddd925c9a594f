"""SNS and SQS: topology, outbox relay, publisher, consumer."""
