//! A broker as a person set it up, and those that this browser remembers.

use field::json::{Json, ObjectWriter};
use mqtt_web_client::ProtocolVersion;

/// A broker as a person set it up: what was typed, in the order of [`FIELDS`].
///
/// One list, which is read, written, shown and copied as one: members of their own would weigh several times as much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    values: Vec<String>,
    /// Whether the password has to be asked for.
    pub is_password_missing: bool,
    /// Whether the password is kept with the rest.
    pub keeps_password: bool,
}

/// The brokers that this browser remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brokers {
    /// In the order in which they came.
    pub known: Vec<Broker>,
    /// The label of the one that is used where the page's address names none; empty for the one that served the page.
    pub preferred: String,
}

/// What a broker consists of, by its key in what is kept and its place in the form.
/// The last is the box to tick for keeping the password, and has no text.
pub const FIELDS: [&str; 8] = [
    "address", "user", "password", "name", "version", "client", "alive", "keep",
];
const ADDRESS: usize = 0;
const USER: usize = 1;
const PASSWORD: usize = 2;
const NAME: usize = 3;
const VERSION: usize = 4;
const CLIENT: usize = 5;
const ALIVE: usize = 6;

impl Broker {
    /// A broker at an address, of which nothing else is known.
    #[must_use]
    pub fn new(address: &str) -> Self {
        let values = [address, "", "", "", "5.0", "", KEEP_ALIVE_SECS];
        Self {
            values: values.map(String::from).into(),
            is_password_missing: false,
            keeps_password: false,
        }
    }

    /// What the fields hold.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Puts what was typed into a field in its place.
    pub fn set_value(&mut self, field: usize, typed: &str) {
        // White space may belong to a password.
        let typed = if field == PASSWORD {
            typed
        } else {
            typed.trim()
        };
        if let Some(value) = self.values.get_mut(field) {
            *value = typed.into();
        }
    }

    // Read at many places, and longer than a call.
    #[inline(never)]
    fn value(&self, field: usize) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// Where it is, beginning with `ws://` or `wss://`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.value(ADDRESS)
    }

    /// Which MQTT it is spoken to.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        match self.value(VERSION) {
            "3.1.1" => ProtocolVersion::V3_1_1,
            _ => ProtocolVersion::V5_0,
        }
    }

    /// Who the person is to it; empty for nobody.
    #[must_use]
    pub fn user_name(&self) -> &str {
        self.value(USER)
    }

    /// How they prove it; empty for no password.
    #[must_use]
    pub fn password(&self) -> &str {
        self.value(PASSWORD)
    }

    /// Knows the password from here on.
    pub fn set_password(&mut self, password: &str) {
        self.set_value(PASSWORD, password);
        self.is_password_missing = false;
    }

    /// Empty: the broker chooses.
    #[must_use]
    pub fn client_identifier(&self) -> &str {
        self.value(CLIENT)
    }

    /// Seconds; 0 for no pings, `None` if something else stands there.
    #[must_use]
    pub fn keep_alive_secs(&self) -> Option<u16> {
        // Read as a longer number, as others on the page are: one function for all.
        u16::try_from(self.value(ALIVE).parse::<u64>().ok()?).ok()
    }

    /// What it is told from others by, in the page's address too: its name, or where it is.
    /// What follows a `?` may be a secret.
    #[must_use]
    pub fn label(&self) -> &str {
        match self.value(NAME) {
            "" => without_query(self.address()),
            name => name,
        }
    }

    /// Moves a user name and a password out of an address of the form `ws://user:password@host`.
    pub fn split_address(&mut self, decode: fn(&str) -> String) {
        let address = self.address();
        let scheme = until(address, &|c| c == '/');
        let scheme = if scheme.ends_with(':') { scheme } else { "" };
        let rest = address.strip_prefix(scheme).unwrap_or_default();
        let rest = match scheme {
            "" => rest,
            _ => rest.trim_start_matches('/'),
        };
        let who = until(rest, &|c| matches!(c, '/' | '?' | '#')).trim_end_matches(|c| c != '@');
        let (Some(rest), Some(who)) = (rest.strip_prefix(who), who.strip_suffix('@')) else {
            return;
        };
        let user_name = until(who, &|c| c == ':');
        let password = who.strip_prefix(user_name).unwrap_or_default();
        let password = decode(password.strip_prefix(':').unwrap_or_default());
        let user_name = decode(user_name);
        let slashes = if scheme.is_empty() { "" } else { "//" };
        let address = [scheme, slashes, rest].concat();
        self.set_value(ADDRESS, &address);
        self.set_value(USER, &user_name);
        self.set_password(&password);
    }

    /// Whether the address has the form of one.
    #[must_use]
    pub fn has_address(&self) -> bool {
        let address = self.address();
        let host = address
            .strip_prefix("ws://")
            .or_else(|| address.strip_prefix("wss://"));
        host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(' '))
    }

    fn of_json(json: &Json) -> Option<Self> {
        let fields = json.as_object()?;
        let mut broker = Self::new("");
        broker.is_password_missing = true;
        for (value, field) in broker.values.iter_mut().zip(FIELDS) {
            if let Some(text) = fields.value(field).and_then(Json::as_text) {
                *value = text.into();
                broker.is_password_missing &= field != "password";
            }
        }
        broker.keeps_password = !broker.password().is_empty();
        if broker.keep_alive_secs().is_none() {
            broker.set_value(ALIVE, KEEP_ALIVE_SECS);
        }
        broker.has_address().then_some(broker)
    }

    fn to_json(&self) -> String {
        // That there is no password is no secret, and then none is asked for.
        let tells_password =
            !self.is_password_missing && (self.keeps_password || self.password().is_empty());
        let mut object = ObjectWriter::new();
        for (value, field) in self.values.iter().zip(FIELDS) {
            if tells_password || field != "password" {
                object = object.text(field, value);
            }
        }
        object.finish()
    }
}

