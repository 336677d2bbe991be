//! Messages over Network Connections that break at any moment.

use std::num::NonZeroU16;

use mqtt_protocol::{
    AcknowledgedQoS, Packet, PacketIdentifier, Properties, Puback, Pubcomp, Pubrec, Pubrel,
    ReasonCode, ReceivedPublish, Session, Transmission,
};
use proptest::{
    collection::vec,
    prelude::{Strategy, prop_oneof},
    strategy::Just,
};

use crate::{
    random::check,
    world::{BOTH, ClientId, ExactlyOnce, World, publish, resume},
};

/// A Client with a session of its own, made of the same parts as a real one.
struct Peer {
    client: ClientId,
    client_identifier: &'static str,
    session: Session<String>,
    /// Sent, but not yet at the broker.
    on_the_way: Vec<Packet>,
    received: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Publish,
    /// What one of them sent arrives.
    Arrive(Who),
    /// One of them reads some packets and answers.
    Read(Who, usize),
    /// What is on the way is lost, in both directions.
    Cut(Who),
    Reconnect(Who),
}

#[derive(Debug, Clone, Copy)]
enum Who {
    Publisher,
    Subscriber,
}

fn a_step() -> impl Strategy<Value = Step> {
    let who = || prop_oneof![Just(Who::Publisher), Just(Who::Subscriber)];
    prop_oneof![
        4 => Just(Step::Publish),
        4 => who().prop_map(Step::Arrive),
        4 => (who(), 1..4usize).prop_map(|(who, n)| Step::Read(who, n)),
        1 => who().prop_map(Step::Cut),
        3 => who().prop_map(Step::Reconnect),
    ]
}

impl Peer {
    fn new(world: &mut World, number: usize, client_identifier: &'static str) -> Self {
        let (client, _) = world.connect(resume(BOTH[number], client_identifier));
        let mut peer = Self {
            client,
            client_identifier,
            session: Session::default(),
            on_the_way: Vec::new(),
            received: Vec::new(),
        };
        peer.resume();
        peer
    }

    fn resume(&mut self) {
        self.session.outgoing.resume(NonZeroU16::MAX);
        self.session.incoming.resume(NonZeroU16::MAX);
        self.send_waiting();
    }

    fn send_waiting(&mut self) {
        while let Some(transmission) = self.session.outgoing.poll_transmission() {
            self.on_the_way.push(match transmission {
                Transmission::Publish {
                    packet_identifier,
                    qos,
                    dup,
                    message,
                } => {
                    let mut packet = publish("a", message, qos.into());
                    packet.packet_identifier = Some(packet_identifier);
                    packet.dup = dup;
                    Packet::Publish(packet)
                }
                Transmission::Pubrel { packet_identifier } => pubrel(packet_identifier),
            });
        }
    }

    fn arrive(&mut self, world: &mut World) {
        for packet in self.on_the_way.drain(..) {
            if !world.is_closed(self.client) {
                world.send(self.client, packet);
            }
        }
    }

    fn read(&mut self, world: &mut World, n_packets: usize) {
        for _ in 0..n_packets {
            let Some(packet) = world.receive(self.client) else {
                return;
            };
            self.handle(packet);
        }
    }

    fn handle(&mut self, packet: Packet) {
        let outgoing = &mut self.session.outgoing;
        let incoming = &mut self.session.incoming;
        match packet {
            Packet::Puback(puback) => drop(outgoing.handle_puback(puback.packet_identifier)),
            Packet::Pubrec(pubrec) => {
                outgoing.handle_pubrec(pubrec.packet_identifier, pubrec.reason_code);
                self.on_the_way.push(pubrel(pubrec.packet_identifier));
            }
            Packet::Pubcomp(pubcomp) => drop(outgoing.handle_pubcomp(pubcomp.packet_identifier)),
            Packet::Publish(publish) => {
                let identifier = publish.packet_identifier.unwrap();
                let qos = AcknowledgedQoS::new(publish.qos).unwrap();
                let received = incoming.handle_publish(identifier, qos);
                assert_ne!(received, ReceivedPublish::QuotaExceeded);
                if received == ReceivedPublish::New {
                    self.received
                        .push(String::from_utf8(publish.payload.to_vec()).unwrap());
                }
                self.on_the_way.push(match qos {
                    AcknowledgedQoS::AtLeastOnce => {
                        incoming.puback_sent();
                        puback(identifier)
                    }
                    AcknowledgedQoS::ExactlyOnce => pubrec(identifier),
                });
            }
            Packet::Pubrel(pubrel) => {
                incoming.handle_pubrel(pubrel.packet_identifier);
                self.on_the_way.push(pubcomp(pubrel.packet_identifier));
            }
            other => panic!("{other:?}"),
        }
        self.send_waiting();
    }

