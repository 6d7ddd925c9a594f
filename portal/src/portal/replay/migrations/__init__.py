"""Migrations of the records and builds."""
