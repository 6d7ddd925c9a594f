"""What can go wrong between this process and SNS or SQS.

Errors::

    MessagingError
    ├── TopologyError     the topology file is missing or says something impossible
    └── MissingResource   a topic or queue is not there, and this process may not make it

What botocore raises (no connection, no permission, a limit) passes through as it is: the loops
of `Relay`, `Consumer` and `BatchConsumer` log it, wait and go on.
"""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError


class MessagingError(Exception):
    """Something about topics and queues is not as it must be."""


class TopologyError(MessagingError):
    """The topology file cannot be used; the message names the file, the place and the remedy."""


class MissingResource(MessagingError):
    """A topic or queue does not exist and may not be created by this process."""


# What a loop over an endpoint must survive: its absence, its refusals, answers that break off,
# its lost state.
ENDPOINT_TROUBLE = (BotoCoreError, ClientError, ResponseParserError, MissingResource)

# SNS says NotFound, its tag calls say ResourceNotFound; SQS says one of two by its protocol.
_MISSING = frozenset(
    {
        "NotFound",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
_STALE_RECEIPT = frozenset(
    {"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"}
)


def code_of(error: Exception) -> str:
    """Return the error code that AWS gave, or an empty text where there was no answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def is_missing(error: Exception) -> bool:
    """Return whether the topic or queue does not exist (any more)."""
    return code_of(error) in _MISSING


def is_denied(error: Exception) -> bool:
    """Return whether this process is not allowed to do that."""
    return code_of(error) in _DENIED


def is_stale_receipt(error: Exception) -> bool:
    """Return whether a receipt is of no use: deleted before, expired, or of a lost queue."""
    return code_of(error) in _STALE_RECEIPT
