"""What can go wrong with the one-machine stack.

::

    StackError
    ├── PortTaken        a port that the stack needs is in use
    ├── AlreadyRunning   a stack of the same home runs
    ├── NotRunning       there is no stack to talk to
    ├── PreparationFailed  a set-up command did not succeed
    ├── ProcessFailed    a process of the stack did not become ready
    └── StepFailed       a step of the demo did not hold
"""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot do what was asked; the message says why and what helps."""


class PortTaken(StackError):
    """A port that the stack needs is in use."""


class AlreadyRunning(StackError):
    """A stack of the same home runs."""


class NotRunning(StackError):
    """There is no stack to talk to."""


class PreparationFailed(StackError):
    """A set-up command did not succeed."""


class ProcessFailed(StackError):
    """A process of the stack did not become ready."""


class StepFailed(StackError):
    """A step of the demo did not hold."""
