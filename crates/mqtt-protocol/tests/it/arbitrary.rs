//! Random valid packets of 5.0, and what is left of them on 3.1.1.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use bytestring::ByteString;
use mqtt_protocol::{
    Auth, Connack, Connect, Disconnect, Packet, PacketIdentifier, PacketType, Properties, Property,
    ProtocolVersion, Puback, Pubcomp, Publish, Pubrec, Pubrel, QoS, ReasonCode, RetainHandling,
    Role, Secret, Suback, Subscribe, Subscription, TopicFilter, TopicName, Unsuback, Unsubscribe,
    WillMessage,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// A packet of 5.0 that this side may be sent.
pub(crate) fn packet_for(receiver: Role) -> BoxedStrategy<Packet> {
    let both = prop_oneof![
        8 => publish(receiver).prop_map(Packet::from),
        1 => acknowledgement(PacketType::Puback).prop_map(|(packet_identifier, reason_code, properties)| {
            Puback { packet_identifier, reason_code, properties }.into()
        }),
        1 => acknowledgement(PacketType::Pubrec).prop_map(|(packet_identifier, reason_code, properties)| {
            Pubrec { packet_identifier, reason_code, properties }.into()
        }),
        1 => acknowledgement(PacketType::Pubrel).prop_map(|(packet_identifier, reason_code, properties)| {
            Pubrel { packet_identifier, reason_code, properties }.into()
        }),
        1 => acknowledgement(PacketType::Pubcomp).prop_map(|(packet_identifier, reason_code, properties)| {
            Pubcomp { packet_identifier, reason_code, properties }.into()
        }),
        1 => disconnect(receiver).prop_map(Packet::from),
        1 => auth(receiver).prop_map(Packet::from),
    ];
    match receiver {
        Role::Server => prop_oneof![
            8 => both,
            1 => subscribe().prop_map(Packet::from),
            1 => unsubscribe().prop_map(Packet::from),
            1 => Just(Packet::Pingreq),
        ]
        .boxed(),
        Role::Client => prop_oneof![
            8 => both,
            2 => connack().prop_map(Packet::from),
            1 => suback().prop_map(Packet::from),
            1 => unsuback().prop_map(Packet::from),
            1 => Just(Packet::Pingresp),
        ]
        .boxed(),
    }
}

/// A CONNECT of 5.0.
pub(crate) fn connect() -> impl Strategy<Value = Connect> {
    let properties = some_of(vec![
        any::<u32>()
            .prop_map(Property::SessionExpiryInterval)
            .boxed(),
        any::<NonZeroU16>()
            .prop_map(Property::ReceiveMaximum)
            .boxed(),
        any::<NonZeroU32>()
            .prop_map(Property::MaximumPacketSize)
            .boxed(),
        any::<u16>().prop_map(Property::TopicAliasMaximum).boxed(),
        any::<bool>()
            .prop_map(Property::RequestResponseInformation)
            .boxed(),
        any::<bool>()
            .prop_map(Property::RequestProblemInformation)
            .boxed(),
        string().prop_map(Property::AuthenticationMethod).boxed(),
    ]);
    let will = (
        topic_name(),
        binary(),
        qos(),
        any::<bool>(),
        message_properties(true),
    )
        .prop_map(
            |(topic_name, payload, qos, retain, properties)| WillMessage {
                topic_name,
                payload,
                qos,
                retain,
                properties,
            },
        );
    (
        (any::<bool>(), any::<u16>(), properties, string()),
        (option::of(will), option::of(string()), option::of(binary())),
    )
        .prop_map(
            |(
                (clean_start, keep_alive, properties, client_identifier),
                (will, user_name, password),
            )| Connect {
                protocol_version: ProtocolVersion::V5_0,
                clean_start,
                keep_alive,
                properties,
                client_identifier,
                will,
                user_name,
                password,
            },
        )
}

/// The same packet without what 3.1.1 has no field for; `None` for AUTH and for a Server's DISCONNECT.
pub(crate) fn as_3_1_1(packet: Packet, receiver: Role) -> Option<Packet> {
    let none = Properties::new();
    let success = ReasonCode::Success;
    Some(match packet {
        Packet::Connect(connect) => Packet::from(Connect {
            protocol_version: ProtocolVersion::V3_1_1,
            properties: none.clone(),
            will: connect.will.map(|will| WillMessage {
                properties: none,
                ..will
            }),
            password: connect.password.filter(|_| connect.user_name.is_some()),
            ..*connect
        }),
        Packet::Connack(connack) => {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "3.1.1 has no code for anything else"
            )]
            let reason_code = match connack.reason_code {
                ReasonCode::Success
                | ReasonCode::UnsupportedProtocolVersion
                | ReasonCode::ClientIdentifierNotValid
                | ReasonCode::BadUserNameOrPassword
                | ReasonCode::NotAuthorized => connack.reason_code,
                ReasonCode::BadAuthenticationMethod => ReasonCode::BadUserNameOrPassword,
                ReasonCode::Banned => ReasonCode::NotAuthorized,
                _ => ReasonCode::ServerUnavailable,
            };
            Connack {
                reason_code,
                properties: none,
                ..connack
            }
            .into()
        }
        Packet::Publish(publish) => {
            let topic_name = publish
                .topic_name
                .unwrap_or_else(|| TopicName::new("by/alias").unwrap());
            Publish {
                topic_name: Some(topic_name),
                properties: none,
                ..publish
            }
            .into()
        }
        Packet::Puback(puback) => Puback {
            reason_code: success,
            properties: none,
            ..puback
        }
        .into(),
        Packet::Pubrec(pubrec) => Pubrec {
            reason_code: success,
            properties: none,
            ..pubrec
        }
        .into(),
        Packet::Pubrel(pubrel) => Pubrel {
            reason_code: success,
            properties: none,
            ..pubrel
        }
        .into(),
        Packet::Pubcomp(pubcomp) => Pubcomp {
            reason_code: success,
            properties: none,
            ..pubcomp
        }
        .into(),
        Packet::Subscribe(subscribe) => {
            let subscriptions = subscribe
                .subscriptions
                .into_iter()
                .map(|subscription| {
                    Subscription::new(subscription.topic_filter, subscription.maximum_qos)
                })
                .collect();
            Subscribe {
                subscriptions,
                properties: none,
                ..subscribe
            }
            .into()
        }
        Packet::Suback(suback) => {
            let reason_codes = suback
                .reason_codes
                .iter()
                .map(|code| {
                    if code.is_error() {
                        ReasonCode::UnspecifiedError
                    } else {
                        *code
                    }
                })
                .collect();
            Suback {
                reason_codes,
                properties: none,
                ..suback
            }
            .into()
        }
        Packet::Unsubscribe(unsubscribe) => Unsubscribe {
            properties: none,
            ..unsubscribe
        }
        .into(),
        Packet::Unsuback(unsuback) => Unsuback {
            reason_codes: vec![],
            properties: none,
            ..unsuback
        }
        .into(),
        Packet::Disconnect(_) if receiver == Role::Server => Disconnect {
            reason_code: success,
            properties: none,
        }
        .into(),
        Packet::Pingreq | Packet::Pingresp => packet,
        Packet::Disconnect(_) | Packet::Auth(_) => return None,
    })
}

