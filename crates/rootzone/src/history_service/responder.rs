//! Requests wait here for their turn, and are answered.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use mqtt_broker::{
    Action, ConnectionId, Refusal, Request, Responded, Responder, Response, Server,
    store::StoreReader,
};
use mqtt_protocol::{ReasonCode, TopicName};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};

use super::{
    answer::{self, Header},
    inquiry::{Asker, Inquiry, Part},
    limits::HistoryLimits,
    request::{Asked, Mistake, Question},
    shared::Shared,
};

/// Takes requests for the history. Those of one client are answered one after the other.
#[derive(Debug)]
pub(super) struct Queue(Arc<Desk>);

struct Desk {
    shared: Arc<Shared>,
    reader: StoreReader,
    limits: HistoryLimits,
    server: Server,
    waiting: Mutex<Waiting>,
    /// For those whose answers are on their way, each with the rows of a series in memory.
    places: Semaphore,
    /// For those who have one of them, each until its next message is found; nobody who does not read keeps one.
    turns: Semaphore,
}

/// The requests that wait.
#[derive(Default)]
struct Waiting {
    /// An entry stands for a task that serves the client.
    by_client: HashMap<ConnectionId, VecDeque<Request>>,
    n: usize,
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
            places: Semaphore::new(limits.answers_at_once),
            turns: Semaphore::new(limits.requests_at_once),
        }))
    }
}

impl Responder for Queue {
    fn topic(&self) -> &str {
        TOPIC
    }

    fn accept(&mut self, request: Request) -> Result<(), Refusal> {
        let desk = &self.0;
        let connection = request.connection;
        let mut waiting = desk.waiting();
        let queue = waiting.by_client.get(&connection);
        let is_first = queue.is_none();
        if queue.map_or(0, VecDeque::len) >= desk.limits.requests_per_client
            || waiting.n >= desk.limits.requests
        {
            return Err(Refusal {
                reason_code: ReasonCode::QuotaExceeded,
                reason: "too many requests are under way",
            });
        }
        waiting.push(detached(&request, desk.limits.request_bytes));
        if is_first {
            let desk = Arc::clone(desk);
            tokio::spawn(async move { desk.serve(connection).await });
        }
        Ok(())
    }
}

impl Waiting {
    fn push(&mut self, request: Request) {
        let queue = self.by_client.entry(request.connection).or_default();
        queue.push_back(request);
        self.n += 1;
    }

    /// The next request of a client, who is forgotten if there is none.
    fn pop(&mut self, client: ConnectionId) -> Option<Request> {
        let request = self.by_client.get_mut(&client)?.pop_front();
        match request {
            Some(_) => self.n -= 1,
            None => self.forget(client),
        }
        request
    }

    fn forget(&mut self, client: ConnectionId) {
        let queue = self.by_client.remove(&client);
        self.n -= queue.map_or(0, |queue| queue.len());
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
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one client until nothing of it waits.
    async fn serve(self: Arc<Self>, client: ConnectionId) {
        while let Some(_place) = self.place(client).await {
            let Some(request) = self.next(client) else {
                return;
            };
            if self.answer(request).await == Responded::Later {
                break;
            }
        }
        // It has gone, may not ask any more, or does not read: for what else it asked nobody waits.
        self.waiting().forget(client);
    }

    fn next(&self, client: ConnectionId) -> Option<Request> {
        self.waiting().pop(client)
    }

    /// Waits for a place, as long as the client is there and may ask.
    async fn place(&self, client: ConnectionId) -> Option<SemaphorePermit<'_>> {
        let mut place = pin!(self.places.acquire());
        while self.server.is_authorized(client, Action::Publish(TOPIC)) {
            if let Ok(place) = timeout(LOOK_AGAIN_AFTER, &mut place).await {
                return place.ok();
            }
        }
        None
    }

