"""Eclipse Paho's client for Python, which exchanges messages with a broker and prints what it saw.

    paho_client.py PORT tcp|websockets 4|5

It works with Paho 1 and 2, whose constructors and callbacks differ.
"""

import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT, TRANSPORT, VERSION = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
PATIENCE = 30


def properties(packet_type, values):
    if VERSION < 5:
        return None
    result = Properties(packet_type)
    for name, value in values.items():
        setattr(result, name, value)
    return result


class Client:
    def __init__(self, identifier="", clean=True, will=None, **connect_properties):
        self.events = queue.Queue()
        self.messages = queue.Queue()
        arguments = {"protocol": VERSION, "transport": TRANSPORT}
        if VERSION < 5:
            arguments["clean_session"] = clean
        if hasattr(mqtt, "CallbackAPIVersion"):
            arguments["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
        self.client = mqtt.Client(client_id=identifier, **arguments)
        if TRANSPORT == "websockets":
            self.client.ws_set_options("/mqtt")
        if will:
            self.client.will_set(will, "gone", 1)
        self.client.on_connect = self.on_event
        self.client.on_subscribe = self.on_event
        self.client.on_unsubscribe = self.on_event
        self.client.on_disconnect = self.on_event
        self.client.on_message = lambda _client, _userdata, message: self.messages.put(message)
        if VERSION == 5:
            self.client.connect(
                "127.0.0.1", PORT, clean_start=clean,
                properties=properties(PacketTypes.CONNECT, connect_properties),
            )
        else:
            self.client.connect("127.0.0.1", PORT)
        self.client.loop_start()
        self.connack = self.event()
        flags = self.connack[0]
        present = flags["session present"] if isinstance(flags, dict) else flags.session_present
        self.session_present = bool(present)

    def on_event(self, _client, _userdata, *details):
        self.events.put(details)

    def event(self):
        return self.events.get(timeout=PATIENCE)

    def subscribe(self, topic_filter, qos, **subscribe_properties):
        if VERSION == 5:
            self.client.subscribe(
                [(topic_filter, SubscribeOptions(qos=qos))],
                properties=properties(PacketTypes.SUBSCRIBE, subscribe_properties),
            )
        else:
            self.client.subscribe(topic_filter, qos)
        return codes(self.event())

    def unsubscribe(self, topic_filter):
        self.client.unsubscribe(topic_filter)
        return codes(self.event())

    def publish(self, topic, payload, qos=0, retain=False, **publish_properties):
        info = self.client.publish(
            topic, payload, qos, retain,
            **({"properties": properties(PacketTypes.PUBLISH, publish_properties)} if VERSION == 5 else {}),
        )
        info.wait_for_publish(PATIENCE)
        assert info.is_published(), (topic, payload)

    def message(self):
        return self.messages.get(timeout=PATIENCE)

    def payloads(self, number):
        return " ".join(self.message().payload.decode() for _ in range(number))

    def disconnect(self, **disconnect_properties):
        if VERSION == 5:
            self.client.disconnect(properties=properties(PacketTypes.DISCONNECT, disconnect_properties))
        else:
            self.client.disconnect()
        self.event()
        self.client.loop_stop()

    def vanish(self):
        """As when its network is gone: without a word to the Server."""
        self.client.loop_stop()
        self.client.socket().close()


def codes(details):
    """The Reason Codes in the details of a callback, wherever this version of Paho puts them."""
    for detail in details[1:]:
        if isinstance(detail, (list, tuple)):
            return " ".join(str(getattr(code, "value", code)) for code in detail)
        if hasattr(detail, "value") and not isinstance(detail, Properties):
            return str(detail.value)
    return ""


def say(what, value):
    print(f"{what}: {value}", flush=True)


def every_version():
    here, there = Client("here"), Client("there")
    here.subscribe("qos/#", 2)
    for qos, payload in enumerate(["zero", "one", "two"]):
        there.publish(f"qos/{qos}", payload, qos)
        message = here.message()
        say("message", f"{message.topic} {message.qos} {message.payload.decode()}")
    there.publish("qos/large", b"x" * 3_000_000, 2)
    say("large", len(here.message().payload))

    there.publish("retained", "kept", 1, retain=True)
    here.subscribe("retained", 1)
    message = here.message()
    say("retained", f"{message.payload.decode()} {message.qos} {bool(message.retain)}")
    there.publish("retained", "", 1, retain=True)
    say("cleared", f"{len(here.message().payload)} bytes")
    here.subscribe("retained", 1)
    there.publish("retained", "live", 1)
    say("after clearing", here.payloads(1))

    here.subscribe("will", 1)
    lost = Client("lost", will="will")
    lost.vanish()
    say("will", here.payloads(1))
    polite = Client("polite", will="will")
    polite.disconnect()
    there.publish("will", "nothing else", 1)
    say("will of who says goodbye", here.payloads(1))

    lasting = {"SessionExpiryInterval": 60} if VERSION == 5 else {}
    sleeper = Client("sleeper", clean=False, **lasting)
    say("session present", sleeper.session_present)
    sleeper.subscribe("queue", 2)
    sleeper.disconnect()
    for qos, payload in [(1, "first"), (1, "second"), (2, "third")]:
        there.publish("queue", payload, qos)
    sleeper = Client("sleeper", clean=False, **lasting)
    say("session present", sleeper.session_present)
    say("queued", sleeper.payloads(3))
    sleeper.disconnect()
    say("session present after a clean start", Client("sleeper").session_present)


def only_5():
    here, there = Client("here"), Client("there")
    here.subscribe("properties", 1)
    there.publish(
        "properties", "x", 1,
        UserProperty=[("z", "1"), ("z", "2"), ("a", "3")], MessageExpiryInterval=60,
        ContentType="text/plain", PayloadFormatIndicator=1,
    )
    seen = here.message().properties
    say("user properties", " ".join(f"{name}={value}" for name, value in seen.UserProperty))
    say("expires in", seen.MessageExpiryInterval)
    say("content", f"{seen.ContentType} {seen.PayloadFormatIndicator}")

    here.subscribe("question", 1)
    there.subscribe("answer", 1)
    there.publish("question", "?", 1, ResponseTopic="answer", CorrelationData=b"42")
    asked = here.message().properties
    here.publish(asked.ResponseTopic, "!", 1, CorrelationData=asked.CorrelationData)
    answer = there.message()
    say("response", f"{answer.payload.decode()} {answer.properties.CorrelationData.decode()}")

    here.subscribe("sent/#", 1)
    there.publish("sent/by/alias", "first", 1, TopicAlias=1)
    there.publish("", "second", 1, TopicAlias=1)
    say("by an alias", " ".join(here.message().topic for _ in range(2)))
    taker = Client("taker", TopicAliasMaximum=5)
    taker.subscribe("received/by/alias", 0)
    for _ in range(2):
        there.publish("received/by/alias", "x")
    # Paho leaves it to its user to know what an alias stands for.
    first, second = taker.message(), taker.message()
    same = first.properties.TopicAlias == second.properties.TopicAlias
    say("to an alias", f"{first.topic} {first.topic if same and not second.topic else second.topic}")

    here.subscribe("identified/+", 1, SubscriptionIdentifier=7)
    here.subscribe("identified/#", 1, SubscriptionIdentifier=8)
    there.publish("identified/x", "x", 1)
    identifiers = here.message().properties.SubscriptionIdentifier
    say("subscription identifiers", " ".join(str(n) for n in sorted(identifiers)))

    members = [Client("member-1"), Client("member-2")]
    for member in members:
        member.subscribe("$share/group/shared", 1)
    for n in range(4):
        there.publish("shared", str(n), 1)
    say("shared", " and ".join(sorted(member.payloads(2) for member in members)))

    narrow = Client("narrow", ReceiveMaximum=1)
    narrow.subscribe("narrow", 1)
    for n in range(10):
        there.publish("narrow", str(n), 1)
    say("one at a time", narrow.payloads(10))
    say("broker's receive maximum", narrow.connack[2].ReceiveMaximum)

    say("assigned identifier", len(Client().connack[2].AssignedClientIdentifier) > 8)

    for interval, expected in [(60, True), (0, False)]:
        # The Server may read the CONNECT of a new connection before the DISCONNECT of the old one.
        for _ in range(5):
            sleeper = Client("sleeper", clean=False, SessionExpiryInterval=60)
            sleeper.disconnect(SessionExpiryInterval=interval)
            sleeper = Client("sleeper", clean=False, SessionExpiryInterval=60)
            present = sleeper.session_present
            sleeper.disconnect(SessionExpiryInterval=0)
            if present == expected:
                break
        say(f"session present after an expiry of {interval}", present)

    say("suback", here.subscribe("codes", 1) + " " + here.subscribe("a/" * 128 + "a", 1))
    say("unsuback", here.unsubscribe("codes") + " " + here.unsubscribe("never"))


every_version()
if VERSION == 5:
    only_5()
say("done", VERSION)
