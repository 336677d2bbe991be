//! The session beyond the life of the page: what is restored, what is stored, and what follows when that fails.

use std::time::Duration;

use bytes::Bytes;
use mqtt_protocol::{
    ClientEvent, ClientSession, Held, Instant, OutgoingLimits, ProtocolVersion, SessionChange,
    SessionIdentity, SessionJournal, SessionKeeper, StoreOperation, StoredSession,
};

use super::{Output, State, Supervisor, message};
use crate::{Event, Options, Persistence, Status, StopReason, StoreError};

/// A session of the supervisor's that is kept, or is to be.
#[derive(Debug)]
pub(super) struct Keeping {
    pub(super) persistence: Persistence,
    /// Of the broker as the application named it, wherever that sent us.
    address: String,
    /// Whether the last CONNECT was only to make the Server forget an earlier session.
    pub(super) is_clearing: bool,
}

impl Keeping {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            persistence: match options.session_store {
                Some(_) => Persistence::Loading,
                None => Persistence::None,
            },
            address: options.url.clone(),
            is_clearing: false,
        }
    }

    pub(super) fn is_loading(&self) -> bool {
        self.persistence == Persistence::Loading
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self.persistence, Persistence::Kept { .. })
    }
}

/// Who keeps the session, wherever it is.
pub(super) fn keeper<'a>(
    state: &'a mut State,
    session: &'a mut ClientSession,
) -> Option<&'a mut (dyn SessionKeeper + 'static)> {
    if let State::Open { connection, .. } = state {
        connection.keeper_mut()
    } else {
        session.keeper.as_deref_mut()
    }
}

impl Supervisor {
    pub(crate) fn persistence(&self) -> &Persistence {
        &self.keeping.persistence
    }

    /// Goes on with what an earlier page left, and connects.
    pub(crate) fn restore(
        &mut self,
        records: Vec<(u64, Bytes)>,
        wall_clock_at_start: Duration,
        now: Instant,
    ) {
        let limits = OutgoingLimits {
            queue_len_max: self.options.limits.queue_len_max,
            ..OutgoingLimits::default()
        };
        let mut keeper = Box::new(SessionJournal::new(wall_clock_at_start));
        let mut stored = StoredSession::read(&records, wall_clock_at_start, limits);
        let mut n_discarded = stored.n_corrupt;
        if !stored.identity.as_ref().is_none_or(|it| self.is_ours(it)) {
            n_discarded += stored.n_messages();
            stored = StoredSession::read(&[], wall_clock_at_start, limits);
            for (key, _) in &records {
                keeper.forget(*key);
            }
        }
        let n_restored = stored.n_messages();
        let identity = stored.identity.take();
        self.publications.restore(&mut stored);
        if let Some(identity) = identity {
            // What one version of MQTT kept is none of the other's.
            if identity.protocol_level == self.protocol_level() {
                self.server = identity.server;
            }
            if self.client_identifier.is_empty() {
                self.client_identifier = identity.client_identifier.into();
            }
        }
        self.session = ClientSession {
            is_established: !self.server.is_empty(),
            exchanges: stored.exchanges,
            keeper: None,
        };
        self.publications.note_all(&mut *keeper);
        self.session.keeper = Some(keeper);
        self.set_persistence(Persistence::Kept {
            n_restored,
            n_discarded,
        });
        self.note_identity();
        self.begin(now);
    }

    /// Connects without anything of an earlier page.
    pub(crate) fn handle_load_failed(&mut self, error: StoreError, now: Instant) {
        // What is stored but cannot be read must find no session when it can be: it would be of another past.
        self.options.session_expiry_interval_secs = 0;
        let is_in_use = error == StoreError::InUse;
        self.set_persistence(Persistence::Lost(error));
        if is_in_use {
            self.stop(StopReason::SessionInUse);
        } else {
            self.begin(now);
        }
    }

    /// What a store has to do since the last call, in this order.
    pub(crate) fn take_store_operations(&mut self) -> Vec<StoreOperation> {
        self.keeper()
            .map(SessionKeeper::take_operations)
            .unwrap_or_default()
    }

    /// How many operations there were so far, those of the last call included.
    pub(crate) fn store_sequence(&mut self) -> u64 {
        self.keeper().map_or(0, |keeper| keeper.sequence())
    }

    /// Does what waited for this many operations to be durable.
    pub(crate) fn handle_stored(&mut self, sequence: u64, now: Instant) {
        if let State::Open { connection, .. } = &mut self.state {
            connection.handle_stored(sequence, now);
            self.drain(now);
        } else if let Some(keeper) = &mut self.session.keeper {
            keeper.handle_stored(sequence);
            self.release();
        }
    }

    /// Goes on without a store.
    pub(crate) fn handle_store_failed(&mut self, error: StoreError, now: Instant) {
        if !self.keeping.is_kept() {
            return;
        }
        self.set_persistence(Persistence::Lost(error));
        if let State::Open { connection, .. } = &mut self.state {
            connection.handle_store_failed(now);
            self.drain(now);
        } else if let Some(keeper) = &mut self.session.keeper {
            keeper.handle_store_failed();
            self.release();
            self.session.keeper = None;
        }
    }

    /// Makes the first attempt.
    fn begin(&mut self, now: Instant) {
        if !matches!(self.status, Status::Stopped { .. }) {
            self.attempt(now);
        }
    }

    /// Takes note of whose session this is.
    pub(super) fn note_identity(&mut self) {
        if !self.keeping.is_kept() {
            return;
        }
        let identity = SessionIdentity {
            address: self.keeping.address.clone(),
            server: self.server.clone(),
            client_identifier: self.client_identifier.to_string(),
            protocol_level: self.protocol_level(),
        };
        if let Some(keeper) = self.keeper() {
            keeper.note(SessionChange::Identity(&identity));
        }
    }

    fn keeper(&mut self) -> Option<&mut (dyn SessionKeeper + 'static)> {
        keeper(&mut self.state, &mut self.session)
    }

    /// Gives messages that waited for the store while there is no connection.
    fn release(&mut self) {
        while let Some(held) = self
            .session
            .keeper
            .as_mut()
            .and_then(|keeper| keeper.release())
        {
            if let Held::Event(ClientEvent::Message(publish)) = held
                && let Some(message) = message(publish)
            {
                let event = Event::Message(message);
                self.outputs.push_back(Output::Event(event));
            }
        }
    }

    fn is_ours(&self, identity: &SessionIdentity) -> bool {
        let client_identifier = &self.options.client_identifier;
        identity.address == self.keeping.address
            && (client_identifier.is_empty() || *client_identifier == identity.client_identifier)
    }

    fn protocol_level(&self) -> u8 {
        match self.options.protocol_version {
            ProtocolVersion::V3_1_1 => 4,
            ProtocolVersion::V5_0 => 5,
        }
    }

    fn set_persistence(&mut self, persistence: Persistence) {
        self.keeping.persistence = persistence.clone();
        let event = Event::Persistence(persistence);
        self.outputs.push_back(Output::Event(event));
    }
}
