//! What the task of one connection does: send what a full socket left over, read, decode, run the core, send.

use std::{
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use mqtt_protocol::{DecodeError, Decoder, Packet};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{TcpStream, tcp::OwnedReadHalf},
    time::{Sleep, sleep},
};

use crate::{
    connection::{Connection, Transport},
    flush_list::{FlushList, poll_again_after_sockets},
    hub::Hub,
    output::{OutputLimits, Phase, Status},
    scratch,
    websocket::FrameReader,
};

/// The life of one Network Connection, from the first byte to the last.
///
/// A future written by hand: so an idle connection costs no more than these fields.
#[derive(Debug)]
pub(crate) struct ConnectionTask {
    hub: Arc<Hub>,
    connection: Arc<Connection>,
    reader: OwnedReadHalf,
    decoder: Decoder,
    frames: Option<Box<FrameReader>>,
    flushes: FlushList,
    ending: Option<Ending>,
}

/// The last moments of a connection that the broker closed.
///
/// The peer gets time to read what was sent: closing a socket while bytes of the peer are unread
/// would reset the connection and destroy the DISCONNECT on its way.
#[derive(Debug)]
struct Ending {
    deadline: Pin<Box<Sleep>>,
    is_writing_shut_down: bool,
    has_peer_finished: bool,
}

/// What one read brought.
struct Received {
    bytes: Bytes,
    /// WebSocket frames to answer with.
    replies: Vec<u8>,
    has_ended: bool,
}

impl ConnectionTask {
    pub(crate) fn new(hub: Arc<Hub>, stream: TcpStream, transport: Transport) -> Self {
        let (reader, writer) = stream.into_split();
        let mut flushes = FlushList::default();
        Self {
            connection: hub.open(writer, transport, &mut flushes),
            reader,
            decoder: hub.decoder(),
            frames: match transport {
                Transport::Tcp => None,
                Transport::WebSocket => Some(Box::new(FrameReader::new(
                    hub.settings().connections.websocket_message_bytes,
                ))),
            },
            flushes,
            ending: None,
            hub,
        }
    }

    /// Handles what was read from the socket before it was handed over.
    pub(crate) fn handle_early_bytes(&mut self, mut bytes: Vec<u8>) {
        if let Some(received) = self.receive(&mut bytes) {
            self.handle(received);
        }
    }

    /// Sends what a full socket left over, as long as it takes more.
    fn poll_send(&mut self, limits: &OutputLimits, context: &mut Context<'_>) -> Status {
        loop {
            let is_store_behind = self.hub.is_store_behind();
            let status = self
                .connection
                .poll_status(limits, is_store_behind, context);
            if !status.is_socket_full {
                return status;
            }
            match self.connection.poll_writable(context) {
                Poll::Ready(Ok(())) => self.flushes.flush(&self.connection, &self.hub),
                Poll::Ready(Err(error)) => self.handle_lost_connection(Some(error)),
                Poll::Pending => return status,
            }
        }
    }

