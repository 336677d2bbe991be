//! What a broker keeps so that it can go on after a power cut.
//!
//! The broker says with each effect what must be stored before it ([`Output::Transmit`](crate::Output::Transmit)),
//! and what there is to store in [`Broker::take_store_operations`](crate::Broker::take_store_operations).
//! A shell writes them in this order, all of one call together or none, and later gives what it finds
//! to a [`Restoration`](crate::Restoration), which makes a broker of it.
//!
//! Only what is to outlive its Network Connection is stored: sessions whose Session Expiry Interval is not 0,
//! what waits in them and is in flight to and from them, their Wills, and retained messages.
//! A message is stored once, however many wait for it.

mod encoding;
mod journal;
mod reader;
mod record;

pub(crate) use self::{
    journal::{Journal, References},
    reader::{Found, FoundDelivery, read, read_key},
    record::{KeyKind, ReplayRecord, SessionKey, SessionRecord, SessionState},
};
pub use self::{
    reader::CorruptRecord,
    record::{Key, Record, StoreOperation},
};

/// Keys that begin with this byte or a later one are never the broker's: others may share its store.
pub const FIRST_BYTE_OF_OTHERS: u8 = 0x20;

/// Grows whenever records are written that an earlier version would not understand.
pub const STORE_FORMAT: u32 = 1;
