"""The event packages whose bodies are XML: `presence` (RFC 3856)."""
