//! Packet Identifiers.

use std::num::NonZeroU16;

/// The number that ties an acknowledgement to its packet; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketIdentifier(NonZeroU16);

impl PacketIdentifier {
    /// Makes an identifier of a wire number; `None` for 0.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The wire number.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0.get()
    }
}
