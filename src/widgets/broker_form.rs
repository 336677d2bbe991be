//! A broker's settings, tried before they are kept.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use crate::{
    brokers::Draft,
    piece::{Piece, Places},
    router::decode,
    signal::watch,
    state::{Broker, FIELDS, Fault, INVALID_ADDRESS, Trial},
    store::{use_brokers, use_connection, use_link},
};

/// A form that begins with the draft.
#[must_use]
pub fn broker_form() -> Piece {
    let brokers = use_brokers();
    let connection = use_connection();
    let link = use_link();
    // What was said on an earlier visit is no news.
    if matches!(*link.trial.read_untracked(), Trial::Kept) {
        link.end_trial();
    }
    let mut piece = Piece::new(include_str!("broker_form.html"), move |places| {
        let draft = brokers.draft.read();
        let title = match draft.edited.as_str() {
            "" => String::from("Connect to another broker"),
            edited => ["Edit ", edited].concat(),
        };
        places.text("title", &title);
        places.show("question", !draft.question.is_empty());
        places.text("question", draft.question);
        let trial = link.trial.read();
        let is_trying = matches!(*trial, Trial::Trying);
        let progress = match *trial {
            Trial::Trying => {
                "Trying, for 10 s at most. Nothing is kept or left before the broker accepts."
            }
            Trial::Kept => "The broker has accepted. It is in use.",
            Trial::None | Trial::Failed(_) => "",
        };
        places.show("progress", !progress.is_empty());
        places.text("progress", progress);
        places.show("cancel", is_trying || !draft.edited.is_empty());
        let is_connected = connection.read().is_connected();
        show_fault(places, &trial, is_connected);
    });
    let fields = Rc::new(Fields::of(&piece));

    let filled = Rc::clone(&fields);
    piece.keep(watch(Box::new(move || {
        let draft = brokers.draft.read();
        filled.fill(&draft.broker);
        filled.focus(draft.focus);
    })));
    let faulty = Rc::clone(&fields);
    piece.keep(watch(Box::new(move || {
        if let Trial::Failed(fault) = &*link.trial.read() {
            faulty.focus(fault.field);
        }
    })));

    let (left, cancelled) = (Rc::clone(&fields), Rc::clone(&fields));
    piece
        .on("address", "change", move |_| drop(left.read()))
        .on("", "submit", move |event| {
            event.prevent_default();
            let edited = brokers.draft.read_untracked().edited.clone();
            let typed = fields.read().and_then(|broker| {
                if brokers.is_taken(&broker, &edited) {
                    return Err(fault(
                        "name",
                        "Another broker is called so.",
                        "Choose another name.",
                    ));
                }
                Ok(broker)
            });
            match typed {
                Ok(broker) => brokers.try_broker(broker, edited),
                Err(fault) => link.trial.set(Trial::Failed(fault)),
            }
        })
        .on("cancel", "click", move |_| {
            if matches!(*link.trial.read_untracked(), Trial::Trying) {
                link.end_trial();
            } else {
                brokers.draft.set(Draft::default());
            }
            cancelled.focus("address");
        })
}

fn show_fault(places: &mut Places, trial: &Trial, is_connected: bool) {
    let fault = match trial {
        Trial::Failed(fault) => Some(fault),
        Trial::None | Trial::Trying | Trial::Kept => None,
    };
    places.show("fault", fault.is_some());
    let (field, reason, remedy) = fault.map_or(("", "", ""), |fault| {
        (fault.field, fault.reason.as_str(), fault.remedy)
    });
    places.text("reason", reason);
    places.text("remedy", remedy);
    places.show("goes-on", is_connected);
    for name in FIELDS {
        let is_wrong = name == field;
        let hint = ["broker-", name, "-hint"].concat();
        let about = if is_wrong { "broker-fault" } else { &hint };
        places.attribute(name, "aria-invalid", is_wrong.then_some("true"));
        places.attribute(name, "aria-describedby", Some(about));
    }
}

/// The fields as the browser holds them.
struct Fields(Vec<HtmlInputElement>);

impl Fields {
    fn of(piece: &Piece) -> Self {
        // What is chosen from has a value as what is typed into.
        let fields = FIELDS.iter().filter_map(|name| piece.element(name));
        Self(fields.map(JsCast::unchecked_into).collect())
    }

    fn fill(&self, broker: &Broker) {
        for (field, value) in self.0.iter().zip(broker.values()) {
            field.set_value(value);
        }
        if let Some(keep) = self.0.last() {
            keep.set_checked(broker.keeps_password);
        }
    }

    /// What was typed, or what is wrong with it. Who somebody is moves out of the address.
    fn read(&self) -> Result<Broker, Fault> {
        let mut broker = Broker::new("");
        for (place, field) in self.0.iter().enumerate() {
            broker.set_value(place, &field.value());
        }
        broker.keeps_password = self.0.last().is_some_and(HtmlInputElement::checked);
        let address = String::from(broker.address());
        broker.split_address(decode);
        if broker.address() != address {
            self.fill(&broker);
        }
        if !broker.has_address() {
            return Err(fault("address", "That is not an address.", INVALID_ADDRESS));
        }
        if broker.keep_alive_secs().is_none() {
            return Err(fault(
                "alive",
                "That is not a Keep Alive.",
                "It is a number of seconds, 65535 at most.",
            ));
        }
        Ok(broker)
    }

    fn focus(&self, field: &str) {
        let place = FIELDS.iter().position(|name| *name == field);
        if let Some(field) = place.and_then(|place| self.0.get(place)) {
            // An element that cannot take the focus leaves it where it is.
            let _ = field.focus();
        }
    }
}

fn fault(field: &'static str, reason: &str, remedy: &'static str) -> Fault {
    Fault {
        field,
        reason: reason.into(),
        remedy,
    }
}
