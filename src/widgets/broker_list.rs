//! How it stands with the broker in use, and the others that are remembered.

use crate::{
    components::frame::FrameTask,
    dom::{focus, offer_focus},
    piece::{Piece, place_of},
    preferences::default_broker_address,
    signal::watch,
    store::{use_brokers, use_connection, use_link},
    topic::use_topic,
};

/// The brokers, with the one in use marked.
#[must_use]
pub fn broker_list() -> Piece {
    let brokers = use_brokers();
    let connection = use_connection();
    let link = use_link();
    let software = use_topic::<String>("$SYS/broker/version");
    // Nothing of an earlier visit is taken back.
    brokers.forgotten.set(None);
    let mut piece = Piece::new(include_str!("broker_list.html"), move |places| {
        let connection = connection.read();
        match connection.reason() {
            Some(reason) => places.text("state", &[connection.title(), ": ", reason].concat()),
            None => places.text("state", connection.title()),
        }
        let address = if connection.is_asking() {
            "none".into()
        } else {
            link.address()
        };
        places.text("connected", &address);
        let software = software.as_ref().and_then(|software| software.get());
        places.show("software-name", software.is_some());
        places.show("software", software.is_some());
        places.text("software", &software.unwrap_or_default());
        let trip = link.round_trip.get();
        places.text(
            "trip",
            if trip.is_empty() {
                "not measured yet"
            } else {
                &trip
            },
        );
        let mut labels = vec![String::new()];
        let remembered = brokers.remembered.read();
        labels.extend(remembered.known.iter().map(|broker| broker.label().into()));
        places.list("rows", &labels, &row);
        let forgotten = brokers.forgotten.read();
        places.show("forgotten", forgotten.is_some());
        let what = forgotten
            .as_ref()
            .map(|forgotten| ["Forgot ", forgotten.broker.label(), "."].concat());
        places.text("what", &what.unwrap_or_default());
    });
    // Who forgot a broker by the keyboard has lost the button that was pressed.
    let focusing = FrameTask::new(|| offer_focus("#broker-undo"));
    piece.keep(watch(Box::new(move || {
        if brokers.forgotten.read().is_some() {
            focusing.request();
        }
    })));
    piece.on("undo", "click", move |_| {
        brokers.undo();
        focus("#brokers");
    })
}

/// One broker; an empty label is the one that served the page.
fn row(label: &str) -> Piece {
    let brokers = use_brokers();
    let connection = use_connection();
    let label = String::from(label);
    let known = label.clone();
    Piece::new(include_str!("broker_list_row.html"), move |places| {
        let remembered = brokers.remembered.read();
        let broker = remembered.find(&label);
        let name = match (broker, label.as_str()) {
            (None, _) => OWN,
            (Some(_), label) => label,
        };
        let address = match broker {
            Some(broker) => broker.address().into(),
            None => default_broker_address(),
        };
        let is_in_use = brokers.in_use() == label && !connection.read().is_asking();
        places.attribute("", "aria-current", is_in_use.then_some("true"));
        places.text("name", name);
        places.show("address", name != address);
        places.text("address", &address);
        places.attribute("address", "title", Some(&address));
        let (text, about) = match (is_in_use, broker) {
            (true, _) => ("In use", [name, " is in use"].concat()),
            (false, None) => ("Use", "Use the one that served this page".into()),
            (false, Some(_)) => ("Use", ["Use ", name].concat()),
        };
        places.text("use", text);
        places.attribute("use", "aria-label", Some(&about));
        for (place, verb) in [("edit", "Edit "), ("forget", "Forget ")] {
            places.show(place, broker.is_some());
            places.attribute(place, "aria-label", Some(&[verb, name].concat()));
        }
    })
    .on("", "click", move |event| match place_of(&event).as_str() {
        "use" => brokers.prefer(&known),
        "edit" => brokers.edit(&known),
        "forget" => brokers.forget(&known),
        _ => {}
    })
}

const OWN: &str = "The one that served this page";
