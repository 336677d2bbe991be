//! PUBLISH in both directions.

use super::{Request, ServerConnection};
use crate::{
    AcknowledgedQoS, EncodedPublish, Packet, PacketIdentifier, Properties, Property, Publish,
    Pubrec, ReasonCode, ReceivedPublish, Session, packet::AliasUse,
};

impl ServerConnection {
    /// Whether the Client reads packets as large as this one will be.
    #[must_use]
    pub fn may_transmit(&self, publish: &EncodedPublish) -> bool {
        let maximum = self.client.maximum_packet_size.get() as usize;
        publish.bytes.len() <= maximum
            || self.sent_aliases.as_ref().is_some_and(|aliases| {
                let alias = aliases.for_topic(publish.topic_name());
                alias.is_some_and(|alias| publish.aliased_len(alias) <= maximum)
            })
    }

    /// Sends a message that was encoded for this version; says whether the Client reads packets that large.
    pub fn transmit_publish(
        &mut self,
        publish: &EncodedPublish,
        packet_identifier: Option<PacketIdentifier>,
        dup: bool,
    ) -> bool {
        let maximum = self.client.maximum_packet_size.get() as usize;
        if let Some(aliases) = &mut self.sent_aliases
            && let Some(alias) = aliases.for_topic(publish.topic_name())
            && publish.append_aliased_to(&mut self.output, packet_identifier, dup, alias, maximum)
        {
            if let AliasUse::New(alias) = alias {
                aliases.remember(publish.topic_name(), alias);
            }
            return true;
        }
        // 5.0 [MQTT-3.1.2-24]
        if publish.bytes.len() > maximum {
            return false;
        }
        publish.append_to(&mut self.output, packet_identifier, dup);
        true
    }

    pub(super) fn handle_publish<M>(
        &mut self,
        mut publish: Publish,
        session: &mut Session<M>,
    ) -> Option<Request<M>> {
        if publish.qos > self.settings.maximum_qos {
            // 5.0 [MQTT-3.2.2-11]
            self.disconnect(ReasonCode::QoSNotSupported);
            return None;
        }
        if publish.retain && !self.settings.retain_available {
            // 5.0 [MQTT-3.2.2-14]
            self.disconnect(ReasonCode::RetainNotSupported);
            return None;
        }
        if let Err(reason_code) = self.resolve_topic_alias(&mut publish) {
            self.disconnect(reason_code);
            return None;
        }
        let (Some(qos), Some(packet_identifier)) =
            (AcknowledgedQoS::new(publish.qos), publish.packet_identifier)
        else {
            return Some(Request::Publish(publish));
        };
        match session.incoming.handle_publish(packet_identifier, qos) {
            ReceivedPublish::New => Some(Request::Publish(publish)),
            ReceivedPublish::Duplicate => {
                // [MQTT-4.3.3-10]: acknowledged again, not delivered again.
                self.transmit(&Packet::Pubrec(Pubrec {
                    packet_identifier,
                    reason_code: ReasonCode::Success,
                    properties: Properties::new(),
                }));
                Some(Request::Repeated)
            }
            ReceivedPublish::QuotaExceeded => {
                // 5.0 [MQTT-3.3.4-7]
                self.disconnect(ReasonCode::ReceiveMaximumExceeded);
                None
            }
        }
    }

    /// Puts the Topic Name in the place of its alias, and remembers a new alias.
    fn resolve_topic_alias(&mut self, publish: &mut Publish) -> Result<(), ReasonCode> {
        let Some(alias) = publish.properties.topic_alias() else {
            return match publish.topic_name {
                Some(_) => Ok(()),
                None => Err(ReasonCode::ProtocolError),
            };
        };
        // 5.0 [MQTT-3.2.2-17]
        if alias.get() > self.settings.topic_alias_maximum {
            return Err(ReasonCode::TopicAliasInvalid);
        }
        publish
            .properties
            .0
            .retain(|property| !matches!(property, Property::TopicAlias(_)));
        let place = usize::from(alias.get()) - 1;
        match &publish.topic_name {
            Some(topic_name) => {
                if self.topic_by_alias.len() <= place {
                    self.topic_by_alias.resize(place + 1, None);
                }
                // An alias lives long, and must not keep what was read with it.
                self.topic_by_alias[place] = Some(topic_name.detached());
            }
            None => {
                let known = self.topic_by_alias.get(place).cloned().flatten();
                publish.topic_name = Some(known.ok_or(ReasonCode::ProtocolError)?);
            }
        }
        Ok(())
    }
}
