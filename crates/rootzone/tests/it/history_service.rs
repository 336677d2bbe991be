//! The history in a running broker: what probes say is kept, and whoever asks gets it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at what it does not expect"
)]

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use field::json::{Fields, Json};
use mqtt_protocol::{
    Connect, Decoder, DecoderSettings, Packet, PacketIdentifier, Properties, Property,
    ProtocolVersion, Publish, QoS, ReasonCode, RetainHandling, Role, Subscribe, Subscription,
    TopicFilter, TopicName,
};
use tempfile::TempDir;

use crate::{
    broker::Broker,
    peer::{Peer, Transport},
};

const BED: &str = "rootzone/north-beds/bed-1/moisture";
const ANSWERS: &str = "my/answers";
/// In milliseconds since 1970.
const LONG_AGO: i64 = 1_700_000_000_000;
const LONG_ANSWERS: &str = "[history]\nraw_days = 0\nwork_per_request = 100000000\n";
const BOTH: [ProtocolVersion; 2] = [ProtocolVersion::V3_1_1, ProtocolVersion::V5_0];

/// A client that publishes readings and asks for them.
pub(crate) struct Client {
    peer: Peer,
    version: ProtocolVersion,
    decoder: Decoder,
    last_identifier: u16,
}

impl Client {
    pub(crate) fn connect(broker: &Broker, version: ProtocolVersion) -> Self {
        Self::connect_with(broker, version, Properties::new())
    }

    fn connect_with(broker: &Broker, version: ProtocolVersion, properties: Properties) -> Self {
        let mut client = Self {
            peer: Peer::connect(broker, Transport::Tcp),
            version,
            decoder: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: Some(version),
                role: Role::Client,
            }),
            last_identifier: 0,
        };
        client.send(&Packet::Connect(Box::new(Connect {
            protocol_version: version,
            clean_start: true,
            keep_alive: 0,
            properties,
            client_identifier: "".into(),
            will: None,
            user_name: None,
            password: None,
        })));
        assert!(matches!(client.receive(), Packet::Connack(_)));
        client.subscribe(ANSWERS);
        client
    }

    fn subscribe(&mut self, filter: &str) {
        let packet_identifier = self.identifier();
        self.send(&Packet::Subscribe(Subscribe {
            packet_identifier,
            properties: Properties::new(),
            subscriptions: vec![Subscription {
                topic_filter: TopicFilter::new(filter.to_owned()).unwrap(),
                maximum_qos: QoS::AtMostOnce,
                no_local: false,
                retain_as_published: false,
                retain_handling: RetainHandling::Send,
            }],
        }));
        assert!(matches!(self.receive(), Packet::Suback(_)));
    }

    fn send(&mut self, packet: &Packet) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.peer.send(&bytes).unwrap();
    }

    fn receive(&mut self) -> Packet {
        self.decoder
            .feed(Bytes::from(self.peer.receive_packet().unwrap()));
        self.decoder.next_packet().unwrap().unwrap()
    }

    fn identifier(&mut self) -> PacketIdentifier {
        self.last_identifier += 1;
        PacketIdentifier::new(self.last_identifier).unwrap()
    }

    fn send_publish(&mut self, topic: &str, payload: &str, properties: Properties) {
        let packet_identifier = Some(self.identifier());
        self.send(&Packet::Publish(Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic_name: Some(TopicName::new(topic.to_owned()).unwrap()),
            packet_identifier,
            properties,
            payload: Bytes::from(payload.to_owned()),
        }));
    }

    fn puback(&mut self) -> ReasonCode {
        match self.receive() {
            Packet::Puback(puback) => puback.reason_code,
            other => panic!("expected a PUBACK, got {other:?}"),
        }
    }

    /// Publishes at QoS 1 and waits for the PUBACK.
    pub(crate) fn publish(&mut self, topic: &str, payload: &str) {
        self.send_publish(topic, payload, Properties::new());
        assert!(!self.puback().is_error());
    }

    /// Asks, and collects all messages of the answer.
    fn ask(&mut self, request: &str) -> Vec<Fields> {
        let (request, properties) = match self.version {
            ProtocolVersion::V3_1_1 => {
                let rest = request.strip_prefix('{').unwrap();
                (
                    format!("{{\"response\":\"{ANSWERS}\",{rest}"),
                    Properties::new(),
                )
            }
            ProtocolVersion::V5_0 => (request.to_owned(), response_topic(ANSWERS)),
        };
        self.send_publish("rootzone/history/get", &request, properties);
        let mut answer: Vec<Fields> = Vec::new();
        let mut is_acknowledged = false;
        loop {
            if is_acknowledged && answer.last().is_some_and(|last| !more(last)) {
                return answer;
            }
            match self.receive() {
                Packet::Puback(puback) => {
                    assert_eq!(puback.reason_code, ReasonCode::Success);
                    is_acknowledged = true;
                }
                Packet::Publish(publish) => {
                    if self.version == ProtocolVersion::V5_0 {
                        let data = publish.properties.correlation_data();
                        assert_eq!(data.map(|data| &data[..]), Some(&b"7"[..]));
                    }
                    let fields = fields(&publish.payload);
                    assert_eq!(number(&fields, "part"), answer.len() as f64);
                    answer.push(fields);
                }
                other => panic!("unexpected: {other:?}"),
            }
        }
    }

    /// Times and last values of a window of one series.
    fn window(&mut self, series: &str, from: i64, to: i64) -> Vec<(i64, f32)> {
        let request = format!("{{\"series\":[\"{series}\"],\"from\":{from},\"to\":{to}}}");
        self.ask(&request).iter().flat_map(rows).collect()
    }

    /// What is wrong with a request.
    fn mistake(&mut self, request: &str) -> String {
        let answer = self.ask(request);
        let error = answer[0].value("error").and_then(Json::as_text);
        error.unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }
}

