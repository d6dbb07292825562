"""What a SIP message is: messages, URIs, headers, dialogs and digest authentication, without I/O."""
