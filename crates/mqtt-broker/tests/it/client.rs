//! A bare MQTT 3.1.1 client, and a server to talk to.

use std::{net::SocketAddr, time::Duration};

use mqtt_broker::{Server, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};

/// A server on a port of its own.
pub(crate) async fn serve(settings: Settings) -> (Server, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(settings, 42);
    let serving = server.clone();
    tokio::spawn(async move { serving.serve_tcp(listener).await });
    (server, address)
}

/// A connected client.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_on(TcpSocket::new_v4().unwrap(), address).await
    }

    /// Opens a connection without saying anything.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::open_on(TcpSocket::new_v4().unwrap(), address).await
    }

    async fn open_on(socket: TcpSocket, address: SocketAddr) -> Self {
        let stream = socket.connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// Connects a socket that was made ready for something.
    pub(crate) async fn connect_on(socket: TcpSocket, address: SocketAddr) -> Self {
        let mut client = Self::open_on(socket, address).await;
        client
            .send(b"\x10\x0C\x00\x04MQTT\x04\x02\x00\x00\x00\x00")
            .await;
        assert_eq!(client.receive_packet().await, b"\x20\x02\x00\x00");
        client
    }

    /// Subscribes to a topic of one letter.
    pub(crate) async fn subscribe(&mut self, topic: u8, qos: u8) {
        self.send(&[0x82, 6, 0, 1, 0, 1, topic, qos]).await;
        assert_eq!(self.receive_packet().await, [0x90, 3, 0, 1, qos]);
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// One packet, of at most 16,383 bytes behind its fixed header.
    pub(crate) async fn receive_packet(&mut self) -> Vec<u8> {
        timeout(PATIENCE, async {
            let mut packet = vec![self.stream.read_u8().await.unwrap()];
            packet.push(self.stream.read_u8().await.unwrap());
            let mut remaining = usize::from(packet[1]);
            if remaining >= 128 {
                packet.push(self.stream.read_u8().await.unwrap());
                remaining += (usize::from(packet[2]) - 1) * 128;
            }
            let n_header = packet.len();
            packet.resize(n_header + remaining, 0);
            self.stream
                .read_exact(&mut packet[n_header..])
                .await
                .unwrap();
            packet
        })
        .await
        .expect("a packet comes")
    }

    pub(crate) async fn receive_end(&mut self) {
        let mut bytes = Vec::new();
        timeout(PATIENCE, self.stream.read_to_end(&mut bytes))
            .await
            .expect("the server closes")
            .unwrap();
        assert!(bytes.is_empty(), "{bytes:02X?}");
    }
}

/// A PUBLISH on a topic of one letter; its payload has at most 16,000 bytes.
pub(crate) fn publish(topic: u8, qos: u8, packet_identifier: u16, payload: &[u8]) -> Vec<u8> {
    let length = 3 + if qos > 0 { 2 } else { 0 } + payload.len();
    let mut packet = vec![0x30 | qos << 1];
    if length < 128 {
        packet.push(u8::try_from(length).unwrap());
    } else {
        packet.push(u8::try_from(length % 128 + 128).unwrap());
        packet.push(u8::try_from(length / 128).unwrap());
    }
    packet.extend([0, 1, topic]);
    if qos > 0 {
        packet.extend(packet_identifier.to_be_bytes());
    }
    packet.extend(payload);
    packet
}

/// Long enough for a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(60);