fn response_topic(topic: &str) -> Properties {
    Properties::from_iter([
        Property::ResponseTopic(TopicName::new(topic.to_owned()).unwrap()),
        Property::CorrelationData(Bytes::from_static(b"7")),
    ])
}

fn fields(payload: &[u8]) -> Fields {
    match Json::parse(std::str::from_utf8(payload).unwrap()) {
        Some(Json::Object(fields)) => fields,
        _ => panic!("{}", String::from_utf8_lossy(payload)),
    }
}

fn more(fields: &Fields) -> bool {
    match fields.value("more") {
        Some(Json::Bool(more)) => *more,
        other => panic!("{other:?}"),
    }
}

fn number(fields: &Fields, name: &str) -> f64 {
    match fields.value(name) {
        Some(Json::Number(number)) => *number,
        _ => panic!("{name}: {fields:?}"),
    }
}

fn sums(fields: &Fields, name: &str) -> Vec<f64> {
    let list = fields.value(name).and_then(Json::as_list);
    let mut sum = 0.0;
    let add = |json: &Json| match json {
        Json::Number(number) => {
            sum += number;
            sum
        }
        other => panic!("{other:?}"),
    };
    list.unwrap_or_else(|| panic!("{name}: {fields:?}"))
        .iter()
        .map(add)
        .collect()
}

fn rows(fields: &Fields) -> Vec<(i64, f32)> {
    let (start, unit) = (number(fields, "start"), number(fields, "unit"));
    let scale = number(fields, "scale");
    let times = sums(fields, "time").into_iter();
    let times = times.map(|time| (start + unit * time) as i64);
    let values = sums(fields, "last").into_iter();
    times
        .zip(values.map(|value| (value / scale) as f32))
        .collect()
}

fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since_epoch.as_millis() as i64
}

fn rootzone(arguments: &[&str], data_directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rootzone"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_directory)
        .output()
        .unwrap()
}

#[test]
fn readings_are_answered_on_both_versions() {
    for version in BOTH {
        let folder = TempDir::new().unwrap();
        let broker = Broker::start_in(folder.path());
        let mut client = Client::connect(&broker, version);
        let before = now();
        client.publish(BED, "37.2");
        let time = before - 60_000;
        client.publish(BED, &format!("{{\"moisture\":36.9,\"time\":{time}}}"));
        client.publish(BED, &format!("{{\"moisture\":36.9,\"time\":{time}}}"));
        client.publish(BED, "not a number");
        let found = client.window(BED, before - 3_600_000, now() + 1);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], (time, 36.9));
        assert_eq!(found[1].1, 37.2);
        assert!((before..=now()).contains(&found[1].0), "{found:?}");
    }
}

