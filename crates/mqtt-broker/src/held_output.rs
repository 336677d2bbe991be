//! Output that must not go out before the store has what it acknowledges.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
};

use mqtt_broker_core::ConnectionId;

use crate::{OutputLimits, connection::Connection, flush_list::FlushList, websocket::CloseCode};

/// What waits, connection by connection. Those that wait for nothing are not in it.
#[derive(Debug, Default)]
pub(crate) struct HeldOutput {
    by_connection: BTreeMap<ConnectionId, Held>,
    /// Empty queues for those that wait next. To make one for each of many short waits would leave holes between the
    /// messages that come meanwhile and stay.
    spare: Vec<Chunks>,
}

#[derive(Debug)]
struct Held {
    connection: Arc<Connection>,
    /// In the order of the wire: how many store operations must be durable first, and the bytes.
    chunks: Chunks,
    /// Set if the connection is to be closed behind them.
    close: Option<CloseCode>,
}

type Chunks = VecDeque<(u64, Vec<u8>)>;

impl HeldOutput {
    /// Whether something of this connection waits, so that all that follows waits too.
    pub(crate) fn contains(&self, id: ConnectionId) -> bool {
        self.by_connection.contains_key(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_connection.is_empty()
    }

    /// Lets bytes wait; tells whether their Client falls behind with them.
    #[must_use]
    pub(crate) fn push(
        &mut self,
        connection: &Arc<Connection>,
        after: u64,
        bytes: Vec<u8>,
        limits: &OutputLimits,
    ) -> bool {
        let falls_behind = connection.hold(bytes.len(), limits);
        let spare = &mut self.spare;
        let held = self
            .by_connection
            .entry(connection.id)
            .or_insert_with(|| Held {
                connection: Arc::clone(connection),
                chunks: spare.pop().unwrap_or_default(),
                close: None,
            });
        held.chunks.push_back((after, bytes));
        falls_behind
    }

    /// Closes a connection behind what waits; tells whether something does.
    #[must_use]
    pub(crate) fn close(&mut self, id: ConnectionId, code: CloseCode) -> bool {
        let held = self.by_connection.get_mut(&id);
        held.map(|held| held.close = Some(code)).is_some()
    }

    /// The connection is gone, and with it what waited.
    pub(crate) fn forget(&mut self, id: ConnectionId) {
        self.by_connection.remove(&id);
    }

    /// Lets what waited for no more than this many operations go out. The result are Clients that fell behind.
    /// Memory that is left over goes to `recycle`.
    pub(crate) fn release(
        &mut self,
        n_durable: u64,
        limits: &OutputLimits,
        flushes: &mut FlushList,
        mut recycle: impl FnMut(Vec<u8>),
    ) -> Vec<ConnectionId> {
        let mut fell_behind = Vec::new();
        let spare = &mut self.spare;
        self.by_connection.retain(|id, held| {
            let connection = &held.connection;
            let mut must_flush = false;
            while held
                .chunks
                .front()
                .is_some_and(|(after, _)| *after <= n_durable)
                && let Some((_, mut bytes)) = held.chunks.pop_front()
            {
                connection.release(bytes.len());
                let appended = connection.append(&mut bytes, limits);
                recycle(bytes);
                must_flush |= appended.must_flush;
                if appended.fell_behind {
                    fell_behind.push(*id);
                }
            }
            let is_done = held.chunks.is_empty();
            if let Some(code) = held.close.filter(|_| is_done) {
                must_flush |= connection.close(code);
            }
            if must_flush {
                flushes.push(Arc::clone(connection));
            }
            if is_done && spare.len() < N_SPARE_MAX && held.chunks.capacity() <= SPARE_LEN_MAX {
                spare.push(mem::take(&mut held.chunks));
            }
            !is_done
        });
        fell_behind
    }

    /// The store takes nothing: forgets what waits. The result are connections whose Clients must hear of it.
    pub(crate) fn abandon(&mut self, flushes: &mut FlushList) -> Vec<ConnectionId> {
        let mut open = Vec::new();
        for (id, held) in mem::take(&mut self.by_connection) {
            let n_bytes = held.chunks.iter().map(|(_, bytes)| bytes.len()).sum();
            held.connection.release(n_bytes);
            match held.close {
                None => open.push(id),
                Some(code) => {
                    if held.connection.close(code) {
                        flushes.push(held.connection);
                    }
                }
            }
        }
        open
    }
}

/// As many as often wait for one commit.
const N_SPARE_MAX: usize = 1_000;

/// A longer queue is rare, and its memory is given back.
const SPARE_LEN_MAX: usize = 16;
