"""What a client does: authenticated requests, subscriptions, publications. Sans-IO."""