#[test]
fn sensors_of_other_makes_are_known_by_discovery_also_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let broker = Broker::start_in(folder.path());
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    let topic = "homeassistant/sensor/soil/config";
    let announcement =
        r#"{"dev_cla":"moisture","stat_t":"zigbee2mqtt/Soil","val_tpl":"{{ value_json.soil }}"}"#;
    client.send(&Packet::Publish(Publish {
        dup: false,
        qos: QoS::AtLeastOnce,
        retain: true,
        topic_name: TopicName::new(topic.to_owned()).ok(),
        packet_identifier: PacketIdentifier::new(1_000),
        properties: Properties::new(),
        payload: Bytes::from_static(announcement.as_bytes()),
    }));
    assert!(!client.puback().is_error());
    client.publish("zigbee2mqtt/Soil", r#"{"soil":40}"#);
    drop(client);
    broker.kill();
    let broker = Broker::start_in(folder.path());
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    client.publish("zigbee2mqtt/Soil", r#"{"soil":41}"#);
    let found = client.window("homeassistant/sensor/soil", 0, now() + 1);
    let values: Vec<f32> = found.iter().map(|(_, value)| *value).collect();
    assert_eq!(values, [40.0, 41.0]);
    let list = client.ask(r##"{"list":"homeassistant/#","id":"x"}"##);
    assert_eq!(list[0].value("id").and_then(Json::as_text), Some("x"));
    let list = list[0].value("list").and_then(Json::as_list).unwrap();
    assert_eq!(list.len(), 1);
    let first = list[0].as_object().unwrap();
    assert_eq!(number(first, "from"), found[0].0 as f64);
    assert_eq!(number(first, "to"), found[1].0 as f64);
}

#[test]
fn what_was_acknowledged_is_there_once_after_a_kill() {
    let folder = TempDir::new().unwrap();
    let start = now() - 10_000_000;
    let mut next = 0_i64;
    let mut acknowledged = 0;
    for _ in 0..4 {
        let broker = Broker::start_in(folder.path());
        let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
        // Those that may have been lost come again, and more until the broker dies in the middle of it.
        next = next.min(acknowledged);
        for _ in 0..400 {
            let time = start + next * 1_000;
            let payload = format!("{{\"moisture\":{},\"time\":{time}}}", next % 100);
            client.send_publish(BED, &payload, Properties::new());
            next += 1;
        }
        for _ in 0..300 {
            assert!(!client.puback().is_error());
            acknowledged += 1;
        }
        broker.kill();
    }
    let broker = Broker::start_in(folder.path());
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    let request = format!(
        "{{\"series\":[\"{BED}\"],\"from\":{start},\"to\":{},\"points\":10000}}",
        now()
    );
    let found: Vec<(i64, f32)> = client.ask(&request).iter().flat_map(rows).collect();
    assert!(found.len() as i64 >= acknowledged && found.len() as i64 <= next);
    for (index, (time, value)) in (0_i64..).zip(&found) {
        assert_eq!(*time, start + index * 1_000);
        assert_eq!(*value, (index % 100) as f32);
    }
}

#[test]
fn an_import_that_is_killed_may_begin_again() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("readings.csv");
    let mut text = String::from("time,bed\n");
    for minute in 0..150_000_u32 {
        let time = 1_700_000_000 + u64::from(minute) * 60;
        text += &format!("{time},{}.{}\n", 20 + minute % 17, minute % 10);
    }
    fs::write(&file, &text).unwrap();
    let data = folder.path().join("data");
    let arguments = [
        "history",
        "import",
        file.to_str().unwrap(),
        "--time-column",
        "time",
    ];
    for patience in [30, 150, 600] {
        let mut import = Command::new(env!("CARGO_BIN_EXE_rootzone"))
            .args(arguments)
            .arg("--data-dir")
            .arg(&data)
            .spawn()
            .unwrap();
        // Whenever it is: nothing waits for this moment.
        thread::sleep(Duration::from_millis(patience));
        import.kill().unwrap();
        import.wait().unwrap();
    }
    let output = rootzone(&arguments, &data);
    assert!(output.status.success(), "{output:?}");
    let exported = rootzone(&["history", "export"], &data);
    let exported = String::from_utf8(exported.stdout).unwrap();
    let values = exported.lines().skip(1).map(|line| {
        let (_, value) = line.rsplit_once(',').unwrap();
        value.parse::<f32>().unwrap()
    });
    let expected = text.lines().skip(1).map(|line| {
        let (_, value) = line.rsplit_once(',').unwrap();
        value.parse::<f32>().unwrap()
    });
    assert!(
        values.eq(expected),
        "each reading is there once, in its order"
    );
}

#[test]
fn bad_requests_are_answered_by_what_is_wrong() {
    let folder = TempDir::new().unwrap();
    let broker = Broker::start_in(folder.path());
    for version in BOTH {
        let mut client = Client::connect(&broker, version);
        client.publish(BED, "37.2");
        for (request, mistake) in [
            (
                "{\"a\":1}",
                "series is missing; {\"list\":\"#\"} asks which there are",
            ),
            (
                "{\"series\":[\"none\"],\"from\":0}",
                "there is no such series; {\"list\":\"#\"} asks which there are",
            ),
            ("{\"series\":[],\"from\":0}", "series is an empty list"),
            (
                &format!("{{\"series\":[\"{BED}\"],\"from\":9,\"to\":9}}"),
                "from is not before to",
            ),
            (
                &format!("{{\"series\":[\"{BED}\"],\"from\":0,\"points\":10001}}"),
                "points is more than 10000",
            ),
        ] {
            assert_eq!(client.mistake(request), mistake);
        }
        for wrong in ["\"from\":9,\"to\":9", "\"from\":0,\"points\":10001"] {
            let answer = client.ask(&format!("{{\"series\":[\"{BED}\",\"none\"],{wrong}}}"));
            assert_eq!(answer.len(), 1, "it is wrong for all of them");
            assert!(answer[0].value("series").is_none());
        }
        let request = format!("{{\"series\":[\"none\",\"{BED}\"],\"from\":0}}");
        let answer = client.ask(&request);
        assert_eq!(answer.len(), 2, "the other series is answered");
        let series = answer[0].value("series").and_then(Json::as_text);
        assert_eq!(series, Some("none"));
        assert!(!rows(&answer[1]).is_empty());
    }
}

#[test]
fn who_gets_no_answer_is_told_so() {
    let folder = TempDir::new().unwrap();
    let broker = Broker::start_in(folder.path());
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    let properties = response_topic("not/subscribed");
    client.send_publish("rootzone/history/get", "{}", properties);
    assert_eq!(client.puback(), ReasonCode::NotAuthorized);
    // What says it on 3.1.1 is found after the acknowledgement.
    for payload in [
        "{\"list\":\"#\",\"response\":\"my/answers\"}",
        "{}",
        "{\"list\":",
    ] {
        client.send_publish("rootzone/history/get", payload, Properties::new());
        assert_eq!(client.puback(), ReasonCode::ImplementationSpecificError);
    }
}

#[test]
fn a_list_of_many_series_comes_in_parts() {
    let folder = TempDir::new().unwrap();
    let broker = Broker::start_in(folder.path());
    let size = Property::MaximumPacketSize(2_000.try_into().unwrap());
    let properties = Properties::from_iter([size]);
    let mut client = Client::connect_with(&broker, ProtocolVersion::V5_0, properties);
    let names: Vec<String> = (100..400)
        .map(|n| format!("rootzone/beds/bed-{n}/moisture"))
        .collect();
    for name in names.iter().rev() {
        client.publish(name, "37.2");
    }
    let answer = client.ask(r#"{"list":"rootzone/beds/#"}"#);
    assert!(answer.len() > 5);
    let lists = answer.iter().map(|part| part.value("list"));
    let all = lists.flat_map(|list| list.and_then(Json::as_list).unwrap());
    let found = all.map(|series| series.as_object()?.value("series")?.as_text());
    assert!(found.eq(names.iter().map(|name| Some(name.as_str()))));
    let one = client.ask(r#"{"list":"rootzone/beds/bed-399/moisture"}"#);
    let one = one[0].value("list").and_then(Json::as_list);
    assert_eq!(one.map(<[Json]>::len), Some(1));
}

#[test]
fn a_small_maximum_packet_size_makes_many_messages() {
    let folder = TempDir::new().unwrap();
    let broker = Broker::start_in(folder.path());
    let size = Property::MaximumPacketSize(1_000.try_into().unwrap());
    let properties = Properties::from_iter([size]);
    let mut client = Client::connect_with(&broker, ProtocolVersion::V5_0, properties);
    let start = now() - 500_000;
    for n in 0..400_i64 {
        let time = start + n * 1_000;
        let payload = format!("{{\"moisture\":{},\"time\":{time}}}", n * 37 % 100);
        client.publish(BED, &payload);
    }
    let found = client.window(BED, start, now());
    assert_eq!(found.len(), 400);
    assert!(found.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn what_one_client_may_ask_has_limits() {
    let folder = TempDir::new().unwrap();
    let broker = Broker::start_in_with_config(
        folder.path(),
        "[history]\nrequests_per_client = 2\nseries_per_request = 1\nwork_per_request = 20\n\
         request_bytes = 200\nseries = 1\n",
    );
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    let start = now() - 500_000;
    for n in 0..30 {
        let time = start + n * 1_000;
        client.publish(BED, &format!("{{\"moisture\":37,\"time\":{time}}}"));
    }
    for (request, mistake) in [
        (
            format!("{{\"series\":[\"{BED}\"],\"from\":{start}}}"),
            "the window needs more work than one request may cause",
        ),
        (
            format!("{{\"series\":[\"{BED}\",\"{BED}\"],\"from\":{start}}}"),
            "more than 1 series",
        ),
        (
            format!("{{\"id\":\"{}\"}}", "x".repeat(200)),
            "the request is longer than 200 bytes",
        ),
    ] {
        assert_eq!(client.mistake(&request), mistake);
    }
    client.publish("rootzone/north-beds/bed-2/moisture", "37.2");
    assert_eq!(
        client.mistake(r#"{"series":["rootzone/north-beds/bed-2/moisture"],"from":0}"#),
        "there is no such series; {\"list\":\"#\"} asks which there are"
    );

    // In one read, so that none of them is answered before the last is there.
    let mut requests = Vec::new();
    for n in 1..=20 {
        let publish = Packet::Publish(Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic_name: TopicName::new("rootzone/history/get").ok(),
            packet_identifier: PacketIdentifier::new(1_000 + n),
            properties: response_topic(ANSWERS),
            payload: Bytes::from_static(b"{\"list\":\"#\"}"),
        });
        publish
            .encode(ProtocolVersion::V5_0, &mut requests)
            .unwrap();
    }
    client.peer.send(&requests).unwrap();
    let (mut n_taken, mut n_refused, mut n_answers) = (0, 0, 0);
    while n_taken + n_refused < 20 || n_answers < n_taken {
        match client.receive() {
            Packet::Puback(puback) if puback.reason_code == ReasonCode::QuotaExceeded => {
                n_refused += 1;
            }
            Packet::Puback(_) => n_taken += 1,
            Packet::Publish(_) => n_answers += 1,
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert!(n_taken >= 2 && n_refused > 0, "{n_taken} were taken");
}

/// A data directory with so many readings of a bed that an answer of them all is longer than a socket takes.
fn long_history() -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("readings.csv");
    let mut text = String::from("time,bed\n");
    for minute in 0..40_000_u32 {
        let time = LONG_AGO / 1_000 + i64::from(minute) * 60;
        text += &format!("{time},{}\n", minute * 7_919 % 100_000);
    }
    fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    let import = ["history", "import", file, "--time-column", "time"];
    let output = rootzone(&[&import[..], &["--series", BED]].concat(), folder.path());
    assert!(output.status.success(), "{output:?}");
    folder
}

/// A client that has asked for far more than it reads.
fn slow_reader(broker: &Broker, n_requests: u16) -> Client {
    let mut client = Client::connect(broker, ProtocolVersion::V5_0);
    let series = vec![format!("\"{BED}\""); 100].join(",");
    let request = format!("{{\"series\":[{series}],\"from\":{LONG_AGO},\"points\":10000}}");
    for _ in 0..n_requests {
        client.send_publish("rootzone/history/get", &request, response_topic(ANSWERS));
    }
    // Once something of it comes, its answer is on its way, and nobody else's before it.
    loop {
        match client.receive() {
            Packet::Puback(puback) => assert_eq!(puback.reason_code, ReasonCode::Success),
            Packet::Publish(_) => return client,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn who_does_not_read_lets_nobody_wait() {
    let folder = long_history();
    let broker = Broker::start_in_with_config(
        folder.path(),
        &format!("{LONG_ANSWERS}requests_at_once = 1\n"),
    );
    let _slow = [slow_reader(&broker, 16), slow_reader(&broker, 16)];
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    for _ in 0..5 {
        let found = client.window(BED, LONG_AGO, LONG_AGO + 600_000);
        assert_eq!(found.len(), 10);
        assert_eq!(client.ask("{\"list\":\"#\"}").len(), 1);
    }
}

#[test]
fn what_all_clients_may_ask_has_a_limit() {
    let folder = long_history();
    let broker = Broker::start_in_with_config(
        folder.path(),
        &format!("{LONG_ANSWERS}requests = 2\nanswers_at_once = 1\n"),
    );
    let _slow = slow_reader(&broker, 1);
    let ask = |client: &mut Client| {
        let properties = response_topic(ANSWERS);
        client.send_publish("rootzone/history/get", "{\"list\":\"#\"}", properties);
        client.puback()
    };
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    assert_eq!(ask(&mut client), ReasonCode::Success);
    assert_eq!(ask(&mut client), ReasonCode::Success);
    let mut other = Client::connect(&broker, ProtocolVersion::V5_0);
    assert_eq!(ask(&mut other), ReasonCode::QuotaExceeded);
}

#[test]
fn in_memory_the_topic_is_like_any_other() {
    let broker = Broker::start();
    let mut client = Client::connect(&broker, ProtocolVersion::V5_0);
    client.subscribe("rootzone/history/get");
    client.send_publish("rootzone/history/get", "{}", Properties::new());
    let came = [client.receive(), client.receive()];
    let is_passed_on = |packet: &Packet| matches!(packet, Packet::Publish(_));
    assert!(came.iter().any(is_passed_on), "{came:?}");
}

/// The program in `docs/history.md`.
fn example() -> &'static str {
    let document = include_str!("../../../../docs/history.md");
    let (_, program) = document.split_once("```python\n").unwrap();
    program.split_once("```").unwrap().0
}

/// The same program on 5.0, with what 5.0 has for it.
fn example_of_5_0() -> String {
    let replaced = [
        (
            "import paho.mqtt.client as mqtt",
            "import paho.mqtt.client as mqtt\n\
             from paho.mqtt.packettypes import PacketTypes\n\
             from paho.mqtt.properties import Properties",
        ),
        (", \"response\": \"my/answers\"", ""),
        (
            "    client.publish(\"rootzone/history/get\", json.dumps(request))",
            "    properties = Properties(PacketTypes.PUBLISH)\n    \
             properties.ResponseTopic, properties.CorrelationData = \"my/answers\", b\"7\"\n    \
             client.publish(\"rootzone/history/get\", json.dumps(request), properties=properties)",
        ),
        (
            "    answer = json.loads",
            "    assert message.properties.CorrelationData == b\"7\"\n    answer = json.loads",
        ),
        (
            "mqtt.Client(**options)",
            "mqtt.Client(protocol=mqtt.MQTTv5, **options)",
        ),
    ];
    replaced
        .iter()
        .fold(example().to_owned(), |program, (from, to)| {
            assert!(program.contains(from), "{from}");
            program.replace(from, to)
        })
}

#[test]
fn the_documented_program_asks_on_both_versions() {
    let folder = TempDir::new().unwrap();
    let broker = Broker::start_in(folder.path());
    let mut client = Client::connect(&broker, ProtocolVersion::V3_1_1);
    for (time, value) in [
        ("2026-05-04T10:00:00Z", 37.2),
        ("2026-05-04T10:15:00Z", 36.9),
    ] {
        client.publish(
            BED,
            &format!("{{\"moisture\":{value},\"time\":\"{time}\"}}"),
        );
    }
    let python = env::var_os("PYTHON").unwrap_or_else(|| "/usr/bin/python3".into());
    let port = broker.mqtt.port().to_string();
    for program in [example().to_owned(), example_of_5_0()] {
        let output = Command::new(&python)
            .args(["-c", &program, &port, BED, "2026-05-04T00:00:00Z"])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "1777888800000 37.2\n1777889700000 36.9\n",
            "{complaint}"
        );
        assert_eq!(complaint, "");
    }
    let output = Command::new(&python)
        .args(["-c", example(), &port, "none", "2026-05-04T00:00:00Z"])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("there is no such series"), "{complaint}");
}
