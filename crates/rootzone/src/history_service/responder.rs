//! Requests wait here for their turn, and are answered.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use history::{Columns, Query, QueryError, SeriesId};
use mqtt_broker::{
    Action, ConnectionId, Request, Responded, Responder, Response, Server, store::StoreReader,
};
use mqtt_protocol::{ReasonCode, TopicFilter, TopicName};
use tokio::{
    sync::{Semaphore, SemaphorePermit, mpsc},
    task::spawn_blocking,
    time::sleep,
};

use super::{
    answer::{self, Header},
    limits::HistoryLimits,
    request::{Asked, Question, Window},
    shared::Shared,
    store::ViewReader,
};

/// Takes requests for the history. Those of one client are answered one after the other.
#[derive(Debug)]
pub(super) struct Queue(Arc<Desk>);

struct Desk {
    shared: Arc<Shared>,
    reader: StoreReader,
    limits: HistoryLimits,
    server: Server,
    /// Of clients of whom one is being answered.
    waiting: Mutex<HashMap<ConnectionId, VecDeque<Request>>>,
    /// For each answer that is on its way, also to a client that is slow.
    places: Semaphore,
    /// For each answer that is worked on.
    turns: Semaphore,
}

/// What is found out apart from the tasks of connections.
struct Inquiry {
    desk: Arc<Desk>,
    connection: ConnectionId,
    asked: Asked,
    len_max: usize,
}

impl Queue {
    pub(super) fn new(
        shared: Arc<Shared>,
        reader: StoreReader,
        limits: HistoryLimits,
        server: Server,
    ) -> Self {
        Self(Arc::new(Desk {
            shared,
            reader,
            limits,
            server,
            waiting: Mutex::default(),
            places: Semaphore::new(limits.requests_at_once.max(ANSWERS_AT_ONCE)),
            turns: Semaphore::new(limits.requests_at_once),
        }))
    }
}

impl Responder for Queue {
    fn topic(&self) -> &str {
        TOPIC
    }

    fn accept(&mut self, request: Request) -> Result<(), ReasonCode> {
        let desk = &self.0;
        let connection = request.connection;
        let mut waiting = desk.waiting();
        let is_first = !waiting.contains_key(&connection);
        let queue = waiting.entry(connection).or_default();
        if queue.len() >= desk.limits.requests_per_client {
            return Err(ReasonCode::QuotaExceeded);
        }
        queue.push_back(detached(&request, desk.limits.request_bytes));
        if is_first {
            let desk = Arc::clone(desk);
            tokio::spawn(async move { desk.serve(connection).await });
        }
        Ok(())
    }
}

/// In memory of its own: it waits while others are answered. Of one that is too long, as much as shows that it is.
fn detached(request: &Request, len_max: usize) -> Request {
    let len = request.payload.len().min(len_max + 1);
    let correlation_data = request.correlation_data.as_ref();
    Request {
        connection: request.connection,
        packet_size_max: request.packet_size_max,
        response_topic: request.response_topic.as_ref().map(TopicName::detached),
        correlation_data: correlation_data.map(|data| Bytes::copy_from_slice(data)),
        payload: Bytes::copy_from_slice(&request.payload[..len]),
    }
}

impl Desk {
    fn waiting(&self) -> MutexGuard<'_, HashMap<ConnectionId, VecDeque<Request>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one client until nothing of it waits.
    async fn serve(self: Arc<Self>, connection: ConnectionId) {
        while let Some(request) = self.next(connection) {
            // One after the other, whoever asked first: a client that asks much has no more than its turn.
            let Ok(_place) = self.places.acquire().await else {
                return;
            };
            let Ok(turn) = self.turns.acquire().await else {
                return;
            };
            // Who has gone, or may not ask any more, causes no work.
            let action = Action::Publish(TOPIC);
            if self.server.is_authorized(connection, action) {
                self.answer(request, turn).await;
            }
        }
    }

    fn next(&self, connection: ConnectionId) -> Option<Request> {
        let mut waiting = self.waiting();
        let request = waiting.get_mut(&connection)?.pop_front();
        if request.is_none() {
            waiting.remove(&connection);
        }
        request
    }

    async fn answer(self: &Arc<Self>, request: Request, turn: SemaphorePermit<'_>) {
        let now = self.shared.now();
        let question = Question::parse(&request.payload, self.limits.request_bytes, now);
        let Some(topic_name) = request.response_topic.or(question.response) else {
            self.shared.bad_requests.add(1);
            return;
        };
        let header = Header::new(question.id.as_deref(), now);
        let correlation_len = request.correlation_data.as_ref().map_or(0, Bytes::len);
        let overhead = header.len_max() + topic_name.as_str().len() + correlation_len + PACKET_LEN;
        let len_max = (request.packet_size_max as usize)
            .min(self.limits.answer_bytes)
            .saturating_sub(overhead);
        let mut answering = Answering {
            desk: self,
            connection: request.connection,
            topic_name,
            correlation_data: request.correlation_data,
            header,
            n_parts: 0,
            turn: Some(turn),
            patience: PATIENCE,
        };
        let asked = match question.asked {
            Ok(asked) => asked,
            Err(mistake) => {
                self.shared.bad_requests.add(1);
                let body = answer::error(None, &mistake.to_string());
                answering.send(&body, false).await;
                return;
            }
        };
        self.shared.requests.add(1);
        let inquiry = Inquiry {
            desk: Arc::clone(self),
            connection: request.connection,
            asked,
            len_max,
        };
        let (bodies, mut found) = mpsc::channel(BODIES_AHEAD);
        let work =
            spawn_blocking(move || inquiry.run(&mut |body| bodies.blocking_send(body).is_ok()));
        // One is held back, as it is to be known of each whether more follow.
        let mut held = found.recv().await;
        while let Some(body) = held.take() {
            held = found.recv().await;
            if !answering.send(&body, held.is_some()).await {
                break;
            }
        }
        drop(found);
        // It ends when nobody listens; a panic in it is logged by itself and costs this one answer.
        let _ = work.await;
    }
}

