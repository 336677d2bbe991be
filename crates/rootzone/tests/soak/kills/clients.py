"""Clients of Eclipse Paho that go on whatever becomes of their broker, and print one line for each fact.

    clients.py PORT HTTP_PORT SEED

    c NAME PRESENT              connected; whether there was a session
    s NAME TOPIC N CONNECTION   published for the first time, on the client's so manyeth connection
    a NAME TOPIC N CONNECTION   acknowledged: PUBACK or PUBCOMP
    r NAME TOPIC N QOS MID DUP  received
    ready                       every subscription stands

At the end of standard input each publisher sends one message more to each of its topics;
when every subscriber has these, the program ends.
It works with Paho 1 and 2, whose constructors and callbacks differ.
"""

import random
import socket
import sys
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PORT, HTTP_PORT, SEED = (int(argument) for argument in sys.argv[1:])
# Name, version, transport.
PUBLISHERS = [("p3", 4, "tcp"), ("p5", 5, "tcp"), ("w5", 5, "websockets")]
# Name, version, highest QoS, Receive Maximum, and the seconds after which it leaves without being made to.
SUBSCRIBERS = [
    ("s31", 4, 1, None, None),
    ("s32", 4, 2, None, 1),
    ("s51", 5, 1, 3, 1),
    ("s52", 5, 2, 5, None),
    ("s5a", 5, 2, None, 0.5),
]
TOPICS = [f"{name}/{qos}" for name, _, _ in PUBLISHERS for qos in (1, 2)]
UNACKNOWLEDGED_MAX = 20
# Of one publisher, on average.
SECONDS_BETWEEN_MESSAGES = 0.03

is_stopping = threading.Event()
has_ended = threading.Event()
is_broken = threading.Event()
printing = threading.Lock()


def say(*words):
    with printing:
        print(*words, flush=True)


class Client(mqtt.Client):
    def _messages_reconnect_reset_out(self):
        # Paho 1 forgets that a message was received (PUBREC) when an attempt to reconnect fails,
        # and sends it once more as if it were new.
        for message in self._out_messages.values():
            if message.state == RESEND_PUBREL:
                message.state = WAIT_FOR_PUBCOMP
        super()._messages_reconnect_reset_out()


if hasattr(mqtt, "mqtt_ms_resend_pubrel"):
    RESEND_PUBREL, WAIT_FOR_PUBCOMP = mqtt.mqtt_ms_resend_pubrel, mqtt.mqtt_ms_wait_for_pubcomp
else:
    RESEND_PUBREL = mqtt.MessageState.MQTT_MS_RESEND_PUBREL
    WAIT_FOR_PUBCOMP = mqtt.MessageState.MQTT_MS_WAIT_FOR_PUBCOMP


