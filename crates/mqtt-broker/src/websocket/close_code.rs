//! Why a WebSocket ends: the status codes of RFC 6455, section 7.4.

/// The status code of a Close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CloseCode(pub(crate) u16);

impl CloseCode {
    /// All was said.
    pub(crate) const NORMAL: Self = Self(1000);
    /// The server is shutting down.
    pub(crate) const GOING_AWAY: Self = Self(1001);
    /// The frames break RFC 6455.
    pub(crate) const PROTOCOL_ERROR: Self = Self(1002);
    /// MQTT travels in binary frames only.
    pub(crate) const UNSUPPORTED_DATA: Self = Self(1003);
    /// Stands for a Close frame without a status code; never sent.
    pub(crate) const NO_STATUS: Self = Self(1005);
    /// The reason is not UTF-8.
    pub(crate) const INVALID_DATA: Self = Self(1007);
    /// The message is over the limit.
    pub(crate) const MESSAGE_TOO_BIG: Self = Self(1009);
}

/// Whether a Close frame may carry this code.
pub(crate) const fn is_sendable(code: CloseCode) -> bool {
    matches!(code.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Reads the payload of a Close frame; the code is the one to answer with.
pub(crate) fn parse_close(payload: &[u8]) -> Result<CloseCode, CloseCode> {
    match payload {
        [] => Ok(CloseCode::NO_STATUS),
        [_] => Err(CloseCode::PROTOCOL_ERROR),
        [high, low, reason @ ..] => {
            let code = CloseCode(u16::from_be_bytes([*high, *low]));
            if !is_sendable(code) {
                return Err(CloseCode::PROTOCOL_ERROR);
            }
            match str::from_utf8(reason) {
                Ok(_) => Ok(code),
                Err(_) => Err(CloseCode::INVALID_DATA),
            }
        }
    }
}
