//! What the clients saw, and whether it may be so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The facts that the clients told, in the order in which each of them did.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    connections_by_client: BTreeMap<String, u64>,
    /// By topic; the messages of one are numbered from 0.
    sent: BTreeMap<String, Vec<Sent>>,
    /// By subscriber and topic, in the order in which they came.
    received: BTreeMap<(String, String), Vec<Received>>,
    /// What must not be, as far as it can be told at once.
    faults: Vec<String>,
}

/// A message of a publisher, who numbers its connections.
#[derive(Debug)]
struct Sent {
    on_connection: u64,
    acknowledged_on: Option<u64>,
}

impl Sent {
    /// Whether the broker may have passed it on before it had stored it.
    fn may_have_been_sent_again(&self) -> bool {
        self.acknowledged_on != Some(self.on_connection)
    }
}

#[derive(Debug, Clone, Copy)]
struct Received {
    n: usize,
    qos: u8,
    packet_identifier: u16,
    dup: bool,
}

/// How much a test has seen.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) n_connections: u64,
    pub(crate) n_sent: usize,
    pub(crate) n_acknowledged: usize,
    pub(crate) n_received: usize,
    /// Repetitions on the same session with DUP and the same Packet Identifier.
    pub(crate) n_redelivered: usize,
    /// Repetitions because the publisher had no acknowledgement.
    pub(crate) n_published_twice: usize,
    pub(crate) n_lost: usize,
    pub(crate) n_duplicated: usize,
}

impl Ledger {
    /// Reads one line of the clients, see `clients.py`.
    pub(crate) fn note(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["c", client, present] => {
                let n = self.connections_by_client.entry(client.into()).or_default();
                *n += 1;
                if (present == "1") != (*n > 1) {
                    self.faults.push(format!(
                        "connection {n} of {client}: session present {present}"
                    ));
                }
            }
            ["s", _, topic, n, connection] => {
                let sent = self.sent.entry(topic.into()).or_default();
                assert_eq!(
                    sent.len().to_string(),
                    n,
                    "the number of a message of {topic}"
                );
                sent.push(Sent {
                    on_connection: connection.parse().unwrap(),
                    acknowledged_on: None,
                });
            }
            ["a", _, topic, n, connection] => {
                let sent = &mut self.sent.get_mut(topic).unwrap()[n.parse::<usize>().unwrap()];
                sent.acknowledged_on = Some(connection.parse().unwrap());
            }
            ["r", subscriber, topic, n, qos, packet_identifier, dup] => {
                let received = self.received.entry((subscriber.into(), topic.into()));
                received.or_default().push(Received {
                    n: n.parse().unwrap(),
                    qos: qos.parse().unwrap(),
                    packet_identifier: packet_identifier.parse().unwrap(),
                    dup: dup == "1",
                });
            }
            _ => self.faults.push(line.into()),
        }
    }

    pub(crate) fn n_connections(&self) -> u64 {
        self.connections_by_client.values().sum()
    }

    /// Compares what was acknowledged with what arrived.
    pub(crate) fn judge(mut self, subscribers: &[&str]) -> (Figures, Vec<String>) {
        let mut figures = Figures {
            n_connections: self.n_connections(),
            ..Figures::default()
        };
        for (topic, sent) in &self.sent {
            figures.n_sent += sent.len();
            figures.n_acknowledged += sent
                .iter()
                .filter(|sent| sent.acknowledged_on.is_some())
                .count();
            for subscriber in subscribers {
                let key = ((*subscriber).to_owned(), topic.clone());
                let received = self.received.remove(&key).unwrap_or_default();
                let faults = judge_arrivals(topic, sent, &received, &mut figures);
                self.faults.extend(
                    faults
                        .into_iter()
                        .map(|fault| format!("{subscriber}: {fault}")),
                );
            }
        }
        let strange = self.received.into_keys();
        self.faults
            .extend(strange.map(|key| format!("nobody sent what arrived: {key:?}")));
        (figures, self.faults)
    }
}

