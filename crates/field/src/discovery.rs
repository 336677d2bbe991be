//! Home Assistant's MQTT discovery: entities that announce themselves.

use std::fmt;

use crate::{
    Address, DeviceId, PayloadError, Template, TemplateError,
    address::is_level,
    json::{Fields, Json, number_of},
};

/// Under which topic an entity announces itself: `homeassistant/<component>/[<node>/]<object>/config`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityAddress {
    /// What kind of entity it is.
    pub component: Component,
    /// The device's level, where there is one.
    pub node: Option<String>,
    /// The entity's level.
    pub object: String,
}

impl EntityAddress {
    pub(crate) fn parse(topic: &str) -> Option<Self> {
        let levels = topic
            .strip_prefix("homeassistant/")?
            .strip_suffix("/config")?;
        let (component, rest) = levels.split_once('/')?;
        let (node, object) = match rest.split_once('/') {
            Some((node, object)) => (Some(node), object),
            None => (None, rest),
        };
        let valid = [Some(component), node, Some(object)]
            .into_iter()
            .flatten()
            .all(is_level);
        valid.then(|| Self {
            component: Component::parse(component),
            node: node.map(Into::into),
            object: object.into(),
        })
    }
}

impl fmt::Display for EntityAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "homeassistant/{}/", self.component.as_str())?;
        if let Some(node) = &self.node {
            write!(f, "{node}/")?;
        }
        write!(f, "{}/config", self.object)
    }
}

/// What kind of entity announces itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// It measures something.
    Sensor,
    /// It can be switched on and off.
    Switch,
    /// It can be opened and closed.
    Valve,
    /// Anything else.
    Other(String),
}

impl Component {
    fn parse(level: &str) -> Self {
        match level {
            "sensor" => Self::Sensor,
            "switch" => Self::Switch,
            "valve" => Self::Valve,
            other => Self::Other(other.into()),
        }
    }

    /// As it stands in topics.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sensor => "sensor",
            Self::Switch => "switch",
            Self::Valve => "valve",
            Self::Other(other) => other,
        }
    }
}

/// What an entity announces about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entity {
    /// What people call the entity; absent where it is the device's only or main one.
    pub name: Option<String>,
    /// What people call its device.
    pub device_name: Option<String>,
    /// Where its device stands: our zone.
    pub suggested_area: Option<String>,
    /// What it measures: `moisture` is soil moisture.
    pub device_class: Option<String>,
    /// In what unit.
    pub unit: Option<String>,
    /// Where its value is published.
    pub state_topic: Option<String>,
    /// Where in that payload the value stands.
    pub template: Template,
    /// Where it says whether it is there.
    pub availability: Vec<Availability>,
    /// After how many seconds without a value the last one no longer counts.
    pub expire_after: Option<u32>,
}

impl Entity {
    /// Reads the payload of an [`Address::Discovery`] topic; `None` for the empty one that removes the entity.
    ///
    /// # Errors
    /// If it is no object, or a field of it is not what it should be.
    pub fn parse(payload: &[u8]) -> Result<Option<Self>, PayloadError> {
        if payload.is_empty() {
            return Ok(None);
        }
        let fields = Fields::parse(payload)?;
        let base = fields.text("~")?.unwrap_or_default();
        let device = object(&fields, "dev", "device");
        let device_name = device.map(|device| device.text("name")).transpose()?;
        let area = device.map(|device| text(device, "sa", "suggested_area"));
        let area = area.transpose()?;
        let name = fields.text("name")?;
        let device_class = text(&fields, "dev_cla", "device_class")?;
        let unit = text(&fields, "unit_of_meas", "unit_of_measurement")?;
        let state_topic = text(&fields, "stat_t", "state_topic")?;
        let expire_after = value(&fields, "exp_aft", "expire_after").and_then(number_of);
        Ok(Some(Self {
            template: template(&fields)?,
            availability: availability(&fields, base)?,
            name: name.map(Into::into),
            device_name: device_name.flatten().map(Into::into),
            suggested_area: area.flatten().map(Into::into),
            device_class: device_class.map(Into::into),
            unit: unit.map(Into::into),
            state_topic: state_topic.map(|topic| with_base(topic, base)),
            expire_after: expire_after.map(|seconds| seconds as u32),
        }))
    }

