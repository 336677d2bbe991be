//! A broker as a person set it up, and those that this browser remembers.

use field::json::{Json, ObjectWriter};
use mqtt_web_client::ProtocolVersion;

use crate::format::whole;

/// A broker as a person set it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// What the person calls it; may be empty.
    pub name: String,
    /// Where it is, beginning with `ws://` or `wss://`.
    pub address: String,
    /// Which MQTT it is spoken to.
    pub version: ProtocolVersion,
    /// Who the person is to it; empty for nobody.
    pub user_name: String,
    /// How they prove it; empty for no password, `None` where it has to be asked for.
    pub password: Option<String>,
    /// Whether the password is kept with the rest.
    pub keeps_password: bool,
    /// Empty: the broker chooses.
    pub client_identifier: String,
    /// Seconds; 0 for no pings.
    pub keep_alive_secs: u16,
}

/// The brokers that this browser remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brokers {
    /// In the order in which they came.
    pub known: Vec<Broker>,
    /// The label of the one that is used where the page's address names none; empty for the one that served the page.
    pub preferred: String,
}

impl Broker {
    /// A broker at an address, of which nothing else is known.
    #[must_use]
    pub fn new(address: &str) -> Self {
        Self {
            name: String::new(),
            address: address.into(),
            version: ProtocolVersion::V5_0,
            user_name: String::new(),
            password: Some(String::new()),
            keeps_password: false,
            client_identifier: String::new(),
            keep_alive_secs: KEEP_ALIVE_SECS,
        }
    }

    /// What it is told from others by, in the page's address too: its name, or where it is.
    /// What follows a `?` may be a secret.
    #[must_use]
    pub fn label(&self) -> &str {
        match self.name.as_str() {
            "" => without_query(&self.address),
            name => name,
        }
    }

    /// Moves a user name and a password out of an address of the form `ws://user:password@host`.
    pub fn split_address(&mut self, decode: fn(&str) -> String) {
        let address = std::mem::take(&mut self.address);
        // Nothing is cut at a position: the panic of that would weigh more than all of this.
        let (scheme, rest) = match address.split_once('/') {
            Some((scheme, rest)) if scheme.ends_with(':') => (scheme, rest.trim_start_matches('/')),
            _ => ("", address.as_str()),
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let who = host.rsplit_once('@').map(|(who, _)| who);
        let found = who.and_then(|who| Some((who, rest.strip_prefix(who)?.strip_prefix('@')?)));
        let Some((who, rest)) = found else {
            self.address = address;
            return;
        };
        let (user_name, password) = who.split_once(':').unwrap_or((who, ""));
        self.user_name = decode(user_name);
        self.password = Some(decode(password));
        let slashes = if scheme.is_empty() { "" } else { "//" };
        self.address = [scheme, slashes, rest].concat();
    }

    /// Whether the address has the form of one.
    #[must_use]
    pub fn has_address(&self) -> bool {
        let address = &self.address;
        let host = address
            .strip_prefix("ws://")
            .or_else(|| address.strip_prefix("wss://"));
        host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(' '))
    }

    fn of_json(json: &Json) -> Option<Self> {
        let fields = json.as_object()?;
        let text = |field| fields.value(field).and_then(Json::as_text);
        let own = |field| text(field).map(String::from).unwrap_or_default();
        let broker = Self {
            name: own("name"),
            version: match text("version") {
                Some(V3_1_1) => ProtocolVersion::V3_1_1,
                _ => ProtocolVersion::V5_0,
            },
            user_name: own("user"),
            password: text("password").map(Into::into),
            keeps_password: text("password").is_some_and(|password| !password.is_empty()),
            client_identifier: own("client"),
            keep_alive_secs: match fields.value("keep_alive") {
                Some(&Json::Number(number)) => number as u16,
                _ => KEEP_ALIVE_SECS,
            },
            ..Self::new(text("address")?)
        };
        broker.has_address().then_some(broker)
    }