impl Brokers {
    /// Reads what was kept. What cannot be read is left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let json = Json::parse(text);
        let Some(fields) = json.as_ref().and_then(Json::as_object) else {
            return Self::default();
        };
        let mut brokers = Self::default();
        for json in fields
            .value("brokers")
            .and_then(Json::as_list)
            .unwrap_or_default()
        {
            if let Some(broker) = Broker::of_json(json) {
                brokers.keep(broker, "");
            }
        }
        if let Some(preferred) = fields.value("preferred").and_then(Json::as_text) {
            brokers.preferred = preferred.into();
        }
        brokers
    }

    /// What is to be kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut known = String::from("[");
        for broker in &self.known {
            if known.len() > 1 {
                known.push(',');
            }
            known.push_str(&broker.to_json());
        }
        known.push(']');
        ObjectWriter::new()
            .text("preferred", &self.preferred)
            .raw("brokers", &known)
            .finish()
    }

    /// Where the broker stands that a label or an address means.
    #[must_use]
    pub fn position(&self, label: &str) -> Option<usize> {
        let mut known = self.known.iter();
        known
            .position(|broker| broker.label() == label)
            .or_else(|| {
                let address = without_query(label);
                let mut known = self.known.iter();
                known.position(|broker| without_query(broker.address()) == address)
            })
    }

    /// The broker that a label or an address means.
    #[must_use]
    pub fn find(&self, label: &str) -> Option<&Broker> {
        self.position(label).map(|position| &self.known[position])
    }

    /// Remembers a broker in the place of the one with this label, and of any with its own.
    pub fn keep(&mut self, broker: Broker, edited: &str) {
        let label = String::from(broker.label());
        let is_replaced = |known: &Broker| known.label() == edited || known.label() == label;
        let place = self.known.iter().position(is_replaced);
        self.known.retain(|known| !is_replaced(known));
        self.put_back(place.unwrap_or(self.known.len()), broker);
    }

    /// Forgets the broker with a label, and says where it stood.
    pub fn forget(&mut self, label: &str) -> Option<(usize, Broker)> {
        let place = self.known.iter().position(|known| known.label() == label)?;
        if self.preferred == label {
            self.preferred.clear();
        }
        Some((place, self.known.remove(place)))
    }

    /// Remembers a broker where it stood before it was forgotten.
    pub fn put_back(&mut self, place: usize, broker: Broker) {
        self.known.insert(place.min(self.known.len()), broker);
    }

    /// Whether a broker at another address has the name already; one that is being edited does not count.
    #[must_use]
    pub fn is_taken(&self, broker: &Broker, edited: &str) -> bool {
        let mut known = self.known.iter();
        known.any(|known| {
            known.label() == broker.label()
                && known.label() != edited
                && known.address() != broker.address()
        })
    }
}

fn without_query(address: &str) -> &str {
    until(address, &|c| c == '?')
}

/// What stands before the first character that is an end.
/// Nothing is cut at a position: the panic of that would weigh more than all of this.
fn until<'a>(text: &'a str, is_end: &dyn Fn(char) -> bool) -> &'a str {
    let rest = text.trim_start_matches(|c| !is_end(c));
    text.strip_suffix(rest).unwrap_or_default()
}