    /// What people call it: its own name, else its device's.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.name.as_deref().or(self.device_name.as_deref())
    }

    /// The device of our own that this entity describes, if its state stands under one of our topics.
    #[must_use]
    pub fn own_device(&self) -> Option<DeviceId> {
        match Address::parse(self.state_topic.as_deref()?)? {
            Address::Device { device, .. } => Some(device),
            Address::Config { .. } | Address::Simulation | Address::Discovery(_) => None,
        }
    }

    /// The number in a payload of its state topic.
    ///
    /// # Errors
    /// If the template finds none, or is not supported.
    pub fn number(&self, payload: &[u8]) -> Result<f64, TemplateError> {
        self.template.number(payload)
    }
}

/// Where an entity says whether it is there, and in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Where it says so.
    pub topic: String,
    /// Where in that payload the word stands.
    pub template: Template,
    /// The word for being there.
    pub available: String,
    /// The word for not being there.
    pub not_available: String,
}

/// What stands under a short or a long key.
fn value<'a>(fields: &'a Fields, short: &str, long: &str) -> Option<&'a Json> {
    fields.value(short).or_else(|| fields.value(long))
}

/// The same, if it is a text.
fn text<'a>(
    fields: &'a Fields,
    short: &'static str,
    long: &'static str,
) -> Result<Option<&'a str>, PayloadError> {
    match fields.text(short)? {
        Some(text) => Ok(Some(text)),
        None => fields.text(long),
    }
}

/// The same, if it is an object.
fn object<'a>(fields: &'a Fields, short: &str, long: &str) -> Option<&'a Fields> {
    value(fields, short, long)?.as_object()
}

fn template(fields: &Fields) -> Result<Template, PayloadError> {
    // A template may be longer than any name, and is then not one of the plain ones.
    match value(fields, "val_tpl", "value_template") {
        None => Ok(Template::Value),
        Some(Json::Text(template)) => Ok(Template::parse(template)),
        Some(_) => Err(PayloadError::NotAText {
            field: "value_template",
        }),
    }
}

/// `~` at the start or the end of a topic stands for the base topic.
fn with_base(topic: &str, base: &str) -> String {
    if let Some(rest) = topic.strip_prefix('~') {
        [base, rest].concat()
    } else if let Some(rest) = topic.strip_suffix('~') {
        [rest, base].concat()
    } else {
        topic.into()
    }
}

/// One topic at the entity itself, or a list of objects.
fn availability(fields: &Fields, base: &str) -> Result<Vec<Availability>, PayloadError> {
    if text(fields, "avty_t", "availability_topic")?.is_some() {
        return Ok(vec![one_availability(fields, AT_THE_ENTITY, base)?]);
    }
    let list = value(fields, "avty", "availability").and_then(Json::as_list);
    let mut all = Vec::new();
    for item in list.unwrap_or_default() {
        let item = item.as_object().ok_or(PayloadError::NotAnObject)?;
        all.push(one_availability(item, IN_THE_LIST, base)?);
    }
    Ok(all)
}

fn one_availability(
    fields: &Fields,
    [topic, template]: [(&'static str, &'static str); 2],
    base: &str,
) -> Result<Availability, PayloadError> {
    let (short, field) = topic;
    let topic = text(fields, short, field)?.ok_or(PayloadError::Missing { field })?;
    let template = text(fields, template.0, template.1)?;
    let available = text(fields, "pl_avail", "payload_available")?;
    let not_available = text(fields, "pl_not_avail", "payload_not_available")?;
    Ok(Availability {
        topic: with_base(topic, base),
        template: template.map(Template::parse).unwrap_or_default(),
        available: available.unwrap_or("online").into(),
        not_available: not_available.unwrap_or("offline").into(),
    })
}

