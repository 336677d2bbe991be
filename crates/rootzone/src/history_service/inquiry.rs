//! One request being answered, message by message.

use std::{collections::VecDeque, mem, sync::Arc, vec};

use history::{Columns, QueryError, SeriesId};
use mqtt_broker::{Action, ConnectionId, Server, store::StoreReader};
use mqtt_protocol::{TopicFilter, TopicName};

use super::{
    answer::{self, Kept, List, Rows},
    request::{Asked, Window},
    shared::Shared,
    store::ViewReader,
};

/// What was asked, and how far it is answered. Between two messages it holds the rows of one series at most.
pub(super) struct Inquiry {
    asker: Asker,
    progress: Progress,
}

/// Who asks, and where it is looked up.
pub(super) struct Asker {
    pub(super) shared: Arc<Shared>,
    pub(super) reader: StoreReader,
    pub(super) server: Server,
    pub(super) connection: ConnectionId,
    /// Readings and rows that the request may decode.
    pub(super) work_max: u64,
    /// Bytes of a body.
    pub(super) len_max: usize,
    /// Whether the request is counted as a bad one.
    pub(super) is_bad: bool,
}

enum Progress {
    Window {
        window: Window,
        /// Those that are not begun.
        names: vec::IntoIter<String>,
        /// What is not said yet of the one that is.
        rows: Option<Box<Rows>>,
    },
    List {
        filter: TopicFilter,
        /// Up to which name it was looked; `None` if there are no others.
        after: Option<String>,
        /// What is not said yet.
        found: VecDeque<Found>,
    },
}

struct Found {
    name: String,
    kept: Kept,
}

/// One message of an answer, and whether others follow.
pub(super) struct Part {
    pub(super) body: String,
    pub(super) more: bool,
}

impl Inquiry {
    pub(super) fn new(asker: Asker, asked: Asked) -> Self {
        let progress = match asked {
            Asked::Window(mut window) => Progress::Window {
                names: mem::take(&mut window.series).into_iter(),
                window,
                rows: None,
            },
            Asked::List(filter) => Progress::List {
                filter,
                after: Some(String::new()),
                found: VecDeque::new(),
            },
        };
        Self { asker, progress }
    }

    /// Finds out what the next message says, for which at most one series is read.
    pub(super) fn next_part(&mut self) -> Part {
        match &mut self.progress {
            Progress::Window {
                window,
                names,
                rows,
            } => self.asker.next_rows(window, names, rows),
            Progress::List {
                filter,
                after,
                found,
            } => self.asker.next_names(filter, after, found),
        }
    }
}

impl Asker {
    fn next_rows(
        &mut self,
        window: &Window,
        names: &mut vec::IntoIter<String>,
        rows: &mut Option<Box<Rows>>,
    ) -> Part {
        let begun = match rows.take() {
            Some(begun) => Ok(begun),
            None => self.begin(&names.next().unwrap_or_default(), window),
        };
        let body = match begun {
            Ok(mut begun) => {
                let body = begun.next_body(self.len_max);
                *rows = Some(begun).filter(|rows| !rows.is_done());
                body
            }
            Err(error) => error,
        };
        let more = rows.is_some() || names.len() > 0;
        Part { body, more }
    }

    /// Reads a series, or says what is wrong.
    fn begin(&mut self, name: &str, window: &Window) -> Result<Box<Rows>, String> {
        let id = self.shared.lock().find(name);
        let id = id.filter(|_| self.may_read(name));
        let found = match id {
            Some(id) => self.columns(id, window).map_err(|error| error.to_string()),
            None => Err(NO_SERIES.to_owned()),
        };
        match found {
            Ok(columns) => Ok(Box::new(Rows::new(name, columns))),
            Err(reason) => {
                self.count_bad();
                Err(answer::error(Some(name), &reason))
            }
        }
    }

    /// However many of its series are wrong, it is one request.
    fn count_bad(&mut self) {
        if !mem::replace(&mut self.is_bad, true) {
            self.shared.bad_requests.add(1);
        }
    }

    fn columns(&self, id: SeriesId, window: &Window) -> Result<Columns, QueryError> {
        let query = window.query(vec![id]);
        let mut n_left = N_PLANS_MAX;
        loop {
            // Each by itself, so that nobody waits for long who has a reading.
            let plan = self.shared.lock().plan_within(&query, self.work_max)?;
            let mut view = ViewReader(self.reader.view());
            let columns = plan.run(&mut view).next();
            let columns = columns.ok_or(QueryError::UnknownSeries)?;
            n_left -= 1;
            if n_left == 0 || !columns.is_outdated() {
                return Ok(columns);
            }
        }
    }

    fn next_names(
        &self,
        filter: &TopicFilter,
        after: &mut Option<String>,
        found: &mut VecDeque<Found>,
    ) -> Part {
        let mut list = List::new(self.len_max);
        loop {
            while let Some(Found { name, kept }) = found.front() {
                if !list.add(name, kept) {
                    let is_hopeless = list.is_empty();
                    return Part {
                        body: match is_hopeless {
                            true => answer::too_small(name, self.len_max),
                            false => list.finish(),
                        },
                        more: !is_hopeless,
                    };
                }
                found.pop_front();
            }
            let Some(before) = after.take() else {
                let body = list.finish();
                return Part { body, more: false };
            };
            *after = self.look_further(filter, &before, found);
        }
    }

    /// Looks at the names behind `before`; gives the last one, if there may be others.
    fn look_further(
        &self,
        filter: &TopicFilter,
        before: &str,
        found: &mut VecDeque<Found>,
    ) -> Option<String> {
        // Few at once, so that nobody waits for long who has a reading, and none is compared meanwhile.
        let names: Vec<(String, Option<Kept>)> = {
            let history = self.shared.lock();
            let names = history.series_after(before).take(N_NAMES_AT_ONCE);
            let kept = |id| {
                Some(Kept {
                    span: history.span(id)?,
                    usual_step: history.usual_step(id),
                })
            };
            names
                .map(|(name, id)| (name.to_owned(), kept(id)))
                .collect()
        };
        let last = names.last().map(|(name, _)| name.clone());
        for (name, kept) in names {
            let Ok(topic) = TopicName::new(name) else {
                continue;
            };
            let name = topic.as_str();
            if let Some(kept) = kept
                && filter.matches(&topic)
                && self.may_read(name)
            {
                let name = name.to_owned();
                found.push_back(Found { name, kept });
            }
        }
        last
    }

    /// What is not allowed is not there either.
    fn may_read(&self, name: &str) -> bool {
        self.server
            .is_authorized(self.connection, Action::Receive(name))
    }
}

const NO_SERIES: &str = "there is no such series; {\"list\":\"#\"} asks which there are";
/// A chunk can be written anew between two plans, but not again and again.
const N_PLANS_MAX: usize = 5;
const N_NAMES_AT_ONCE: usize = 256;