fn publish(receiver: Role) -> impl Strategy<Value = Publish> {
    let payload = prop_oneof![
        8 => vec(any::<u8>(), 0..40),
        // Lengths of two and of three bytes.
        2 => (100_usize..400).prop_map(|length| vec![b'x'; length]),
        1 => (16_000_usize..17_000).prop_map(|length| vec![b'x'; length]),
    ];
    let identifiers = match receiver {
        Role::Server => Just(vec![]).boxed(),
        Role::Client => vec(subscription_identifier(), 0..3).boxed(),
    };
    (
        (
            qos(),
            any::<bool>(),
            any::<bool>(),
            packet_identifier(),
            payload,
        ),
        (topic_name(), any::<bool>(), option::of(any::<NonZeroU16>())),
        (message_properties(false), identifiers),
    )
        .prop_map(
            |(
                (qos, dup, retain, packet_identifier, payload),
                (topic_name, has_name, alias),
                (mut properties, identifiers),
            )| {
                let is_acknowledged = qos != QoS::AtMostOnce;
                properties.0.extend(identifiers);
                properties.0.extend(alias.map(Property::TopicAlias));
                Publish {
                    dup: dup && is_acknowledged,
                    qos,
                    retain,
                    topic_name: (has_name || alias.is_none()).then_some(topic_name),
                    packet_identifier: is_acknowledged.then_some(packet_identifier),
                    properties,
                    payload: payload.into(),
                }
            },
        )
}

