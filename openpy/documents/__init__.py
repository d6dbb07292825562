"""The bodies of event packages: pure functions from bytes to bytes."""