    fn cut(&mut self, world: &mut World) {
        if !world.is_closed(self.client) {
            world.cut(self.client);
        }
        world.receive_all(self.client);
        self.on_the_way.clear();
        self.session.outgoing.suspend();
    }

    fn reconnect(&mut self, world: &mut World, number: usize) {
        // A second connection takes the session over, whether or not the first one is gone.
        let (client, connack) = world.connect(resume(BOTH[number], self.client_identifier));
        assert!(connack.session_present);
        world.receive_all(self.client);
        self.on_the_way.clear();
        self.client = client;
        self.resume();
    }
}

fn pubrel(packet_identifier: PacketIdentifier) -> Packet {
    Packet::Pubrel(Pubrel {
        packet_identifier,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

fn puback(packet_identifier: PacketIdentifier) -> Packet {
    Packet::Puback(Puback {
        packet_identifier,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

fn pubrec(packet_identifier: PacketIdentifier) -> Packet {
    Packet::Pubrec(Pubrec {
        packet_identifier,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

fn pubcomp(packet_identifier: PacketIdentifier) -> Packet {
    Packet::Pubcomp(Pubcomp {
        packet_identifier,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

/// Sends numbered messages from one Client to another; gives what was sent and what came.
fn run(steps: &[Step], qos: AcknowledgedQoS) -> (Vec<String>, Vec<String>) {
    let mut world = World::new();
    let mut subscriber = Peer::new(&mut world, 1, "subscriber");
    world.subscribe(subscriber.client, "a", ExactlyOnce);
    let mut publisher = Peer::new(&mut world, 0, "publisher");
    let mut sent = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Step::Publish => {
                let message = sent.len().to_string();
                sent.push(message.clone());
                publisher.session.outgoing.push(message, qos).unwrap();
                publisher.send_waiting();
            }
            Step::Arrive(who) => peer_of(who, &mut publisher, &mut subscriber).arrive(&mut world),
            Step::Read(who, n_packets) => {
                peer_of(who, &mut publisher, &mut subscriber).read(&mut world, n_packets);
            }
            Step::Cut(who) => peer_of(who, &mut publisher, &mut subscriber).cut(&mut world),
            Step::Reconnect(who) => {
                peer_of(who, &mut publisher, &mut subscriber).reconnect(&mut world, number % 2);
            }
        }
    }
    publisher.reconnect(&mut world, 0);
    subscriber.reconnect(&mut world, 1);
    for _ in 0..6 {
        for peer in [&mut publisher, &mut subscriber] {
            peer.arrive(&mut world);
            peer.read(&mut world, usize::MAX);
        }
    }
    assert_eq!(publisher.session.outgoing.in_flight().len(), 0);
    assert_eq!(world.broker.counters().queued_messages, 0);
    (sent, subscriber.received)
}

fn peer_of<'a>(who: Who, publisher: &'a mut Peer, subscriber: &'a mut Peer) -> &'a mut Peer {
    match who {
        Who::Publisher => publisher,
        Who::Subscriber => subscriber,
    }
}

#[test]
fn qos_2_messages_arrive_exactly_once_and_in_order() {
    check(200, &vec(a_step(), 1..150), |steps| {
        let (sent, received) = run(&steps, AcknowledgedQoS::ExactlyOnce);
        assert_eq!(received, sent);
    });
}

#[test]
fn qos_1_messages_all_arrive_and_first_come_in_order() {
    check(200, &vec(a_step(), 1..150), |steps| {
        let (sent, received) = run(&steps, AcknowledgedQoS::AtLeastOnce);
        let mut first = Vec::new();
        for message in received {
            if !first.contains(&message) {
                first.push(message);
            }
        }
        assert_eq!(first, sent);
    });
}