class Persistent:
    """One client and its thread, which connects again and again."""

    def __init__(self, name, version, transport="tcp", receive_maximum=None):
        self.name = name
        self.random = random.Random(f"{SEED} {name}")
        self.n_connections = 0
        self.is_connected = False
        self.port = HTTP_PORT if transport == "websockets" else PORT
        arguments = {"client_id": name, "protocol": version, "transport": transport}
        self.connect_arguments = {"keepalive": 30}
        if version == 5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0xFFFFFFFF
            if receive_maximum:
                properties.ReceiveMaximum = receive_maximum
            self.connect_arguments |= {"clean_start": False, "properties": properties}
        else:
            arguments["clean_session"] = False
        if hasattr(mqtt, "CallbackAPIVersion"):
            arguments["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
        self.client = Client(**arguments)
        if transport == "websockets":
            self.client.ws_set_options("/mqtt")
        self.client.max_inflight_messages_set(0)
        self.client.on_connect = self.on_connect
        self.thread = threading.Thread(target=self.run)

    def on_connect(self, _client, _userdata, flags, reason_code, *_):
        if int(getattr(reason_code, "value", reason_code)) != 0:
            say("?", self.name, "was refused:", reason_code)
            return
        present = flags["session present"] if isinstance(flags, dict) else flags.session_present
        self.n_connections += 1
        self.is_connected = True
        say("c", self.name, int(present))

    def connect(self):
        # Paho's own attempt changes what it knows of messages under way: it is made when it is likely to succeed.
        socket.create_connection(("127.0.0.1", self.port), 5).close()
        if self.n_connections == 0:
            self.client.connect("127.0.0.1", self.port, **self.connect_arguments)
        else:
            self.client.reconnect()

    def drop(self):
        """Goes without a word."""
        sock = self.client.socket()
        if sock:
            sock.close()
        self.is_connected = False

    def run(self):
        try:
            while not self.is_done():
                try:
                    self.connect()
                except (OSError, ValueError):
                    time.sleep(0.02)
                    continue
                self.stay_connected()
                self.is_connected = False
        except BaseException as error:
            say("?", self.name, "ended:", repr(error))
            is_broken.set()
            raise

    def stay_connected(self):
        deadline = time.monotonic() + 10
        while not self.is_done():
            if self.client.loop(0.01) != mqtt.MQTT_ERR_SUCCESS:
                return
            if self.is_connected:
                if not self.act():
                    return
            elif time.monotonic() > deadline:
                say("?", self.name, "had no CONNACK for ten seconds")
                return


class Publisher(Persistent):
    def __init__(self, name, version, transport):
        super().__init__(name, version, transport)
        self.unacknowledged = {}
        self.next = {f"{name}/{qos}": 0 for qos in (1, 2)}
        self.has_sent_last = False
        self.next_at = time.monotonic()
        self.client.on_publish = self.on_publish

    def on_publish(self, _client, _userdata, mid, *rest):
        topic, n = self.unacknowledged.pop(mid)
        if rest and int(getattr(rest[0], "value", 0)) >= 0x80:
            say("?", self.name, topic, n, "was refused:", rest[0])
        say("a", self.name, topic, n, self.n_connections)

    def publish(self, topic, payload):
        n = self.next[topic]
        self.next[topic] += 1
        # Whether it is acknowledged before this returns or not, the line comes first.
        say("s", self.name, topic, n, self.n_connections)
        info = self.client.publish(topic, f"{n} {payload}", int(topic[-1]))
        self.unacknowledged[info.mid] = topic, n

    def act(self):
        if self.has_sent_last:
            return True
        if is_stopping.is_set():
            self.has_sent_last = True
            for topic in self.next:
                self.publish(topic, "last")
        elif len(self.unacknowledged) < UNACKNOWLEDGED_MAX and time.monotonic() > self.next_at:
            self.next_at = time.monotonic() + self.random.expovariate(1 / SECONDS_BETWEEN_MESSAGES)
            self.publish(self.random.choice(list(self.next)), "x" * self.random.randrange(0, 2000))
        return True

    def is_done(self):
        return has_ended.is_set() or (self.has_sent_last and not self.unacknowledged)


class Subscriber(Persistent):
    def __init__(self, name, version, qos, receive_maximum, leaves):
        super().__init__(name, version, receive_maximum=receive_maximum)
        self.qos, self.leaves = qos, leaves
        self.leave_soon()
        self.has_subscription = threading.Event()
        self.has_asked = False
        self.missing = set(TOPICS)
        self.client.on_subscribe = lambda *_: self.has_subscription.set()
        self.client.on_message = self.on_message

    def leave_soon(self):
        stays = self.random.expovariate(1 / self.leaves) if self.leaves else float("inf")
        self.leave_at = time.monotonic() + stays

    def on_message(self, _client, _userdata, message):
        n, payload = message.payload.decode().split(" ")
        say("r", self.name, message.topic, n, message.qos, message.mid, int(message.dup))
        if payload == "last":
            self.missing.discard(message.topic)

    def act(self):
        if not self.has_asked:
            self.has_asked = True
            self.client.subscribe([(topic, self.qos) for topic in TOPICS])
        elif self.has_subscription.is_set() and time.monotonic() > self.leave_at:
            self.drop()
            time.sleep(self.random.random() * 0.5)
            self.leave_soon()
            return False
        return True

    def is_done(self):
        return has_ended.is_set()


subscribers = [Subscriber(*arguments) for arguments in SUBSCRIBERS]
for subscriber in subscribers:
    subscriber.thread.start()
for subscriber in subscribers:
    subscriber.has_subscription.wait()
publishers = [Publisher(*arguments) for arguments in PUBLISHERS]
for publisher in publishers:
    publisher.thread.start()
while not all(publisher.n_connections for publisher in publishers):
    time.sleep(0.01)
say("ready")
sys.stdin.read()
is_stopping.set()
for publisher in publishers:
    publisher.thread.join()
while any(subscriber.missing for subscriber in subscribers) and not is_broken.is_set():
    time.sleep(0.01)
# What came twice may come a little later.
time.sleep(0.5)
has_ended.set()