    /// What became of the last message that was tried.
    async fn answer(&self, request: Request) -> Responded {
        let Request { connection, .. } = request;
        let now = self.shared.now();
        let question = Question::parse(&request.payload, self.limits.request_bytes, now);
        let topic_name = request.response_topic.or(question.response);
        let is_reachable = |topic: &TopicName| self.server.is_reachable(connection, topic);
        let Some(topic_name) = topic_name.filter(is_reachable) else {
            self.shared.bad_requests.add(1);
            return Responded::Refused;
        };
        let header = Header::new(question.id.as_deref(), now);
        let correlation_len = request.correlation_data.as_ref().map_or(0, Bytes::len);
        let overhead = header.len_max() + topic_name.as_str().len() + correlation_len + PACKET_LEN;
        let len_max = (request.packet_size_max as usize)
            .min(self.limits.answer_bytes)
            .saturating_sub(overhead);
        let mut answering = Answering {
            desk: self,
            connection,
            topic_name,
            correlation_data: request.correlation_data,
            header,
            n_parts: 0,
            patience: Instant::now() + PATIENCE_WITH_ALL,
        };
        match self.check(question.asked) {
            Ok(asked) => {
                self.shared.requests.add(1);
                let asker = self.asker(connection, &asked, len_max);
                self.find(Inquiry::new(asker, asked), &mut answering).await
            }
            Err(mistake) => {
                self.shared.bad_requests.add(1);
                let body = answer::error(None, &mistake);
                answering.send(Part { body, more: false }).await
            }
        }
    }

    /// What is wrong with all of a request is said once, before its first series.
    fn check(&self, asked: Result<Asked, Mistake>) -> Result<Asked, String> {
        let asked = asked.and_then(|asked| asked.within(self.limits.series_per_request));
        let asked = asked.map_err(|mistake| mistake.to_string())?;
        if let Asked::Window(window) = &asked {
            let checked = self.shared.lock().check(&window.query(Vec::new()));
            checked.map_err(|error| error.to_string())?;
        }
        Ok(asked)
    }

    fn asker(&self, connection: ConnectionId, asked: &Asked, len_max: usize) -> Asker {
        let n_series = match asked {
            Asked::Window(window) => window.series.len(),
            Asked::List(_) => 1,
        };
        Asker {
            shared: Arc::clone(&self.shared),
            reader: self.reader.clone(),
            server: self.server.clone(),
            connection,
            work_max: self.limits.work_per_request / n_series.max(1) as u64,
            len_max,
            is_bad: false,
        }
    }

    /// Finds and sends message by message.
    async fn find(&self, mut inquiry: Inquiry, answering: &mut Answering<'_>) -> Responded {
        loop {
            let found = {
                // One after the other: who asks much has its turn for each message anew.
                let _turn = self.turns.acquire().await;
                spawn_blocking(move || {
                    let part = inquiry.next_part();
                    (inquiry, part)
                })
                .await
            };
            // A panic in it is logged by itself and costs this one answer.
            let Ok((rest, part)) = found else {
                return Responded::Refused;
            };
            inquiry = rest;
            let more = part.more;
            let responded = answering.send(part).await;
            if !more || responded != Responded::Sent {
                return responded;
            }
        }
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
    /// Until when it is waited for the client.
    patience: Instant,
}

impl Answering<'_> {
    /// Sends the next message as soon as the client takes it.
    async fn send(&mut self, Part { body, more }: Part) -> Responded {
        let message = self.header.message(self.n_parts, more, &body);
        self.n_parts += 1;
        let response = Response {
            topic_name: self.topic_name.clone(),
            correlation_data: self.correlation_data.clone(),
            payload: Bytes::from(message),
        };
        let n_bytes = response.payload.len() as u64;
        let patience = self.patience.min(Instant::now() + PATIENCE);
        loop {
            let server = &self.desk.server;
            let responded = server.respond(self.connection, response.clone()).await;
            if responded == Responded::Later && Instant::now() < patience {
                sleep(AGAIN_AFTER).await;
                continue;
            }
            if responded == Responded::Sent {
                self.desk.shared.answer_bytes.add(n_bytes);
            }
            return responded;
        }
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

const TOPIC: &str = "rootzone/history/get";
/// What a PUBLISH adds to its topic, Correlation Data and payload: the header, lengths, Subscription Identifiers.
const PACKET_LEN: usize = 64;
/// For a client that does not read …
const PATIENCE: Duration = Duration::from_secs(10);
/// … and for one that reads slowly.
const PATIENCE_WITH_ALL: Duration = Duration::from_secs(60);
const AGAIN_AFTER: Duration = Duration::from_millis(10);
/// Whether who waits for a place is still there.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
