"""The presence_mwi module: the event message-summary."""
