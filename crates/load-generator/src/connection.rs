//! One connection to the broker.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::{
    Error,
    batch::push_packet,
    link::Link,
    packet::{self, Incoming},
    plan::{QoS, Target},
};

/// A connection whose CONNECT is accepted, still blocking.
pub(crate) struct Opened {
    pub(crate) stream: TcpStream,
    pub(crate) link: Link,
}

impl Opened {
    /// Connects, from the loopback addresses behind the usual one if that has no port left.
    pub(crate) fn connect(target: &Target, client_identifier: &str) -> Result<Self, Error> {
        let mut stream = dial(target.address).map_err(Error::io("connecting"))?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .map_err(Error::io("setting up a socket"))?;
        let link = Link::new(target.transport);
        if link.is_framed() {
            let rest = crate::websocket::shake_hands(&mut stream, target.address)?;
            if !rest.is_empty() {
                return Err(Error::Unexpected("bytes before the CONNECT"));
            }
        }
        let mut opened = Self { stream, link };
        let connect = packet::connect(target.version, client_identifier);
        // The Return Code or Reason Code stands behind the flags.
        opened.ask(target, &connect, packet::CONNACK, |body| {
            body.get(1).filter(|code| **code != 0).copied()
        })?;
        Ok(opened)
    }

    pub(crate) fn subscribe(
        &mut self,
        target: &Target,
        filter: &str,
        qos: QoS,
    ) -> Result<(), Error> {
        let subscribe = packet::subscribe(target.version, filter, qos);
        // The one Return Code or Reason Code is the last byte.
        self.ask(target, &subscribe, packet::SUBACK, |body| {
            body.last().filter(|code| **code != qos.bits()).copied()
        })
    }

    /// Sends a packet and waits for its answer; `refusal` finds the code in it that says no.
    fn ask(
        &mut self,
        target: &Target,
        packet: &[u8],
        answer: u8,
        refusal: impl Fn(&[u8]) -> Option<u8>,
    ) -> Result<(), Error> {
        let mut bytes = Vec::new();
        push_packet(target.transport, &mut bytes, packet);
        self.stream
            .write_all(&bytes)
            .map_err(Error::io("writing"))?;
        let mut answered = false;
        let mut scratch = [0; 4096];
        while !answered {
            let handle = |incoming: Incoming<'_>, _: &mut Vec<u8>| {
                if incoming.kind() != answer {
                    return Err(Error::Unexpected("something else than the answer"));
                }
                if let Some(code) = refusal(incoming.body) {
                    let packet = match answer {
                        packet::CONNACK => "CONNECT",
                        _ => "SUBSCRIBE",
                    };
                    return Err(Error::Refused { packet, code });
                }
                answered = true;
                Ok(())
            };
            let waited = self.link.read(
                &mut Patient(&self.stream),
                &mut scratch,
                &mut Vec::new(),
                handle,
            );
            waited?;
        }
        Ok(())
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

const PATIENCE: Duration = Duration::from_secs(10);
/// The last part of the highest loopback address that is tried.
const SOURCES_MAX: u8 = 9;