/// One answer on its way.
struct Answering<'a> {
    desk: &'a Desk,
    connection: ConnectionId,
    topic_name: TopicName,
    correlation_data: Option<Bytes>,
    header: Header,
    n_parts: u64,
    /// Given up while the client is slow.
    turn: Option<SemaphorePermit<'a>>,
    /// For how long the client may still be slow.
    patience: Duration,
}

impl Answering<'_> {
    /// Sends the next message as soon as the client takes it; tells whether it makes sense to send more.
    async fn send(&mut self, body: &str, more: bool) -> bool {
        let message = self.header.message(self.n_parts, more, body);
        self.n_parts += 1;
        let response = Response {
            topic_name: self.topic_name.clone(),
            correlation_data: self.correlation_data.clone(),
            payload: Bytes::from(message),
        };
        let n_bytes = response.payload.len() as u64;
        loop {
            let responded = self.desk.server.respond(self.connection, response.clone());
            match responded.await {
                Responded::Sent => {
                    self.desk.shared.answer_bytes.add(n_bytes);
                    if self.turn.is_none() {
                        self.turn = self.desk.turns.acquire().await.ok();
                    }
                    return true;
                }
                Responded::Later if !self.patience.is_zero() => {
                    self.turn = None;
                    self.patience = self.patience.saturating_sub(AGAIN_AFTER);
                    sleep(AGAIN_AFTER).await;
                }
                Responded::Later | Responded::Refused => return false,
            }
        }
    }
}

type Give<'a> = dyn FnMut(String) -> bool + 'a;

impl Inquiry {
    /// Gives the bodies of the answer as long as they are taken.
    fn run(self, give: &mut Give<'_>) {
        match &self.asked {
            Asked::List(filter) => {
                for body in self.list(filter) {
                    if !give(body) {
                        return;
                    }
                }
            }
            Asked::Window(window) => self.window(window, give),
        }
    }

    fn list(&self, filter: &TopicFilter) -> Vec<String> {
        let found: Vec<(String, (i64, i64))> = {
            let history = self.desk.shared.lock();
            let all = history.series();
            let matching = all.filter(|(name, _)| {
                let topic = TopicName::new((*name).to_owned());
                topic.is_ok_and(|topic| filter.matches(&topic))
            });
            matching
                .filter_map(|(name, id)| Some((name.to_owned(), history.span(id)?)))
                .collect()
        };
        let allowed = found.iter().filter(|(name, _)| self.may_read(name));
        let allowed = allowed.map(|(name, span)| (name.as_str(), *span));
        answer::list(allowed, self.len_max)
    }

    fn window(&self, window: &Window, give: &mut Give<'_>) {
        let limit = self.desk.limits.series_per_request;
        if window.series.len() > limit {
            let error = QueryError::TooManySeries { limit };
            self.bad(None, &error.to_string(), give);
            return;
        }
        if window.series.is_empty() {
            self.bad(None, "series is an empty list", give);
            return;
        }
        for name in &window.series {
            if !self.series(name, window, give) {
                return;
            }
        }
    }

    fn series(&self, name: &str, window: &Window, give: &mut Give<'_>) -> bool {
        let id = self.desk.shared.lock().find(name);
        let Some(id) = id.filter(|_| self.may_read(name)) else {
            return give(answer::error(Some(name), NO_SERIES));
        };
        match self.columns(id, window) {
            Ok(columns) => {
                let bodies = answer::window(name, &columns, self.len_max);
                bodies.into_iter().all(give)
            }
            Err(error) => self.bad(Some(name), &error.to_string(), give),
        }
    }

    fn columns(&self, id: SeriesId, window: &Window) -> Result<Columns, QueryError> {
        let shared = &self.desk.shared;
        let query = Query {
            series: vec![id],
            from: window.from,
            to: window.to,
            points: window.points,
        };
        let share = self.desk.limits.work_per_request / window.series.len().max(1) as u64;
        let mut n_left = N_PLANS_MAX;
        loop {
            // Each by itself, so that nobody waits for long who has a reading.
            let plan = shared.lock().plan_within(&query, share)?;
            let mut view = ViewReader(self.desk.reader.view());
            let columns = plan.run(&mut view).next();
            let columns = columns.ok_or(QueryError::UnknownSeries)?;
            n_left -= 1;
            if n_left == 0 || !columns.is_outdated() {
                return Ok(columns);
            }
        }
    }

    /// What is not allowed is not there either.
    fn may_read(&self, name: &str) -> bool {
        let server = &self.desk.server;
        server.is_authorized(self.connection, Action::Receive(name))
    }

    fn bad(&self, series: Option<&str>, reason: &str, give: &mut Give<'_>) -> bool {
        self.desk.shared.bad_requests.add(1);
        give(answer::error(series, reason))
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

const TOPIC: &str = "rootzone/history/get";
const NO_SERIES: &str = "there is no such series; {\"list\":\"#\"} asks which there are";
/// What a PUBLISH adds to its topic, Correlation Data and payload: the header, lengths, Subscription Identifiers.
const PACKET_LEN: usize = 64;
/// Found while others are sent.
const BODIES_AHEAD: usize = 2;
/// A chunk can be written anew between two plans, but not again and again.
const N_PLANS_MAX: usize = 5;
/// Each takes a thread of those that the store needs too.
const ANSWERS_AT_ONCE: usize = 64;
/// For a client that does not read, in all parts of an answer together.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN_AFTER: Duration = Duration::from_millis(10);
