//! Whether a server is well.

/// Whether a server can do what it promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It can.
    Well,
    /// It cannot, for this reason, which is one line.
    Failing(String),
}