fn connack() -> impl Strategy<Value = Connack> {
    let properties = some_of(vec![
        any::<u32>()
            .prop_map(Property::SessionExpiryInterval)
            .boxed(),
        any::<NonZeroU16>()
            .prop_map(Property::ReceiveMaximum)
            .boxed(),
        select(vec![QoS::AtMostOnce, QoS::AtLeastOnce])
            .prop_map(Property::MaximumQoS)
            .boxed(),
        any::<bool>().prop_map(Property::RetainAvailable).boxed(),
        any::<NonZeroU32>()
            .prop_map(Property::MaximumPacketSize)
            .boxed(),
        string()
            .prop_map(Property::AssignedClientIdentifier)
            .boxed(),
        any::<u16>().prop_map(Property::TopicAliasMaximum).boxed(),
        string().prop_map(Property::ReasonString).boxed(),
        any::<bool>()
            .prop_map(Property::WildcardSubscriptionAvailable)
            .boxed(),
        any::<bool>()
            .prop_map(Property::SubscriptionIdentifiersAvailable)
            .boxed(),
        any::<bool>()
            .prop_map(Property::SharedSubscriptionAvailable)
            .boxed(),
        any::<u16>().prop_map(Property::ServerKeepAlive).boxed(),
        string().prop_map(Property::ResponseInformation).boxed(),
        string().prop_map(Property::ServerReference).boxed(),
        string().prop_map(Property::AuthenticationMethod).boxed(),
    ]);
    (any::<bool>(), reason_code(PacketType::Connack), properties).prop_map(
        |(session_present, reason_code, properties)| Connack {
            session_present: session_present && reason_code == ReasonCode::Success,
            reason_code,
            properties,
        },
    )
}

fn subscribe() -> impl Strategy<Value = Subscribe> {
    let handling = select(vec![
        RetainHandling::Send,
        RetainHandling::SendIfNew,
        RetainHandling::DoNotSend,
    ]);
    let subscription = (
        topic_filter(),
        qos(),
        any::<bool>(),
        any::<bool>(),
        handling,
    )
        .prop_map(
            |(topic_filter, maximum_qos, no_local, retain_as_published, retain_handling)| {
                Subscription {
                    no_local: no_local && !topic_filter.is_shared(),
                    topic_filter,
                    maximum_qos,
                    retain_as_published,
                    retain_handling,
                }
            },
        );
    let properties = some_of(vec![subscription_identifier().boxed()]);
    (packet_identifier(), properties, vec(subscription, 1..5)).prop_map(
        |(packet_identifier, properties, subscriptions)| Subscribe {
            packet_identifier,
            properties,
            subscriptions,
        },
    )
}

fn unsubscribe() -> impl Strategy<Value = Unsubscribe> {
    (
        packet_identifier(),
        some_of(vec![]),
        vec(topic_filter(), 1..5),
    )
        .prop_map(
            |(packet_identifier, properties, topic_filters)| Unsubscribe {
                packet_identifier,
                properties,
                topic_filters,
            },
        )
}

fn suback() -> impl Strategy<Value = Suback> {
    let reason_codes = vec(reason_code(PacketType::Suback), 1..5);
    (packet_identifier(), reason_properties(), reason_codes).prop_map(
        |(packet_identifier, properties, reason_codes)| Suback {
            packet_identifier,
            properties,
            reason_codes,
        },
    )
}

fn unsuback() -> impl Strategy<Value = Unsuback> {
    let reason_codes = vec(reason_code(PacketType::Unsuback), 1..5);
    (packet_identifier(), reason_properties(), reason_codes).prop_map(
        |(packet_identifier, properties, reason_codes)| Unsuback {
            packet_identifier,
            properties,
            reason_codes,
        },
    )
}

fn acknowledgement(
    packet_type: PacketType,
) -> impl Strategy<Value = (PacketIdentifier, ReasonCode, Properties)> {
    (
        packet_identifier(),
        reason_code(packet_type),
        reason_properties(),
    )
}

fn disconnect(receiver: Role) -> impl Strategy<Value = Disconnect> {
    let (reason_codes, own) = match receiver {
        Role::Server => (
            vec![
                ReasonCode::NORMAL_DISCONNECTION,
                ReasonCode::DisconnectWithWillMessage,
                ReasonCode::UnspecifiedError,
                ReasonCode::ProtocolError,
                ReasonCode::PacketTooLarge,
            ],
            any::<u32>()
                .prop_map(Property::SessionExpiryInterval)
                .boxed(),
        ),
        Role::Client => (
            vec![
                ReasonCode::NORMAL_DISCONNECTION,
                ReasonCode::UnspecifiedError,
                ReasonCode::ServerShuttingDown,
                ReasonCode::SessionTakenOver,
                ReasonCode::MaximumConnectTime,
            ],
            string().prop_map(Property::ServerReference).boxed(),
        ),
    };
    let properties = some_of(vec![string().prop_map(Property::ReasonString).boxed(), own]);
    (select(reason_codes), properties).prop_map(|(reason_code, properties)| Disconnect {
        reason_code,
        properties,
    })
}

