//! The HTTP side of MQTT over WebSocket: the handshake of RFC 6455, section 4.2, and handing the socket over.

use std::net::IpAddr;

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, Method, StatusCode, Uri, Version,
        header::{
            CONNECTION, HOST, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
            SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
        },
        request::Parts,
        uri::Authority,
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use mqtt_broker::Server;
use sha1::{Digest, Sha1};

use crate::patient_stream::PatientStream;

/// Answers a request to `/mqtt`; if it is right, the connection goes to the MQTT server.
pub(crate) fn answer(request: Request, server: &Server, allowed_origins: &[String]) -> Response {
    let (mut parts, _) = request.into_parts();
    let accept = match check(&parts, allowed_origins) {
        Ok(accept) => accept,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return Refusal::NotWebSocket.into_response();
    };
    let server = server.clone();
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => hand_over(upgraded, &server),
            Err(error) => tracing::debug!(%error, "gone during the WebSocket handshake"),
        }
    });
    (
        StatusCode::SWITCHING_PROTOCOLS,
        [
            (CONNECTION, "upgrade"),
            (UPGRADE, "websocket"),
            (SEC_WEBSOCKET_ACCEPT, accept.as_str()),
            (SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL),
        ],
        Body::empty(),
    )
        .into_response()
}

/// Gives the bare socket to the MQTT server, so that no layer of HTTP stays above it.
fn hand_over(upgraded: Upgraded, server: &Server) {
    match upgraded.downcast::<TokioIo<PatientStream>>() {
        Ok(parts) => server.serve_websocket(parts.io.into_inner().into_inner(), parts.read_buf),
        Err(_) => tracing::error!("the HTTP server runs on something else than its own socket"),
    }
}

/// Why there is no WebSocket, in words that help whoever set up the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error(
        "this is the address for MQTT over WebSocket, and the request is no WebSocket handshake"
    )]
    NotWebSocket,
    #[error("only version 13 of WebSocket is spoken here")]
    Version,
    #[error("Sec-WebSocket-Key is missing or is not 16 bytes in base64")]
    Key,
    #[error("Sec-WebSocket-Protocol must offer the subprotocol `mqtt`")]
    Subprotocol,
    #[error("pages of this web site may not connect; --allow-origin allows it")]
    Origin,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        match self {
            Self::NotWebSocket => {
                (StatusCode::UPGRADE_REQUIRED, [(UPGRADE, "websocket")], text).into_response()
            }
            Self::Version => (
                StatusCode::UPGRADE_REQUIRED,
                [(SEC_WEBSOCKET_VERSION, "13")],
                text,
            )
                .into_response(),
            Self::Key | Self::Subprotocol => (StatusCode::BAD_REQUEST, text).into_response(),
            Self::Origin => (StatusCode::FORBIDDEN, text).into_response(),
        }
    }
}

/// Checks the request; the result is the value of Sec-WebSocket-Accept.
fn check(request: &Parts, allowed_origins: &[String]) -> Result<String, Refusal> {
    let headers = &request.headers;
    let is_websocket = request.method == Method::GET
        && request.version == Version::HTTP_11
        && lists(headers, &UPGRADE, |item| {
            item.eq_ignore_ascii_case("websocket")
        })
        && lists(headers, &CONNECTION, |item| {
            item.eq_ignore_ascii_case("upgrade")
        });
    if !is_websocket {
        return Err(Refusal::NotWebSocket);
    }
    if !is_origin_allowed(headers, allowed_origins) {
        return Err(Refusal::Origin);
    }
    if text(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(Refusal::Version);
    }
    let key = text(headers, &SEC_WEBSOCKET_KEY)
        .filter(|key| {
            BASE64_STANDARD
                .decode(key)
                .is_ok_and(|nonce| nonce.len() == 16)
        })
        .ok_or(Refusal::Key)?;
    if !lists(headers, &SEC_WEBSOCKET_PROTOCOL, |item| item == SUBPROTOCOL) {
        return Err(Refusal::Subprotocol);
    }
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update(ACCEPT_GUID)
        .finalize();
    Ok(BASE64_STANDARD.encode(digest))
}

