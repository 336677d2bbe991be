//! Everything arrives, in order, whichever task sends it.

use tokio::{net::TcpSocket, task::JoinSet};

use crate::client::{Client, publish, serve};

const N_PUBLISHERS: u8 = 4;
/// So many that their flushes are shared among threads.
const N_SUBSCRIBERS: usize = 300;
const N_MESSAGES: u16 = 50;

/// Many publish to many on several threads; each subscriber sees what each publisher sent, in its order.
async fn check_order(qos: u8) {
    let (_server, address) = serve(mqtt_broker::Settings::default()).await;
    let mut tasks = JoinSet::new();
    for _ in 0..N_SUBSCRIBERS {
        let mut subscriber = Client::connect(address).await;
        subscriber.subscribe(b't', qos).await;
        tasks.spawn(async move {
            let mut next = [0; N_PUBLISHERS as usize];
            for _ in 0..u16::from(N_PUBLISHERS) * N_MESSAGES {
                let packet = subscriber.receive_packet().await;
                let (head, payload) = packet.split_at(packet.len() - 4);
                if qos > 0 {
                    subscriber.send(&[0x40, 2, head[5], head[6]]).await;
                }
                let publisher = usize::from(payload[0]);
                assert_eq!(
                    u16::from_be_bytes([payload[1], payload[2]]),
                    next[publisher]
                );
                next[publisher] += 1;
            }
        });
    }
    for publisher in 0..N_PUBLISHERS {
        let mut client = Client::connect(address).await;
        tasks.spawn(async move {
            for i in 0..N_MESSAGES {
                let [high, low] = i.to_be_bytes();
                let packet = publish(b't', qos, i + 1, &[publisher, high, low, b'!']);
                client.send(&packet).await;
                if qos > 0 {
                    let puback = client.receive_packet().await;
                    assert_eq!(puback[..2], [0x40, 2]);
                }
            }
        });
    }
    // A task that failed makes this fail.
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_to_many_keeps_the_order_of_each_publisher_at_qos_0() {
    check_order(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_to_many_keeps_the_order_of_each_publisher_at_qos_1() {
    check_order(1).await;
}

/// A subscriber reads nothing while more is published at QoS 1 than its socket and its output buffer hold:
/// nothing is lost, and all comes in order once it reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_was_slow_gets_everything_of_qos_1() {
    const N_MESSAGES: u16 = 2000;
    let mut settings = mqtt_broker::Settings::default();
    settings.connections.output.high_watermark = 100_000;
    settings.connections.output.low_watermark = 50_000;
    let (_server, address) = serve(settings).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut subscriber = Client::connect_on(socket, address).await;
    subscriber.subscribe(b't', 1).await;
    let mut publisher = Client::connect(address).await;
    let mut payload = vec![0; 8000];
    for i in 0..N_MESSAGES {
        payload[..2].copy_from_slice(&i.to_be_bytes());
        publisher.send(&publish(b't', 1, i + 1, &payload)).await;
        assert_eq!(publisher.receive_packet().await[0], 0x40);
    }
    for i in 0..N_MESSAGES {
        let packet = subscriber.receive_packet().await;
        assert_eq!(packet[8..10], i.to_be_bytes());
        subscriber.send(&[0x40, 2, packet[6], packet[7]]).await;
    }
}