    fn to_json(&self) -> String {
        let object = ObjectWriter::new()
            .text("name", &self.name)
            .text("address", &self.address)
            .text("version", self.version_text())
            .text("user", &self.user_name)
            .text("client", &self.client_identifier)
            .raw("keep_alive", &whole(self.keep_alive_secs.into()));
        match &self.password {
            // That there is none is no secret, and then none is asked for.
            Some(password) if self.keeps_password || password.is_empty() => {
                object.text("password", password).finish()
            }
            _ => object.finish(),
        }
    }

    /// The version as people write it.
    #[must_use]
    pub const fn version_text(&self) -> &'static str {
        match self.version {
            ProtocolVersion::V3_1_1 => V3_1_1,
            ProtocolVersion::V5_0 => "5.0",
        }
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
        let known: Vec<String> = self.known.iter().map(Broker::to_json).collect();
        ObjectWriter::new()
            .text("preferred", &self.preferred)
            .raw("brokers", &["[", &known.join(","), "]"].concat())
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
                known.position(|broker| without_query(&broker.address) == address)
            })
    }

    /// The broker that a label or an address means.
    #[must_use]
    pub fn find(&self, label: &str) -> Option<&Broker> {
        self.position(label).map(|position| &self.known[position])
    }

    /// Remembers a broker, in the place of the one with this label, or of one with its own.
    pub fn keep(&mut self, broker: Broker, edited: &str) {
        let label = String::from(broker.label());
        let place = |known: &Broker| known.label() == edited || known.label() == label;
        match self.known.iter().position(place) {
            Some(place) => self.known[place] = broker,
            None => self.known.push(broker),
        }
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
                && known.address != broker.address
        })
    }
}

fn without_query(address: &str) -> &str {
    address.split('?').next().unwrap_or_default()
}

/// A ping every 30 s, so that a broken line is noticed soon; half a hidden page's one timer a minute is still in time.
const KEEP_ALIVE_SECS: u16 = 60;
/// As people write it, and as it is kept.
pub const V3_1_1: &str = "3.1.1";

#[cfg(test)]
mod tests {
    use super::*;

    fn tent() -> Broker {
        Broker {
            name: "Tent".into(),
            version: ProtocolVersion::V3_1_1,
            user_name: "anna".into(),
            password: Some("geheim".into()),
            client_identifier: "tablet".into(),
            keep_alive_secs: 30,
            ..Broker::new("wss://tent.example/mqtt")
        }
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
        assert_eq!(Brokers::parse(&json).known[0].password, None);
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
        let half = r#"{"brokers":[null,{"address":"ws://a","keep_alive":1e9,"name":3}]}"#;
        let brokers = Brokers::parse(half);
        assert_eq!(brokers.known.len(), 1);
        assert_eq!(brokers.known[0].label(), "ws://a");
        assert_eq!(brokers.known[0].keep_alive_secs, u16::MAX);
    }

    #[test]
    fn who_somebody_is_does_not_stay_in_the_address() {
        let mut broker = Broker::new("wss://anna:ge:heim@tent.example:9001/mqtt?a@b");
        broker.split_address(str::to_owned);
        assert_eq!(broker.address, "wss://tent.example:9001/mqtt?a@b");
        assert_eq!(broker.user_name, "anna");
        assert_eq!(broker.password.as_deref(), Some("ge:heim"));
        let mut plain = Broker::new("ws://tent.example/@home");
        plain.split_address(str::to_owned);
        assert_eq!(plain, Broker::new("ws://tent.example/@home"));
        let mut bare = Broker::new("anna:geheim@tent");
        bare.split_address(str::to_owned);
        assert_eq!(bare.address, "tent");
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
        let renamed = Broker {
            name: "Greenhouse".into(),
            ..tent()
        };
        assert!(!brokers.is_taken(&renamed, "Tent"));
        brokers.keep(renamed, "Tent");
        assert_eq!(brokers.known[0].label(), "Greenhouse");
        let other = Broker {
            name: "Greenhouse".into(),
            ..Broker::new("ws://a")
        };
        assert!(brokers.is_taken(&other, "ws://a"));
    }
}
