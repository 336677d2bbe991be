//! What the broker counts, for metrics.

/// Numbers since the start, and a few of the present.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Network Connections that are open now, with or without a CONNECT.
    pub connections: u64,
    /// Clients that are connected now.
    pub clients: u64,
    /// Sessions now, with and without a connection.
    pub sessions: u64,
    /// Subscriptions now, of all sessions.
    pub subscriptions: u64,
    /// Retained messages now.
    pub retained_messages: u64,
    /// Bytes of the retained messages' topics, properties and payloads now.
    pub retained_bytes: u64,
    /// Messages that wait in the queues of sessions now.
    pub queued_messages: u64,
    /// Bytes of their topics, properties and payloads now; a message counts for each session that it waits for.
    pub queued_bytes: u64,
    /// Network Connections since the start.
    pub connections_opened: u64,
    /// Network Connections that were closed without an accepted CONNECT.
    pub connections_refused: u64,
    /// Network Connections that the broker closed because the Client broke the protocol, or a limit that it was told.
    pub protocol_violations: u64,
    /// Packets that came.
    pub packets_received: u64,
    /// PUBLISH packets that came and were not duplicates.
    pub messages_received: u64,
    /// PUBLISH packets that were sent, repetitions included.
    pub messages_sent: u64,
    /// Payload bytes of the messages that came.
    pub payload_bytes_received: u64,
    /// Bytes that were given to the shell.
    pub bytes_sent: u64,
    /// QoS 0 messages dropped because the subscriber was too slow.
    pub dropped_slow_subscriber: u64,
    /// Messages dropped because a session's queue was full.
    pub dropped_queue_full: u64,
    /// Messages dropped because they were larger than the subscriber's Maximum Packet Size.
    pub dropped_too_large: u64,
    /// Messages dropped because their Message Expiry Interval had passed.
    pub expired: u64,
    /// Messages that were not passed on because of their topic, User Properties or Payload Format Indicator.
    pub messages_refused: u64,
    /// Retained messages that were not kept because a limit was reached.
    pub retained_refused: u64,
    /// Messages, subscriptions and connections that were refused because the store took nothing.
    pub store_refused: u64,
    /// Requests to the broker's owner that were refused.
    pub requests_refused: u64,
    /// Subscriptions that were refused because a limit was reached.
    pub subscriptions_refused: u64,
}

impl Counters {
    /// A message of this size waits no more.
    pub(crate) const fn leave_queue(&mut self, size: usize) {
        self.queued_messages = self.queued_messages.saturating_sub(1);
        self.queued_bytes = self.queued_bytes.saturating_sub(size as u64);
    }
}
