"""Repair and replay: what an operator does with the log, one function a verb.

Commands of `manage.py`, admin actions and the API call the same functions.
"""