/// Whether the page that asks may: browsers let any web site connect to this machine, and then switch its pumps.
///
/// Programs send no Origin; pages from this server or from this machine are trusted.
/// This server is known by its address or by a name of the local network:
/// any other name might belong to a stranger who lets it point here, and is trusted only if it was named.
fn is_origin_allowed(headers: &HeaderMap, allowed_origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if allowed_origins
        .iter()
        .any(|allowed| allowed == origin || allowed == "*")
    {
        return true;
    }
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let served_by_us = text(headers, &HOST).and_then(|host| host.parse::<Authority>().ok());
    origin.host().is_some_and(|host| {
        ["localhost", "127.0.0.1", "[::1]"].contains(&host)
            || (is_local_name(host)
                && served_by_us.is_some_and(|us| us.host().eq_ignore_ascii_case(host)))
    })
}

/// Whether no public name server can let this host point anywhere.
fn is_local_name(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok() || host.to_ascii_lowercase().ends_with(".local")
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether any item of a header that is a list, perhaps over several lines, is the one looked for.
fn lists(headers: &HeaderMap, name: &HeaderName, is_meant: impl Fn(&str) -> bool) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| is_meant(item.trim()))
}

/// The name of MQTT, of every version, in a WebSocket handshake.
const SUBPROTOCOL: &str = "mqtt";
/// Joined to the client's key by RFC 6455, so that only a WebSocket server knows the answer.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("host", "127.0.0.1:8080"),
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "mqttv3.1, mqtt"),
    ];

    /// The good handshake with one header changed, or left out if its value is empty.
    fn check_with(name: &str, value: &str) -> Result<String, Refusal> {
        let mut request = Request::new(());
        for (name, value) in GOOD
            .iter()
            .filter(|(other, _)| *other != name)
            .chain([&(name, value)])
        {
            if !value.is_empty() {
                let name = HeaderName::try_from(*name).unwrap();
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        check(
            &request.into_parts().0,
            &["https://garden.example".to_owned()],
        )
    }

    #[test]
    fn the_key_is_answered_as_in_the_rfc() {
        assert_eq!(
            check_with("x", ""),
            Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value, refusal) in [
            ("upgrade", "", Refusal::NotWebSocket),
            ("connection", "keep-alive", Refusal::NotWebSocket),
            ("sec-websocket-version", "8", Refusal::Version),
            ("sec-websocket-key", "c2hvcnQ=", Refusal::Key),
            ("sec-websocket-protocol", "", Refusal::Subprotocol),
            ("sec-websocket-protocol", "mqttv3.1", Refusal::Subprotocol),
        ] {
            assert_eq!(check_with(name, value), Err(refusal), "{name}: {value}");
        }
    }

    #[test]
    fn pages_of_strangers_may_not_connect() {
        for (origin, is_allowed) in [
            ("http://127.0.0.1:9999", true),
            ("http://localhost:8081", true),
            ("http://[::1]:8081", true),
            ("https://garden.example", true),
            ("http://192.168.1.10:8080", false),
            ("https://evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("null", false),
        ] {
            assert_eq!(check_with("origin", origin).is_ok(), is_allowed, "{origin}");
        }
    }

    #[test]
    fn the_page_that_a_name_serves_is_trusted_only_if_the_name_cannot_be_turned_here() {
        for (host, is_allowed) in [
            ("192.168.1.10:8080", true),
            ("[fd00::10]:8080", true),
            ("garden.local:8080", true),
            ("garden.example:8080", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            headers.insert(ORIGIN, ["http://", host].concat().parse().unwrap());
            assert_eq!(is_origin_allowed(&headers, &[]), is_allowed, "{host}");
        }
    }
}
