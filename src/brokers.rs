//! Which broker: what this browser remembers, what the page's address names, and what a person chooses.

use crate::{
    link::Link,
    preferences,
    router::{
        BROKER, current_path, decode, field_in_address, replace_address, show_in_address,
        with_broker,
    },
    signal::Signal,
    state::{Broker, Brokers},
};

/// The brokers that this browser remembers, reached with [`use_brokers`](crate::store::use_brokers).
pub struct BrokerStore {
    link: &'static Link,
    /// Those that are remembered.
    pub remembered: Signal<Brokers>,
    /// Whether the browser keeps them.
    pub is_kept: Signal<bool>,
    /// What the form in the settings begins with.
    pub draft: Signal<Draft>,
    /// The page in whose place the settings ask about the draft.
    pub asked_at: Signal<Option<String>>,
    /// The one that was forgotten last.
    pub forgotten: Signal<Option<Forgotten>>,
}

/// What the form in the settings begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its fields.
    pub broker: Broker,
    /// The label of the broker whose place it is to take; empty for a new one.
    pub edited: String,
    /// Why a person is asked; empty where they asked for the form themselves.
    pub question: &'static str,
    /// The field to begin with, if any.
    pub focus: &'static str,
}

/// A broker that was forgotten, and how to have it back.
#[derive(Debug, Clone)]
pub struct Forgotten {
    /// The broker itself.
    pub broker: Broker,
    place: usize,
    was_in_use: bool,
}

impl Default for Draft {
    /// An empty form.
    fn default() -> Self {
        Self {
            broker: Broker::new(""),
            edited: String::new(),
            question: "",
            focus: "",
        }
    }
}

impl BrokerStore {
    /// A store that has not looked at anything yet.
    #[must_use]
    pub fn new(link: &'static Link) -> Self {
        Self {
            link,
            remembered: Signal::default(),
            is_kept: Signal::new(true),
            draft: Signal::default(),
            asked_at: Signal::default(),
            forgotten: Signal::default(),
        }
    }

    /// Reads what is remembered and uses the broker that the page's address names, else the one that was used last.
    pub fn open(&self) {
        self.refresh();
        if let Some(address) = preferences::take_old_address() {
            let mut broker = Broker::new(&address);
            broker.split_address(decode);
            if broker.has_address() && !is_own(&broker) {
                self.keep(broker, "");
            }
        }
        let named = field_in_address(BROKER);
        if !named.is_empty() {
            return self.choose(&named);
        }
        let preferred = self.remembered.read_untracked().preferred.clone();
        let is_known = self.remembered.read_untracked().find(&preferred).is_some();
        self.choose(if is_known { &preferred } else { "" });
    }

    /// Takes notice of what other tabs have changed.
    pub fn refresh(&self) {
        match preferences::brokers() {
            Some(brokers) if self.is_kept.get_untracked() => self.remembered.set(brokers),
            Some(_) => {}
            None => self.is_kept.set(false),
        }
    }

    /// Uses the broker that the page's address names after the browser went to it.
    pub fn follow(&self) {
        let named = field_in_address(BROKER);
        if named != self.in_use_untracked() {
            self.choose(&named);
        }
    }

    /// The label of the broker in use; empty for the one that served the page. Whoever asks is told when it is another.
    #[must_use]
    pub fn in_use(&self) -> String {
        label_of(&self.link.broker.read())
    }

    fn in_use_untracked(&self) -> String {
        label_of(&self.link.broker.read_untracked())
    }

    /// Uses a remembered broker from here on, or with an empty label the one that served the page.
    pub fn prefer(&self, label: &str) {
        self.change(&mut |brokers| brokers.preferred = label.into());
        self.choose(label);
    }

    /// Tries a broker, and when it has accepted keeps it in the place of the edited one and uses it.
    pub fn try_broker(&'static self, broker: Broker, edited: String) {
        let tried = broker.clone();
        // What was typed stands there again for whoever went to another page meanwhile.
        let draft = self.draft.replace(Draft::default());
        self.draft.set(Draft {
            broker: broker.clone(),
            focus: "",
            ..draft
        });
        let accepted = move || {
            self.keep(broker, &edited);
            self.draft.set(Draft::default());
            self.show_use();
        };
        self.link.try_broker(tried, Box::new(accepted));
    }

