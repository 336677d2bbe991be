//! The page's files in the binary, with the compressed forms that were made when the page was built.

use axum::{
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../../dist"]
struct Files;

/// The document's text.
pub(super) fn document() -> Option<Vec<u8>> {
    Some(find(DOCUMENT)?.data.into_owned())
}

/// The document, in the shortest form that the browser takes.
pub(super) fn document_file(headers: &HeaderMap) -> Response {
    file(DOCUMENT, headers)
}

/// Any other file, in the shortest form that the browser takes.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(plain) = find(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let content_type = plain.metadata.mimetype().to_owned();
    let (file, encoding) = ENCODINGS
        .iter()
        .filter(|(encoding, _)| accepts(headers, encoding))
        .find_map(|(encoding, ending)| Some((find(&format!("{path}{ending}"))?, Some(*encoding))))
        .unwrap_or((plain, None));
    let tag = format!(
        "\"{}\"",
        BASE64_URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash())
    );
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known == tag.as_str())
    {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    let encoding = encoding.map(|encoding| [(CONTENT_ENCODING, encoding)]);
    (
        [(CONTENT_TYPE, content_type), (ETAG, tag)],
        encoding,
        file.data.into_owned(),
    )
        .into_response()
}

fn find(path: &str) -> Option<EmbeddedFile> {
    Files::get(path.strip_prefix('/')?)
}

/// Whether the browser lists an encoding and does not give it the weight zero.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
            name.trim() == encoding && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
        })
}

/// Shortest first.
const ENCODINGS: &[(&str, &str)] = &[("br", ".br"), ("gzip", ".gz")];
const DOCUMENT: &str = "/index.html";
