//! The role of whoever reads packets, as a type.

use crate::Role;

/// The role of whoever reads packets, known when the code is compiled.
pub(crate) trait Receiver {
    const ROLE: Role;
}

/// The side that sent the CONNECT.
pub(crate) struct Client;

/// The side that accepted it.
pub(crate) struct Server;

impl Receiver for Client {
    const ROLE: Role = Role::Client;
}

impl Receiver for Server {
    const ROLE: Role = Role::Server;
}
