"""The published language as an AsyncAPI 3.0 document: https://www.asyncapi.com/docs/reference."""

from chronicle_contracts.asyncapi.document import document, text

__all__ = ["document", "text"]
