//! The server's side of WebSocket (RFC 6455) as a byte transformer, without I/O of its own.
//!
//! MQTT takes the payloads of binary frames as one stream of bytes, so nothing waits for a whole
//! frame or message: payload is unmasked and moved to the front of the buffer that was read.
//! All that is kept between two reads is part of a frame's header and of a control frame.

mod close_code;
mod frame_header;

pub(crate) use close_code::CloseCode;
use close_code::{is_sendable, parse_close};
use frame_header::{FrameHeader, Opcode, Parsed};

/// Strips the frames off what a WebSocket client sends.
#[derive(Debug)]
pub(crate) struct FrameReader {
    message_bytes_max: u64,
    /// Bytes of a header that is not complete.
    header: [u8; frame_header::LENGTH_MAX],
    n_header: u8,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// Bytes of the message that earlier frames brought; `None` between two messages.
    message_bytes: Option<u64>,
    /// Payload of a control frame that is not complete.
    control: Vec<u8>,
    ended: bool,
}

/// The rest of a frame after its header.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    remaining: u64,
    /// Rotated so that its first byte belongs to the next byte of payload.
    mask: [u8; 4],
}

/// What a piece of input brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// How many bytes of MQTT stand at the front of the input.
    pub(crate) payload: usize,
    /// Whether the WebSocket ended; the Close frame to send is at the end of the replies.
    pub(crate) ended: bool,
}

impl FrameReader {
    /// Reads frames from the beginning; a message longer than `message_bytes_max` ends the connection.
    pub(crate) fn new(message_bytes_max: u64) -> Self {
        Self {
            message_bytes_max,
            header: [0; frame_header::LENGTH_MAX],
            n_header: 0,
            frame: None,
            message_bytes: None,
            control: Vec::new(),
            ended: false,
        }
    }

    /// Reads what came, moves the payload of data frames to the front of `input`
    /// and appends Pong and Close frames to `replies`.
    pub(crate) fn decode(&mut self, input: &mut [u8], replies: &mut Vec<u8>) -> Decoded {
        let mut read = 0;
        let mut payload = 0;
        while read < input.len() && !self.ended {
            let outcome = match self.frame {
                None => self.decode_header(input, &mut read),
                Some(frame) => {
                    let available = input.len() - read;
                    let n =
                        usize::try_from(frame.remaining).map_or(available, |n| n.min(available));
                    input.copy_within(read..read + n, payload);
                    let bytes = &mut input[payload..payload + n];
                    unmask(bytes, frame.mask);
                    read += n;
                    if frame.opcode.is_control() {
                        self.control.extend_from_slice(bytes);
                    } else {
                        payload += n;
                    }
                    self.frame = Some(frame.after(n));
                    Ok(())
                }
            };
            match outcome.and_then(|()| self.finish_frame(replies)) {
                Ok(()) => {}
                Err(code) => self.end(code, replies),
            }
        }
        Decoded {
            payload,
            ended: self.ended,
        }
    }

    fn decode_header(&mut self, input: &[u8], read: &mut usize) -> Result<(), CloseCode> {
        let header = match frame_header::parse(&self.header[..usize::from(self.n_header)])? {
            Parsed::Needs(n) => {
                let have = usize::from(self.n_header);
                let take = (n - have).min(input.len() - *read);
                self.header[have..have + take].copy_from_slice(&input[*read..*read + take]);
                *read += take;
                self.n_header = u8::try_from(have + take).expect("a header has at most 14 bytes");
                frame_header::parse(&self.header[..have + take])?
            }
            complete @ Parsed::Complete(_) => complete,
        };
        match header {
            Parsed::Needs(_) => Ok(()),
            Parsed::Complete(header) => {
                self.n_header = 0;
                self.begin_frame(header)
            }
        }
    }

    fn begin_frame(&mut self, header: FrameHeader) -> Result<(), CloseCode> {
        match (header.opcode, self.message_bytes) {
            (Opcode::Text, _) => return Err(CloseCode::UNSUPPORTED_DATA),
            (Opcode::Continuation, None) | (Opcode::Binary, Some(_)) => {
                return Err(CloseCode::PROTOCOL_ERROR);
            }
            (Opcode::Continuation, Some(before)) => self.grow_message(before, header.length)?,
            (Opcode::Binary, None) => self.grow_message(0, header.length)?,
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => self.control.clear(),
        }
        self.frame = Some(Frame {
            opcode: header.opcode,
            is_final: header.is_final,
            remaining: header.length,
            mask: header.mask,
        });
        Ok(())
    }

    fn grow_message(&mut self, before: u64, length: u64) -> Result<(), CloseCode> {
        let message_bytes = before.saturating_add(length);
        if message_bytes > self.message_bytes_max {
            return Err(CloseCode::MESSAGE_TOO_BIG);
        }
        self.message_bytes = Some(message_bytes);
        Ok(())
    }

    fn finish_frame(&mut self, replies: &mut Vec<u8>) -> Result<(), CloseCode> {
        let Some(frame) = self.frame.take_if(|frame| frame.remaining == 0) else {
            return Ok(());
        };
        match frame.opcode {
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                if frame.is_final {
                    self.message_bytes = None;
                }
            }
            Opcode::Ping => {
                append_header(Opcode::Pong, self.control.len(), replies);
                replies.extend_from_slice(&self.control);
                // Few clients ping, so an idle connection keeps no room for it.
                self.control = Vec::new();
            }
            Opcode::Pong => self.control = Vec::new(),
            Opcode::Close => {
                let code = parse_close(&self.control)?;
                self.end(code, replies);
            }
        }
        Ok(())
    }

    fn end(&mut self, code: CloseCode, replies: &mut Vec<u8>) {
        append_close(code, replies);
        self.ended = true;
    }
}

impl Frame {
    fn after(mut self, n: usize) -> Self {
        self.remaining -= n as u64;
        self.mask.rotate_left(n % 4);
        self
    }
}

/// Puts `bytes` behind `output` as one binary frame. Nothing may be masked on the way to a client.
pub(crate) fn append_binary(bytes: &[u8], output: &mut Vec<u8>) {
    append_header(Opcode::Binary, bytes.len(), output);
    output.extend_from_slice(bytes);
}

/// Puts a Close frame behind `output`.
pub(crate) fn append_close(code: CloseCode, output: &mut Vec<u8>) {
    if is_sendable(code) {
        append_header(Opcode::Close, 2, output);
        output.extend_from_slice(&code.0.to_be_bytes());
    } else {
        append_header(Opcode::Close, 0, output);
    }
}

fn append_header(opcode: Opcode, length: usize, output: &mut Vec<u8>) {
    frame_header::append(opcode, length as u64, output);
}

/// Takes off the mask eight bytes at a time.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let mask_8 = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ mask_8).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests;
