//! How connections and the server end.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::{Client, serve};

#[tokio::test]
async fn shutting_down_closes_all_connections_and_ends() {
    let (server, address) = serve(mqtt_broker::Settings::default()).await;
    let mut client = Client::connect(address).await;
    let shut_down = tokio::spawn(async move { server.shut_down().await });
    client.receive_end().await;
    drop(client);
    shut_down.await.unwrap();
    assert!(
        TcpStream::connect(address).await.is_err(),
        "the listener is closed"
    );
}

#[tokio::test]
async fn whoever_sends_no_connect_is_closed() {
    let mut settings = mqtt_broker::Settings::default();
    settings.broker.limits.connect_timeout = Duration::from_millis(50);
    let (_server, address) = serve(settings).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\x10").await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert!(bytes.is_empty());
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_closed() {
    let (_server, address) = serve(mqtt_broker::Settings::default()).await;
    let mut client = Client::connect(address).await;
    client.send(b"\xE0\x00").await;
    client.receive_end().await;
}