    /// Remembers a broker in the place of the edited one, as the one to use.
    fn keep(&self, broker: Broker, edited: &str) {
        let label = broker.label();
        preferences::keep_tab_password(edited, None);
        preferences::keep_tab_password(label, Some(&broker));
        self.change(&mut |brokers| {
            brokers.preferred = label.into();
            brokers.keep(broker.clone(), edited);
        });
    }

    /// Whether a broker at another address has the name already; the edited one does not count.
    #[must_use]
    pub fn is_taken(&self, broker: &Broker, edited: &str) -> bool {
        self.remembered.read_untracked().is_taken(broker, edited)
    }

    /// Begins to edit a broker.
    pub fn edit(&self, label: &str) {
        let known = self.remembered.read_untracked().find(label).cloned();
        if let Some(broker) = known {
            self.begin(broker, label, "", "address");
        }
    }

    /// Forgets a broker. The one in use is left for the one that served the page.
    pub fn forget(&self, label: &str) {
        let was_in_use = self.in_use_untracked() == label;
        let mut forgotten = None;
        self.change(&mut |brokers| {
            forgotten = brokers.forget(label);
        });
        let Some((place, broker)) = forgotten else {
            return;
        };
        preferences::keep_tab_password(label, None);
        self.forgotten.set(Some(Forgotten {
            broker,
            place,
            was_in_use,
        }));
        if was_in_use {
            self.connect(None);
        }
    }

    /// Has the last broker back that was forgotten.
    pub fn undo(&self) {
        let Some(Forgotten {
            broker,
            place,
            was_in_use,
        }) = self.forgotten.replace(None)
        else {
            return;
        };
        let label = broker.label();
        preferences::keep_tab_password(label, Some(&broker));
        self.change(&mut |brokers| brokers.put_back(place, broker.clone()));
        if was_in_use {
            self.prefer(label);
        }
    }

    fn choose(&self, label: &str) {
        let known = self.remembered.read_untracked().find(label).cloned();
        match known {
            Some(broker) if broker.is_password_missing => {
                let label = String::from(broker.label());
                self.ask(broker, &label, PASSWORD_MISSING, "password");
            }
            None if !label.is_empty() => {
                let mut broker = Broker::new(label);
                broker.split_address(decode);
                if is_own(&broker) {
                    self.connect(None);
                } else {
                    self.ask(broker, "", UNKNOWN, "");
                }
            }
            known => self.connect(known),
        }
    }

    /// Lets the settings ask about a broker before anything is sent to it.
    fn ask(&self, broker: Broker, edited: &str, question: &'static str, focus: &'static str) {
        self.link.wait_for_answer();
        let path = current_path();
        // Whatever it named besides may be a secret.
        replace_address(&with_broker(&path, broker.label()));
        self.begin(broker, edited, question, focus);
        self.asked_at.set(Some(path));
    }

    fn begin(&self, broker: Broker, edited: &str, question: &'static str, focus: &'static str) {
        self.link.end_trial();
        self.draft.set(Draft {
            broker,
            edited: edited.into(),
            question,
            focus,
        });
    }

    fn connect(&self, broker: Option<Broker>) {
        self.link.connect(broker);
        self.show_use();
    }

    /// Lets the page's address name the broker in use.
    fn show_use(&self) {
        if self.asked_at.read_untracked().is_some() {
            self.asked_at.set(None);
        }
        show_in_address(BROKER, &self.in_use_untracked());
    }

    /// Changes what is remembered, as far as other tabs have not done so meanwhile, and keeps it.
    fn change(&self, change: &mut dyn FnMut(&mut Brokers)) {
        self.refresh();
        let mut brokers = self.remembered.replace(Brokers::default());
        change(&mut brokers);
        self.is_kept.set(preferences::keep_brokers(&brokers));
        self.remembered.set(brokers);
    }
}

fn label_of(broker: &Option<Broker>) -> String {
    broker.as_ref().map_or("", Broker::label).into()
}

/// Whether that is the one that served the page, as nobody in particular.
fn is_own(broker: &Broker) -> bool {
    broker.user_name().is_empty() && broker.address() == preferences::default_broker_address()
}

const UNKNOWN: &str = "The address of this page names a broker that this browser does not know. Connect only if you do: whoever runs it sees what you do here.";
const PASSWORD_MISSING: &str =
    "The password of this broker is not kept in this browser. Type it to connect.";
