//! `/healthz`: whether the broker is well, for whoever restarts it or sends clients elsewhere.

use axum::{
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use mqtt_broker::Health;

/// 200 or 503, and why in one line.
pub(crate) fn answer(health: Health) -> Response {
    let (status, line) = match health {
        Health::Well => (StatusCode::OK, "ok".to_owned()),
        Health::Failing(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    };
    (status, [(CACHE_CONTROL, "no-store")], line + "\n").into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::to_bytes, http::HeaderValue};

    use super::*;

    #[tokio::test]
    async fn what_fails_is_told_with_503() {
        for (health, status, body) in [
            (Health::Well, StatusCode::OK, "ok\n"),
            (
                Health::Failing("the disk is full".to_owned()),
                StatusCode::SERVICE_UNAVAILABLE,
                "the disk is full\n",
            ),
        ] {
            let response = answer(health);
            assert_eq!(response.status(), status);
            let no_store = HeaderValue::from_static("no-store");
            assert_eq!(response.headers().get(CACHE_CONTROL), Some(&no_store));
            let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(text, body);
        }
    }
}