/// The keys of the topic and of the template, short and long.
const AT_THE_ENTITY: [(&str, &str); 2] = [
    ("avty_t", "availability_topic"),
    ("avty_tpl", "availability_template"),
];
const IN_THE_LIST: [(&str, &str); 2] = [("t", "topic"), ("val_tpl", "value_template")];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entity(payload: &str) -> Entity {
        Entity::parse(payload.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_node_of_esphome_announces_its_soil_sensor() {
        let soil = entity(
            r#"{"dev_cla":"moisture","unit_of_meas":"%","stat_cla":"measurement","name":"Soil 1","stat_t":"garden/sensor/soil_1/state","avty_t":"garden/status","uniq_id":"ESPsensorsoil_1","dev":{"ids":"84fce6123456","name":"garden","sw":"esphome v2024.10","mdl":"esp32dev","mf":"espressif"}}"#,
        );
        assert_eq!(soil.display_name(), Some("Soil 1"));
        assert_eq!(soil.device_class.as_deref(), Some("moisture"));
        assert_eq!(soil.unit.as_deref(), Some("%"));
        assert_eq!(soil.number(b"38.2"), Ok(38.2));
        assert_eq!(soil.availability[0].topic, "garden/status");
        assert_eq!(soil.availability[0].available, "online");
        assert_eq!(soil.own_device(), None);
    }

    #[test]
    fn a_zigbee_sensor_is_there_if_both_its_topics_say_so() {
        let soil = entity(
            r#"{"availability":[{"topic":"zigbee2mqtt/bridge/state","value_template":"{{ value_json.state }}"},{"topic":"zigbee2mqtt/0xff/availability","value_template":"{{ value_json.state }}"}],"availability_mode":"all","device":{"identifiers":["zigbee2mqtt_0xff"],"name":"0xff"},"device_class":"moisture","state_topic":"zigbee2mqtt/0xff","unit_of_measurement":"%","value_template":"{{ value_json.soil_moisture }}"}"#,
        );
        assert_eq!(soil.display_name(), Some("0xff"));
        assert_eq!(soil.number(br#"{"soil_moisture":40}"#), Ok(40.0));
        let words: Vec<_> = soil
            .availability
            .iter()
            .map(|availability| availability.template.text(br#"{"state":"online"}"#))
            .collect();
        assert_eq!(words, [Ok("online".into()), Ok("online".into())]);
    }

    #[test]
    fn our_own_devices_are_found_through_their_base_topic() {
        let bed = entity(
            r#"{"~":"rootzone/north-beds/bed-1","name":null,"stat_t":"~/moisture","val_tpl":"{{ value_json.moisture }}","dev":{"ids":["bed-1"],"name":"Bed 1","sa":"North beds"}}"#,
        );
        assert_eq!(bed.display_name(), Some("Bed 1"));
        assert_eq!(bed.suggested_area.as_deref(), Some("North beds"));
        assert_eq!(
            bed.own_device(),
            Some(DeviceId::new("north-beds", "bed-1").unwrap())
        );
    }

    #[test]
    fn an_empty_payload_removes() {
        assert_eq!(Entity::parse(b""), Ok(None));
    }

    #[test]
    fn bad_announcements_are_named() {
        for (payload, message) in [
            ("online", "payload is not JSON"),
            ("[]", "payload is JSON, but not an object"),
            ("{\"stat_t\":1}", "stat_t is not a short text"),
            ("{\"avty\":[{}]}", "topic is missing"),
        ] {
            let error = Entity::parse(payload.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(payload: Vec<u8>) {
            let _ = Entity::parse(&payload);
        }
    }
}