fn auth(receiver: Role) -> impl Strategy<Value = Auth> {
    let own = match receiver {
        Role::Server => ReasonCode::ReAuthenticate,
        Role::Client => ReasonCode::Success,
    };
    let rest = some_of(vec![
        binary()
            .prop_map(|data| Property::AuthenticationData(Secret(data)))
            .boxed(),
        string().prop_map(Property::ReasonString).boxed(),
    ]);
    (
        select(vec![ReasonCode::ContinueAuthentication, own]),
        string(),
        rest,
    )
        .prop_map(|(reason_code, method, properties)| Auth {
            reason_code,
            properties: properties.with(Property::AuthenticationMethod(method)),
        })
}

fn message_properties(is_will: bool) -> BoxedStrategy<Properties> {
    let mut candidates = vec![
        any::<bool>()
            .prop_map(Property::PayloadFormatIndicator)
            .boxed(),
        any::<u32>()
            .prop_map(Property::MessageExpiryInterval)
            .boxed(),
        string().prop_map(Property::ContentType).boxed(),
        topic_name().prop_map(Property::ResponseTopic).boxed(),
        binary().prop_map(Property::CorrelationData).boxed(),
    ];
    if is_will {
        candidates.push(any::<u32>().prop_map(Property::WillDelayInterval).boxed());
    }
    // Half of all messages have none, as most in the wild.
    prop_oneof![Just(Properties::new()), some_of(candidates)].boxed()
}

fn reason_properties() -> BoxedStrategy<Properties> {
    prop_oneof![
        Just(Properties::new()),
        some_of(vec![string().prop_map(Property::ReasonString).boxed()]),
    ]
    .boxed()
}

/// Each of them at most once, and User Properties, in any order.
fn some_of(candidates: Vec<BoxedStrategy<Property>>) -> BoxedStrategy<Properties> {
    let once: Vec<_> = candidates.into_iter().map(option::of).collect();
    let user = vec((string(), string()), 0..3);
    (once, user)
        .prop_map(|(once, user)| {
            let user = user
                .into_iter()
                .map(|(name, value)| Property::UserProperty(name, value));
            once.into_iter().flatten().chain(user).collect::<Vec<_>>()
        })
        .prop_shuffle()
        .prop_map(Properties)
        .boxed()
}

fn subscription_identifier() -> impl Strategy<Value = Property> {
    (1_u32..=268_435_455)
        .prop_map(|number| Property::SubscriptionIdentifier(NonZeroU32::new(number).unwrap()))
}

fn reason_code(packet_type: PacketType) -> impl Strategy<Value = ReasonCode> {
    let allowed = (0..=u8::MAX)
        .filter_map(ReasonCode::from_value)
        .filter(|reason_code| reason_code.is_allowed_in(packet_type));
    prop_oneof![
        Just(ReasonCode::Success),
        select(allowed.collect::<Vec<_>>())
    ]
}

fn qos() -> impl Strategy<Value = QoS> {
    select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

fn packet_identifier() -> impl Strategy<Value = PacketIdentifier> {
    (1..=u16::MAX).prop_map(|number| PacketIdentifier::new(number).unwrap())
}

fn string() -> impl Strategy<Value = ByteString> {
    "[^\0]{0,8}".prop_map(ByteString::from)
}

fn binary() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..8).prop_map(Bytes::from)
}

fn topic_name() -> impl Strategy<Value = TopicName> {
    "[^+#\0]{1,12}".prop_map(|topic| TopicName::new(topic).unwrap())
}

fn topic_filter() -> impl Strategy<Value = TopicFilter> {
    let levels = vec(select(vec!["", "a", "+", "水", "$b"]), 1..4);
    let prefix = select(vec!["x/", "$share/group/"]);
    (option::of(prefix), levels, any::<bool>()).prop_map(|(prefix, levels, is_open)| {
        let end = if is_open { "/#" } else { "/end" };
        TopicFilter::new(prefix.unwrap_or("").to_owned() + &levels.join("/") + end).unwrap()
    })
}