    /// Reads once and handles all that came; ready if something did.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let received = scratch::with_read_buffer(|buffer| {
            let n = ready!(self.poll_socket(context, buffer))?;
            Poll::Ready(Ok(self.receive(&mut buffer[..n])))
        });
        match ready!(received) {
            Ok(Some(received)) => self.handle(received),
            Ok(None) => self.handle_lost_connection(None),
            Err(error) => self.handle_lost_connection(Some(error)),
        }
        Poll::Ready(())
    }

    /// Reads from the socket: no second call says that there is nothing more, as a partial read shows it.
    fn poll_socket(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.reader).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Takes the transport off what was read; `None` at its end.
    fn receive(&mut self, input: &mut [u8]) -> Option<Received> {
        if input.is_empty() {
            return None;
        }
        let mut replies = Vec::new();
        let (payload, has_ended) = match &mut self.frames {
            None => (input.len(), false),
            Some(frames) => {
                let decoded = frames.decode(input, &mut replies);
                (decoded.payload, decoded.ended)
            }
        };
        Some(Received {
            // The one allocation of a read: payloads are slices of it on their way to every subscriber.
            bytes: Bytes::copy_from_slice(&input[..payload]),
            replies,
            has_ended,
        })
    }

    fn handle(&mut self, received: Received) {
        let mut packets = scratch::take_packets();
        self.decoder.feed(received.bytes);
        let outcome = decode_all(&mut self.decoder, &mut packets);
        if !packets.is_empty() || outcome.is_err() {
            let id = self.connection.id;
            while !packets.is_empty() {
                let n = packets.len().min(PACKETS_PER_RUN);
                self.hub.run(&mut self.flushes, |broker, now| {
                    broker.handle_packets(id, packets.drain(..n), now);
                });
            }
            if let Err(error) = &outcome {
                self.hub.run(&mut self.flushes, |broker, now| {
                    broker.handle_decode_error(id, error, now);
                });
            }
        }
        scratch::give_back_packets(packets);

        if received.has_ended {
            self.hub.close(self.connection.id, &mut self.flushes);
            if self.connection.close_with_frames(&received.replies) {
                self.flushes.push(Arc::clone(&self.connection));
            }
        } else if !received.replies.is_empty() {
            let limits = &self.hub.settings().connections.output;
            let connection = &self.connection;
            // Under the core's lock, because the core has to hear of a Client that falls behind.
            let must_flush = self.hub.run(&mut self.flushes, |broker, now| {
                let appended = connection.append_frames(&received.replies, limits);
                if appended.fell_behind {
                    broker.set_writable(connection.id, false, now);
                }
                appended.must_flush
            });
            if must_flush {
                self.flushes.push(Arc::clone(&self.connection));
            }
        }
    }

    fn handle_lost_connection(&mut self, error: Option<io::Error>) {
        tracing::debug!(connection = %self.connection.id, ?error, "connection lost");
        self.hub.close(self.connection.id, &mut self.flushes);
        self.connection.abandon();
    }

    /// Waits until the peer has taken the last bytes and closed its side, or until its time is up.
    fn poll_end(&mut self, is_all_sent: bool, context: &mut Context<'_>) -> Poll<()> {
        let linger = self.hub.settings().linger;
        let mut ending = self.ending.take().unwrap_or_else(|| Ending {
            deadline: Box::pin(sleep(linger)),
            is_writing_shut_down: false,
            has_peer_finished: false,
        });
        if is_all_sent && !mem::replace(&mut ending.is_writing_shut_down, is_all_sent) {
            self.connection.shut_down_writing();
        }
        // Before reading: who never stops sending uses up every turn, and without one a deadline does not come.
        let is_time_up = ending.deadline.as_mut().poll(context).is_ready();
        while !is_time_up && !ending.has_peer_finished {
            let read = scratch::with_read_buffer(|buffer| self.poll_socket(context, buffer));
            match read {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => ending.has_peer_finished = true,
                Poll::Pending => break,
            }
        }
        let is_over = is_time_up || (is_all_sent && ending.has_peer_finished);
        self.ending = Some(ending);
        if is_over {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Future for ConnectionTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let task = self.get_mut();
        let limits = task.hub.settings().connections.output.clone();
        for _ in 0..READS_IN_A_ROW {
            let status = task.poll_send(&limits, context);
            let progress = match status.phase {
                Phase::Open if status.may_read => task.poll_read(context),
                Phase::Open => Poll::Pending,
                Phase::Closing => task
                    .poll_end(false, context)
                    .map(|()| task.connection.abandon()),
                Phase::Sent => task
                    .poll_end(true, context)
                    .map(|()| task.connection.abandon()),
                Phase::Broken if task.flushes.is_empty() => return Poll::Ready(()),
                Phase::Broken => Poll::Ready(()),
            };
            task.flushes.share(&task.hub);
            task.flushes.flush_some(&task.hub);
            if !task.flushes.is_empty() {
                poll_again_after_sockets(context);
                return Poll::Pending;
            }
            if progress.is_pending() {
                return Poll::Pending;
            }
        }
        // The socket has still more, but others want their turn.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for ConnectionTask {
    fn drop(&mut self) {
        // However the task ends, the core knows and no duty is lost.
        self.hub.close(self.connection.id, &mut self.flushes);
        self.connection.abandon();
        while !self.flushes.is_empty() {
            self.flushes.flush_some(&self.hub);
        }
    }
}

/// Decodes packets until there is none or something is wrong with one.
fn decode_all(decoder: &mut Decoder, packets: &mut Vec<Packet>) -> Result<(), DecodeError> {
    while let Some(packet) = decoder.next_packet()? {
        packets.push(packet);
    }
    Ok(())
}

/// After so many packets the output that they brought about is looked at, and who does not keep up is noticed.
const PACKETS_PER_RUN: usize = 128;

/// How often one task may read before others are polled.
const READS_IN_A_ROW: usize = 4;

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        net::{Ipv4Addr, SocketAddr},
        pin::pin,
        time::Duration,
    };

    use tokio::{
        io::AsyncWriteExt,
        net::TcpListener,
        task::{consume_budget, yield_now},
    };

    use super::*;
    use crate::{Settings, websocket::CloseCode};

    /// A connection's task that nobody runs, and its peer.
    async fn task_and_peer(settings: Settings) -> (ConnectionTask, TcpStream) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(address).await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap());
        let (peer, accepted) = tokio::join!(peer, listener.accept());
        let broker = mqtt_broker_core::Broker::new(settings.broker.clone(), 42);
        let hub = Arc::new(Hub::new(settings, broker, mqtt_protocol::Instant::START));
        let task = ConnectionTask::new(hub, accepted.unwrap().0, Transport::Tcp);
        (task, peer.unwrap())
    }

    /// Polls in a turn of which others have left only so much.
    async fn poll_with_budget(task: &mut ConnectionTask, left: usize) -> Poll<()> {
        let use_up = async |n_max| {
            yield_now().await;
            poll_fn(|context| {
                let mut n = 0;
                while n < n_max && pin!(consume_budget()).poll(context).is_ready() {
                    n += 1;
                }
                Poll::Ready(n)
            })
            .await
        };
        let whole = use_up(usize::MAX).await;
        use_up(whole - left).await;
        poll_fn(|context| Poll::Ready(Pin::new(&mut *task).poll(context))).await
    }

    #[tokio::test]
    async fn the_last_moments_end_although_reading_uses_up_the_turn() {
        let settings = Settings {
            linger: Duration::ZERO,
            ..Settings::default()
        };
        let (mut task, mut peer) = task_and_peer(settings).await;
        let _ = task.connection.close(CloseCode::NORMAL);
        let mut is_over = poll_with_budget(&mut task, 1).await.is_ready();
        if !is_over {
            task.ending.as_mut().unwrap().deadline.as_mut().await;
            peer.write_all(b"x").await.unwrap();
            task.reader.readable().await.unwrap();
            is_over = poll_with_budget(&mut task, 1).await.is_ready();
        }
        assert!(is_over);
    }
}