/// A ping every 30 s, so that a broken line is noticed soon; half a hidden page's one timer a minute is still in time.
const KEEP_ALIVE_SECS: &str = "60";

#[cfg(test)]
mod tests {
    use super::*;

    fn tent() -> Broker {
        let address = "wss://tent.example/mqtt";
        typed([address, "anna", "geheim", "Tent", "3.1.1", "tablet", "30"])
    }

    fn typed(values: [&str; 7]) -> Broker {
        let mut broker = Broker::new("");
        for (field, value) in values.into_iter().enumerate() {
            broker.set_value(field, value);
        }
        broker
    }

    #[test]
    fn what_was_kept_is_read_again() {
        let mut brokers = Brokers {
            preferred: "Tent".into(),
            ..Brokers::default()
        };
        brokers.keep(
            Broker {
                keeps_password: true,
                ..tent()
            },
            "",
        );
        brokers.keep(Broker::new("ws://10.0.0.2:9001"), "");
        assert_eq!(Brokers::parse(&brokers.to_json()), brokers);
    }

    #[test]
    fn a_password_is_kept_only_where_that_was_asked_for() {
        let mut brokers = Brokers::default();
        brokers.keep(tent(), "");
        let json = brokers.to_json();
        assert!(!json.contains("geheim"), "{json}");
        assert!(Brokers::parse(&json).known[0].is_password_missing);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for damaged in [
            "",
            "null",
            "[]",
            "{",
            "{\"brokers\":7}",
            "{\"brokers\":[7,{},{\"address\":1}]}",
            "{\"brokers\":[{\"address\":\"javascript:alert(1)\"}]}",
        ] {
            assert_eq!(Brokers::parse(damaged), Brokers::default(), "{damaged}");
        }
        let half = r#"{"brokers":[null,{"address":"ws://a","alive":"1e9","name":3}]}"#;
        let brokers = Brokers::parse(half);
        assert_eq!(brokers.known.len(), 1);
        assert_eq!(brokers.known[0].label(), "ws://a");
        assert_eq!(brokers.known[0].keep_alive_secs(), Some(60));
    }

    #[test]
    fn who_somebody_is_does_not_stay_in_the_address() {
        let mut broker = Broker::new("wss://anna:ge:heim@tent.example:9001/mqtt?a@b");
        broker.split_address(str::to_owned);
        assert_eq!(broker.address(), "wss://tent.example:9001/mqtt?a@b");
        assert_eq!(broker.user_name(), "anna");
        assert_eq!(broker.password(), "ge:heim");
        let mut plain = Broker::new("ws://tent.example/@home");
        plain.split_address(str::to_owned);
        assert_eq!(plain, Broker::new("ws://tent.example/@home"));
        let mut bare = Broker::new("anna:geheim@tent");
        bare.split_address(str::to_owned);
        assert_eq!(bare.address(), "tent");
    }

    #[test]
    fn a_broker_is_told_by_its_name_or_its_address() {
        let mut brokers = Brokers::default();
        brokers.keep(tent(), "");
        brokers.keep(Broker::new("ws://a/mqtt?token=secret"), "");
        assert_eq!(brokers.known[1].label(), "ws://a/mqtt");
        for (label, position) in [
            ("Tent", Some(0)),
            ("wss://tent.example/mqtt", Some(0)),
            ("ws://a/mqtt", Some(1)),
            ("ws://b", None),
            ("", None),
        ] {
            assert_eq!(brokers.position(label), position, "{label}");
        }
    }

    #[test]
    fn editing_keeps_the_place_and_a_taken_name_is_noticed() {
        let mut brokers = Brokers::default();
        brokers.keep(tent(), "");
        brokers.keep(Broker::new("ws://a"), "");
        let address = "wss://tent.example/mqtt";
        let renamed = typed([address, "", "", "Greenhouse", "5.0", "", "60"]);
        assert!(!brokers.is_taken(&renamed, "Tent"));
        brokers.keep(renamed, "Tent");
        assert_eq!(brokers.known[0].label(), "Greenhouse");
        let other = typed(["ws://a", "", "", "Greenhouse", "5.0", "", "60"]);
        assert!(brokers.is_taken(&other, "ws://a"));
        let same = typed([address, "", "", "Greenhouse", "5.0", "", "30"]);
        assert!(!brokers.is_taken(&same, "ws://a"));
        brokers.keep(same.clone(), "ws://a");
        assert_eq!(brokers.known, [same], "one broker has the name");
    }
}
