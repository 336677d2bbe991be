//! Who may connect: what the broker asks its owner.

use std::fmt;

use bytes::Bytes;
use mqtt_protocol::{Connect, ReasonCode};

/// Decides whether Clients are who they say.
///
/// It is asked between two packets, so it must answer at once: what takes long, as a slow hash does,
/// is to be done before the packets are handed to the broker.
pub trait Authenticator: fmt::Debug + Send {
    /// A Client connects without an Authentication Method, perhaps with a user name and a password.
    ///
    /// # Errors
    ///
    /// The Reason Code of the refusal, such as [`ReasonCode::BadUserNameOrPassword`].
    fn check(&mut self, connect: &Connect) -> Result<(), ReasonCode>;

    /// A Client wants to show by an Authentication Method who it is; `None` if this one is not known.
    fn begin(&mut self, method: &str, claimant: Claimant<'_>) -> Option<Box<dyn Exchange>>;

    /// Whether a Client that is connected may do this. So far only requests to the broker's owner are asked about.
    fn authorize(&mut self, _client_identifier: &str, _action: Action<'_>) -> bool {
        true
    }
}

/// What a Client wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// To publish on this topic.
    Publish(&'a str),
    /// To learn what was published on this topic.
    Receive(&'a str),
}

/// Who wants to show who it is.
#[derive(Debug, Clone, Copy)]
pub enum Claimant<'a> {
    /// A Client that connects.
    Connecting(&'a Connect),
    /// A Client that is connected and shows it anew: its Client Identifier.
    Connected(&'a str),
}

/// One enhanced authentication, from the first packet of the Client to success or failure.
pub trait Exchange: fmt::Debug + Send {
    /// Takes the Authentication Data of the next packet of the Client.
    fn step(&mut self, data: Option<&Bytes>) -> Step;
}

/// How an [`Exchange`] goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The Client is sent this and has to answer.
    Continue(Bytes),
    /// The Client is who it says; it may be sent a last word.
    Success(Option<Bytes>),
    /// It is not, or cannot show it.
    Failure(ReasonCode),
}
