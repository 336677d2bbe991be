//! The one HTTP server: the page, the WebSocket handshake, how it goes and whether we are well.

use std::{convert::Infallible, pin::pin};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware,
    response::Response,
    routing::{any, get},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use mqtt_broker::Server;
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
};
use tower_service::Service;

use crate::{
    config::HttpLimits,
    health,
    metrics::{self, Counting},
    page::Page,
    patient_stream::PatientStream,
    security_headers, websocket_handshake,
};

/// What answers which path.
pub(crate) fn router(
    server: Server,
    page: Page,
    allowed_origins: Vec<String>,
    counting: Counting,
) -> Router {
    let asked = server.clone();
    Router::new()
        .route(
            "/healthz",
            get(move || async move { health::answer(asked.health()) }),
        )
        .route(
            "/metrics",
            get(move || async move { metrics::answer(counting.snapshot()) }),
        )
        .route(
            "/mqtt",
            any(move |request: Request| async move {
                websocket_handshake::answer(request, &server, &allowed_origins)
            }),
        )
        .fallback(move |request: Request| {
            let page = page.clone();
            async move { page.answer(request).await }
        })
        .layer(middleware::map_response(security_headers::add))
}

/// Serves HTTP to all who connect; ends when the process stops and the answers under way are sent.
pub(crate) async fn serve(
    listener: TcpListener,
    server: Server,
    router: Router,
    limits: HttpLimits,
    mut is_stopping: watch::Receiver<bool>,
) {
    // Each connection holds a receiver for as long as it lasts.
    let connections = watch::Sender::new(());
    loop {
        let (stream, peer) = select! {
            accepted = mqtt_broker::accept(&listener) => accepted,
            () = stopped(&mut is_stopping) => break,
        };
        let Some(admission) = server.admit(peer.ip()) else {
            continue;
        };
        let connection = serve_connection(stream, router.clone(), limits, is_stopping.clone());
        let lasting = connections.subscribe();
        tokio::spawn(async move {
            connection.await;
            drop((lasting, admission));
        });
    }
    connections.closed().await;
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    limits: HttpLimits,
    mut is_stopping: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let stream = PatientStream::new(stream, limits.write_timeout);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        async move {
            let response: Result<Response, Infallible> = router.call(request.map(Body::new)).await;
            response
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let outcome = select! {
        outcome = connection.as_mut() => outcome,
        () = stopped(&mut is_stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "an HTTP connection failed");
    }
}

async fn stopped(is_stopping: &mut watch::Receiver<bool>) {
    // An error means that the process is ending anyway.
    let _ = is_stopping.wait_for(|is_stopping| *is_stopping).await;
}

/// The longest header.
const HEADER_BYTES: usize = 64 * 1024;