/// What of one topic came to one subscriber.
fn judge_arrivals(
    topic: &str,
    sent: &[Sent],
    received: &[Received],
    figures: &mut Figures,
) -> Vec<String> {
    let is_published_exactly_once = topic.ends_with("/2");
    let mut faults = Vec::new();
    let mut first_arrivals: BTreeMap<usize, BTreeSet<u16>> = BTreeMap::new();
    let mut newest = None;
    for arrival in received {
        let Received {
            n,
            qos,
            packet_identifier,
            dup,
        } = *arrival;
        figures.n_received += 1;
        let Some(sent) = sent.get(n) else {
            faults.push(format!("{topic} {n} was never sent"));
            continue;
        };
        let Some(identifiers) = first_arrivals.get_mut(&n) else {
            first_arrivals.insert(n, [packet_identifier].into());
            if newest.is_some_and(|newest| newest > n) {
                faults.push(format!("{topic} {n} came behind {newest:?}"));
            }
            newest = newest.max(Some(n));
            continue;
        };
        if qos == 1 && dup && identifiers.contains(&packet_identifier) {
            figures.n_redelivered += 1;
        } else if !(is_published_exactly_once && qos == 2) && sent.may_have_been_sent_again() {
            figures.n_published_twice += 1;
        } else {
            figures.n_duplicated += 1;
            faults.push(format!(
                "{topic} {n} came again: {arrival:?}, before with {identifiers:?}; {sent:?}"
            ));
        }
        identifiers.insert(packet_identifier);
    }
    for (n, sent) in sent.iter().enumerate() {
        if sent.acknowledged_on.is_some() && !first_arrivals.contains_key(&n) {
            figures.n_lost += 1;
            faults.push(format!(
                "{topic} {n} was acknowledged and is lost; {sent:?}"
            ));
        }
    }
    faults
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            n_connections,
            n_sent,
            n_acknowledged,
            n_received,
            n_redelivered,
            n_published_twice,
            n_lost,
            n_duplicated,
        } = self;
        write!(
            f,
            "{n_connections} connections, {n_sent} messages sent, {n_acknowledged} acknowledged, \
             {n_received} received; again: {n_redelivered} with DUP, {n_published_twice} because \
             their publisher had no acknowledgement; {n_lost} lost, {n_duplicated} duplicated"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], fault: Option<&str>) {
        let mut ledger = Ledger::default();
        for line in lines {
            ledger.note(line);
        }
        let (_, faults) = ledger.judge(&["s"]);
        match fault {
            None => assert_eq!(faults, [""; 0]),
            Some(word) => assert!(faults.len() == 1 && faults[0].contains(word), "{faults:?}"),
        }
    }

    #[test]
    fn what_must_not_be_is_found() {
        let one = ["s p p/1 0 1", "a p p/1 0 1", "r s p/1 0 1 7 0"];
        check(&one, None);
        check(&one[..2], Some("lost"));
        check(&["s p p/1 0 1"], None);
        check(&[&one[..], &["r s p/1 0 1 7 1"]].concat(), None);
        check(&[&one[..], &["r s p/1 0 1 8 1"]].concat(), Some("again"));
        check(&[&one[..], &["r s p/1 0 1 7 0"]].concat(), Some("again"));
        let late = ["s p p/1 0 1", "a p p/1 0 2", "r s p/1 0 1 7 0"];
        check(&[&late[..], &["r s p/1 0 1 8 0"]].concat(), None);
        let once = ["s p p/2 0 1", "a p p/2 0 2", "r s p/2 0 2 7 0"];
        check(&once, None);
        check(&[&once[..], &["r s p/2 0 2 7 1"]].concat(), Some("again"));
        let two = ["s p p/1 0 1", "s p p/1 1 1"];
        let in_order = ["r s p/1 0 1 1 0", "r s p/1 1 1 2 0"];
        check(&[&two[..], &in_order].concat(), None);
        let turned = [in_order[1], in_order[0]];
        check(&[&two[..], &turned].concat(), Some("behind"));
        check(&["c s 0", "c s 1"], None);
        check(&["c s 0", "c s 0"], Some("session present"));
        check(&["? p was refused"], Some("refused"));
    }
}
