//! What the browser is told not to do with anything that comes from here.

use axum::{
    http::{
        HeaderValue,
        header::{CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// Adds the headers to an answer that does not say otherwise.
pub(crate) async fn add(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert_with(|| content_security_policy(""));
    response
}

/// Lets a document run its own scripts and those written into it, run Wasm, and connect to any broker.
pub(crate) fn content_security_policy(document: &str) -> HeaderValue {
    let hashes: String = inline_scripts(document)
        .map(|script| {
            format!(
                " 'sha256-{}'",
                BASE64_STANDARD.encode(Sha256::digest(script))
            )
        })
        .collect();
    let policy = format!(
        "default-src 'none'; \
         script-src 'self' 'wasm-unsafe-eval'{hashes}; \
         style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; \
         font-src 'self'; \
         connect-src 'self' ws: wss:; \
         manifest-src 'self'; \
         base-uri 'none'; \
         form-action 'self'; \
         frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy).expect("base64 and the text above are visible ASCII")
}

/// The scripts that stand in a document itself; Trunk starts the page with one.
fn inline_scripts(document: &str) -> impl Iterator<Item = &str> {
    document.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains(" src=")).then_some(script)
    })
}

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scripts_in_the_document_itself_are_named_by_their_hash() {
        let document = r#"<html><script src="/a.js"></script>
            <script type="module">console.log(1)</script></html>"#;
        let policy = content_security_policy(document);
        let policy = policy.to_str().unwrap();
        // The reference is `printf 'console.log(1)' | openssl dgst -sha256 -binary | base64`.
        assert!(
            policy.contains(
                "script-src 'self' 'wasm-unsafe-eval' 'sha256-CihokcEcBW4atb/CW/XWsvWwbTjqwQlE9nj9ii5ww5M=';"
            ),
            "{policy}"
        );
    }
}
