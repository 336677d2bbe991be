//! One connection to the broker.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use mio::{Interest, Poll, Token, net::TcpStream as PolledStream};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::{
    Error,
    batch::push_packet,
    link::Link,
    packet::{self, Incoming, SessionKind},
    plan::{QoS, Target},
    websocket,
};

/// A connection whose CONNECT is accepted, still blocking.
pub(crate) struct Opened {
    pub(crate) stream: TcpStream,
    pub(crate) link: Link,
}

impl Opened {
    /// Goes on without blocking, told of by the poll under this token.
    pub(crate) fn register(self, poll: &Poll, token: Token) -> Result<(PolledStream, Link), Error> {
        let register = || {
            self.stream.set_nonblocking(true)?;
            let mut stream = PolledStream::from_std(self.stream);
            let interests = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, token, interests)?;
            Ok(stream)
        };
        let stream = register().map_err(Error::io("setting up a socket"))?;
        Ok((stream, self.link))
    }

    /// Opens connections with these Client Identifiers, many at a time: some brokers look at a new one only ten times
    /// a second.
    pub(crate) fn connect_all(
        target: &Target,
        client_identifiers: &[String],
    ) -> Result<Vec<Self>, Error> {
        Self::connect_all_to(target, client_identifiers, SessionKind::Clean)
    }

    /// The same with sessions of this kind.
    pub(crate) fn connect_all_to(
        target: &Target,
        client_identifiers: &[String],
        kind: SessionKind,
    ) -> Result<Vec<Self>, Error> {
        let mut opened = Vec::new();
        for together in client_identifiers.chunks(AT_A_TIME) {
            let mut dialled = Vec::new();
            for _ in together {
                dialled.push(Opening::dial(target)?);
            }
            let mut connecting = Vec::new();
            for (opening, client_identifier) in dialled.into_iter().zip(together) {
                connecting.push(opening.say_connect(target, client_identifier, kind)?);
            }
            for opening in connecting {
                opened.push(opening.hear_connack()?);
            }
        }
        Ok(opened)
    }

    pub(crate) fn say_subscribe(
        &mut self,
        target: &Target,
        filter: &str,
        qos: QoS,
    ) -> Result<(), Error> {
        self.say(target, &packet::subscribe(target.version, filter, qos))
    }

    pub(crate) fn hear_suback(&mut self, qos: QoS) -> Result<(), Error> {
        // The one Return Code or Reason Code is the last byte.
        self.hear(packet::SUBACK, |body| {
            match body.last().filter(|code| **code != qos.bits()) {
                Some(&code) => Err(Error::Refused {
                    packet: "SUBSCRIBE",
                    code,
                }),
                None => Ok(()),
            }
        })
    }

    pub(crate) fn say_disconnect(&mut self, target: &Target) -> Result<(), Error> {
        self.say(target, &packet::DISCONNECT)
    }

    fn say(&mut self, target: &Target, packet: &[u8]) -> Result<(), Error> {
        let mut bytes = Vec::new();
        push_packet(target.transport, &mut bytes, packet);
        let written = self.stream.write_all(&bytes);
        written.map_err(Error::io("writing"))
    }

    /// Waits for an answer of this kind.
    fn hear(
        &mut self,
        answer: u8,
        check: impl Fn(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut answered = false;
        let mut scratch = [0; 4096];
        while !answered {
            let handle = |incoming: Incoming<'_>, _: &mut Vec<u8>| {
                if incoming.kind() != answer {
                    return Err(Error::Unexpected("something else than the answer"));
                }
                answered = true;
                check(incoming.body)
            };
            let mut stream = Patient(&self.stream);
            self.link
                .read(&mut stream, &mut scratch, &mut Vec::new(), handle)?;
        }
        Ok(())
    }
}

/// A connection on its way, in steps, so that many can be on their way.
struct Opening(Opened);

impl Opening {
    /// Connects, from the loopback addresses behind the usual one if that has no port left, and asks for WebSocket.
    fn dial(target: &Target) -> Result<Self, Error> {
        let mut stream = dial(target.address).map_err(Error::io("connecting"))?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .map_err(Error::io("setting up a socket"))?;
        let link = Link::new(target.transport);
        if link.is_framed() {
            websocket::say_hello(&mut stream, target.address)?;
        }
        Ok(Self(Opened { stream, link }))
    }

    /// Sends the CONNECT, once the broker agrees to WebSocket.
    fn say_connect(
        mut self,
        target: &Target,
        client_identifier: &str,
        kind: SessionKind,
    ) -> Result<Self, Error> {
        if self.0.link.is_framed() {
            websocket::hear_hello(&mut self.0.stream)?;
        }
        let connect = packet::connect(target.version, client_identifier, kind);
        self.0.say(target, &connect)?;
        Ok(self)
    }

    /// Waits for the CONNACK.
    fn hear_connack(mut self) -> Result<Opened, Error> {
        // The Return Code or Reason Code stands behind the flags.
        self.0.hear(packet::CONNACK, |body| match body.get(1) {
            Some(0) => Ok(()),
            Some(&code) => Err(Error::Refused {
                packet: "CONNECT",
                code,
            }),
            None => Err(Error::Unexpected("a CONNACK that is too short")),
        })?;
        Ok(self.0)
    }
}

/// A blocking socket whose time-out is an error and not a reason to come back later.
struct Patient<'a>(&'a TcpStream);

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let timed_out = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
        match self.0.read(buffer) {
            Err(error) if timed_out(&error) => Err(ErrorKind::TimedOut.into()),
            outcome => outcome,
        }
    }
}

fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let mut outcome = TcpStream::connect(address);
    for last in 2..=SOURCES_MAX {
        match &outcome {
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable && address.is_ipv4() => {}
            Ok(_) | Err(_) => break,
        }
        outcome = dial_from(Ipv4Addr::new(127, 0, 0, last), address);
    }
    outcome
}

fn dial_from(source: Ipv4Addr, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SockAddr::from(SocketAddr::from((source, 0))))?;
    socket.connect(&SockAddr::from(address))?;
    Ok(socket.into())
}

/// Below the backlog of those that have a short one.
const AT_A_TIME: usize = 100;
const PATIENCE: Duration = Duration::from_secs(10);
/// The last part of the highest loopback address that is tried.
const SOURCES_MAX: u8 = 9;
