//! A broker that delivers what is published under one bed to whoever subscribed there, and knows nothing else.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use load_generator::Transport;

pub(crate) struct Broker {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    transport: Transport,
    repeats: bool,
    /// PUBACK, PUBREC, PUBREL and PUBCOMP that came.
    acknowledgements: AtomicU64,
    /// Connections that are served now.
    n_peers: Mutex<usize>,
    one_left: Condvar,
    subscribers_by_bed: Mutex<HashMap<Vec<u8>, Vec<TcpStream>>>,
}

impl Broker {
    pub(crate) fn start(transport: Transport) -> Self {
        Self::start_with(transport, false)
    }

    pub(crate) fn start_repeating() -> Self {
        Self::start_with(Transport::Tcp, true)
    }

    fn start_with(transport: Transport, repeats: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            transport,
            repeats,
            acknowledgements: AtomicU64::new(0),
            n_peers: Mutex::default(),
            one_left: Condvar::new(),
            subscribers_by_bed: Mutex::default(),
        });
        let of_threads = Arc::clone(&shared);
        // Both kinds of threads end with the test's process, if not before.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&of_threads);
                *shared.n_peers.lock().unwrap() += 1;
                thread::spawn(move || {
                    Peer::serve(stream, &shared);
                    *shared.n_peers.lock().unwrap() -= 1;
                    shared.one_left.notify_all();
                });
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many came, when every connection has ended.
    pub(crate) fn acknowledgements(&self) -> u64 {
        let n_peers = self.shared.n_peers.lock().unwrap();
        let _none_left = self.shared.one_left.wait_while(n_peers, |n| *n > 0);
        self.shared.acknowledgements.load(Ordering::SeqCst)
    }
}

struct Peer<'a> {
    stream: TcpStream,
    shared: &'a Shared,
    /// MQTT's bytes that no packet has taken yet.
    bytes: Vec<u8>,
}

impl Peer<'_> {
    fn serve(mut stream: TcpStream, shared: &Shared) {
        stream.set_nodelay(true).unwrap();
        if shared.transport == Transport::WebSocket {
            shake_hands(&mut stream);
        }
        let mut peer = Peer {
            stream,
            shared,
            bytes: Vec::new(),
        };
        let mut version = 4;
        while let Some((first_byte, body)) = peer.packet() {
            match first_byte & 0xf0 {
                0x10 => {
                    version = body[6];
                    let answer: &[u8] = if version == 5 { &[0, 0, 0] } else { &[0, 0] };
                    peer.send(0x20, answer);
                }
                0x80 => peer.subscribe(&body, version),
                0x30 => peer.publish(first_byte, &body),
                0x40 | 0x70 => peer.count(),
                0x50 => {
                    peer.count();
                    peer.send(0x62, &body[..2]);
                }
                0x60 => {
                    peer.count();
                    peer.send(0x70, &body[..2]);
                }
                0xe0 => break,
                other => panic!("a packet of kind {other:#x}"),
            }
        }
    }

    fn count(&self) {
        self.shared.acknowledgements.fetch_add(1, Ordering::SeqCst);
    }

    fn subscribe(&mut self, body: &[u8], version: u8) {
        let begin = if version == 5 { 3 } else { 2 };
        let filter = &body[begin + 2..body.len() - 1];
        let stream = self.stream.try_clone().unwrap();
        let mut subscribers = self.shared.subscribers_by_bed.lock().unwrap();
        subscribers.entry(bed(filter)).or_default().push(stream);
        drop(subscribers);
        let qos = body[body.len() - 1];
        let answer = match version {
            5 => vec![body[0], body[1], 0, qos],
            _ => vec![body[0], body[1], qos],
        };
        self.send(0x90, &answer);
    }

    fn publish(&mut self, first_byte: u8, body: &[u8]) {
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let identifier = &body[2 + length..4 + length];
        match first_byte >> 1 & 3 {
            0 => {}
            1 => self.send(0x40, identifier),
            _ => self.send(0x50, identifier),
        }
        let subscribers = self.shared.subscribers_by_bed.lock().unwrap();
        let bytes = self.framed(&packet(first_byte, body));
        for mut stream in subscribers
            .get(&bed(&body[2..2 + length]))
            .into_iter()
            .flatten()
        {
            for _ in 0..1 + usize::from(self.shared.repeats) {
                // It may have left.
                let _ = stream.write_all(&bytes);
            }
        }
    }

    fn send(&mut self, first_byte: u8, body: &[u8]) {
        let bytes = self.framed(&packet(first_byte, body));
        let _ = self.stream.write_all(&bytes);
    }

    fn framed(&self, packet: &[u8]) -> Vec<u8> {
        match self.shared.transport {
            Transport::Tcp => packet.to_vec(),
            Transport::WebSocket => {
                let length = u8::try_from(packet.len()).unwrap();
                assert!(length < 126);
                [&[0x82, length], packet].concat()
            }
        }
    }

    /// The next packet, if the peer has not gone.
    fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        while self.bytes.len() < 2 || self.bytes.len() < 2 + usize::from(self.bytes[1]) {
            if !self.read() {
                return None;
            }
        }
        assert!(self.bytes[1] < 0x80, "only short packets are played");
        let rest = self.bytes.split_off(2 + usize::from(self.bytes[1]));
        let packet = std::mem::replace(&mut self.bytes, rest);
        Some((packet[0], packet[2..].to_vec()))
    }

    fn read(&mut self) -> bool {
        if self.shared.transport == Transport::WebSocket {
            let mut header = [0; 6];
            if self.stream.read_exact(&mut header).is_err() {
                return false;
            }
            assert!(header[0] == 0x82 && header[1] & 0x80 != 0 && header[1] != 0xfe);
            let mut payload = vec![0; usize::from(header[1] & 0x7f)];
            self.stream.read_exact(&mut payload).unwrap();
            let masked = payload.iter().zip(header[2..].iter().cycle());
            self.bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
            return true;
        }
        let mut part = [0; 4096];
        match self.stream.read(&mut part) {
            Ok(0) => false,
            Ok(length) => {
                self.bytes.extend(&part[..length]);
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                false
            }
        }
    }
}

fn shake_hands(stream: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    assert!(request.starts_with(b"GET /mqtt HTTP/1.1\r\n"));
    stream
        .write_all(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
        .unwrap();
}

/// `rootzone/bed-7` of any topic or filter under it.
fn bed(topic: &[u8]) -> Vec<u8> {
    let levels: Vec<_> = topic.split(|byte| *byte == b'/').take(2).collect();
    levels.join(&b'/')
}

fn packet(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap();
    assert!(length < 0x80);
    [&[first_byte, length], body].concat()
}
