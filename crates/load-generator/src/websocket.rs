//! Just enough of WebSocket, from the client's side.

use std::{
    io::{Read, Write},
    net::SocketAddr,
};

use crate::Error;

/// Asks for MQTT over WebSocket.
pub(crate) fn say_hello(stream: &mut impl Write, address: SocketAddr) -> Result<(), Error> {
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    let written = stream.write_all(request.as_bytes());
    written.map_err(Error::io("asking for WebSocket"))
}

/// Waits until the broker agrees; it says nothing more before it is asked.
pub(crate) fn hear_hello(stream: &mut impl Read) -> Result<(), Error> {
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut part);
        match read.map_err(Error::io("waiting for WebSocket"))? {
            0 => return Err(Error::Handshake("it closed the connection".to_owned())),
            _ if answer.len() > ANSWER_LEN_MAX => {
                return Err(Error::Handshake("its answer does not end".to_owned()));
            }
            length => answer.extend(&part[..length]),
        }
    }
    let head = String::from_utf8_lossy(&answer);
    let status = head.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some("101") => Ok(()),
        _ => Err(Error::Handshake(status.to_owned())),
    }
}

/// Appends one masked frame; gives back where its payload begins.
pub(crate) fn push_frame(bytes: &mut Vec<u8>, opcode: u8, payload: &[u8]) -> usize {
    bytes.push(FINAL | opcode);
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => bytes.push(MASKED | length),
        _ => {
            let length = u16::try_from(payload.len()).expect("our own packets are short");
            bytes.push(MASKED | 126);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend([MASK; 4]);
    let begin = bytes.len();
    bytes.extend(payload.iter().map(|byte| byte ^ MASK));
    begin
}

/// Takes the broker's frames apart.
#[derive(Debug, Default)]
pub(crate) struct Unframer {
    /// Bytes of the frame's payload that are still to come.
    payload_left: u64,
    opcode: u8,
    /// The payload of a control frame, until it is whole.
    control: Vec<u8>,
    /// A header that is not whole.
    header: Vec<u8>,
}

impl Unframer {
    /// Moves the payloads of what was read to the front of it, and gives back how long they are together.
    /// Answers to pings are appended to `answers`.
    pub(crate) fn unframe(
        &mut self,
        raw: &mut [u8],
        answers: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let (mut read_at, mut write_at) = (0, 0);
        while read_at < raw.len() {
            if self.payload_left == 0 {
                read_at += self.read_header(&raw[read_at..])?;
                if self.payload_left == 0 && self.header.is_empty() {
                    self.end_frame(answers)?;
                }
                continue;
            }
            let left = usize::try_from(self.payload_left).unwrap_or(usize::MAX);
            let end = raw.len().min(read_at.saturating_add(left));
            if self.opcode & CONTROL == 0 {
                raw.copy_within(read_at..end, write_at);
                write_at += end - read_at;
            } else {
                self.control.extend(&raw[read_at..end]);
            }
            self.payload_left -= (end - read_at) as u64;
            read_at = end;
            if self.payload_left == 0 {
                self.end_frame(answers)?;
            }
        }
        Ok(write_at)
    }

    /// Reads a header, or keeps what there is of it; gives back how many bytes it took.
    fn read_header(&mut self, raw: &[u8]) -> Result<usize, Error> {
        let before = self.header.len();
        // The rest of a header that began in an earlier read, else the whole of this one.
        if before == 0
            && let Some(length) = self.parse_header(raw)?
        {
            return Ok(length);
        }
        self.header
            .extend(&raw[..raw.len().min(HEADER_LEN_MAX - before)]);
        let header = std::mem::take(&mut self.header);
        match self.parse_header(&header)? {
            Some(length) => Ok(length - before),
            None => {
                self.header = header;
                Ok(raw.len())
            }
        }
    }

    fn parse_header(&mut self, raw: &[u8]) -> Result<Option<usize>, Error> {
        let [first, second, rest @ ..] = raw else {
            return Ok(None);
        };
        if second & MASKED != 0 {
            return Err(Error::Unexpected("a masked WebSocket frame"));
        }
        let (length, header_length) = match second {
            126 => match rest.first_chunk::<2>() {
                Some(&length) => (u64::from(u16::from_be_bytes(length)), 4),
                None => return Ok(None),
            },
            127 => match rest.first_chunk::<8>() {
                Some(&length) => (u64::from_be_bytes(length), 10),
                None => return Ok(None),
            },
            &length => (u64::from(length), 2),
        };
        self.opcode = first & 0x0f;
        self.payload_left = length;
        Ok(Some(header_length))
    }

    fn end_frame(&mut self, answers: &mut Vec<u8>) -> Result<(), Error> {
        match self.opcode {
            0 | BINARY => {}
            CLOSE => return Err(Error::Closed),
            PING => {
                push_frame(answers, PONG, &self.control);
                self.control.clear();
            }
            PONG => self.control.clear(),
            _ => return Err(Error::Unexpected("a WebSocket frame that is not binary")),
        }
        Ok(())
    }
}

/// Each byte of the masking key, the same for all, so that a mask does not depend on where a frame begins.
pub(crate) const MASK: u8 = 0x5a;
pub(crate) const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const CONTROL: u8 = 0x8;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const HEADER_LEN_MAX: usize = 10;
const ANSWER_LEN_MAX: usize = 16 * 1024;
/// Sixteen bytes in base64; nobody stands between us and the broker who could be misled.
const KEY: &str = "cm9vdHpvbmUgYmVuY2ghIQ==";

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![FINAL | opcode];
        if payload.len() < 126 {
            bytes.push(payload.len() as u8);
        } else {
            bytes.push(126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn payloads_come_out_whole_wherever_the_stream_is_cut() {
        let stream = [
            frame(BINARY, b"first"),
            frame(PING, b"hm"),
            frame(BINARY, b""),
            frame(BINARY, &[7; 300]),
        ]
        .concat();
        let mut pong = Vec::new();
        push_frame(&mut pong, PONG, b"hm");
        for step in 1..stream.len() {
            let mut unframer = Unframer::default();
            let (mut payloads, mut answers) = (Vec::<u8>::new(), Vec::new());
            for part in stream.chunks(step) {
                let mut part = part.to_vec();
                let length = unframer.unframe(&mut part, &mut answers).unwrap();
                payloads.extend(&part[..length]);
            }
            assert_eq!(
                payloads,
                [b"first".as_slice(), &[7; 300]].concat(),
                "{step}"
            );
            assert_eq!(answers, pong, "{step}");
        }
    }

    #[test]
    fn a_close_is_the_end() {
        let mut raw = frame(CLOSE, &[3, 0xe8]);
        let end = Unframer::default().unframe(&mut raw, &mut Vec::new());
        assert!(matches!(end, Err(Error::Closed)));
    }
}
