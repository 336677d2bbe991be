//! What the broker's owner keeps of messages, in the broker's store.

use std::fmt;

/// Keeps what messages say, in the same commits as the broker's own records.
///
/// It is asked while the broker holds a message, so it must answer at once. Its records are written by whoever owns
/// the store, under keys that begin with [`FIRST_BYTE_OF_OTHERS`](crate::FIRST_BYTE_OF_OTHERS) or a later byte.
pub trait Recorder: fmt::Debug + Send {
    /// Whether a message on this topic may have to be kept. If so, it is refused while the store takes nothing.
    fn is_interested_in(&self, topic: &str) -> bool;

    /// A Client has published a message, or left it as its Will. Says whether there is something for the store, without which the message
    /// is not to be acknowledged.
    fn record(&mut self, topic: &str, payload: &[u8]) -> bool;

    /// A message that is not to be kept, as it has been retained since before the recorder came, or as the store takes
    /// nothing. It may say what others mean.
    fn learn(&mut self, topic: &str, payload: &[u8]);
}
