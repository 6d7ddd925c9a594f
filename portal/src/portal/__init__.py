"""The portal: event log, read models, API and admin."""
