"""A QoS 2 subscriber of Eclipse Paho that keeps its session whatever becomes of its broker.

    counter.py PORT TOPIC

It prints `ready` when it is subscribed, then the payload of each message.
It works with Paho 1 and 2, whose constructors and callbacks differ.
"""

import socket
import sys
import time

import paho.mqtt.client as mqtt

PORT, TOPIC = int(sys.argv[1]), sys.argv[2]


def say(text):
    print(text, flush=True)


arguments = {"client_id": "counter", "clean_session": False}
if hasattr(mqtt, "CallbackAPIVersion"):
    arguments["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
client = mqtt.Client(**arguments)
client.on_message = lambda _client, _userdata, message: say(message.payload.decode())
client.on_subscribe = lambda *_: say("ready")
is_known = False


def on_connect(*_):
    global is_known
    if not is_known:
        is_known = True
        client.subscribe(TOPIC, 2)


client.on_connect = on_connect
while True:
    try:
        # Paho's own attempt changes what it knows of messages under way: it is made when it is likely to succeed.
        socket.create_connection(("127.0.0.1", PORT), 5).close()
        client.reconnect() if is_known else client.connect("127.0.0.1", PORT, 30)
    except (OSError, ValueError):
        time.sleep(0.02)
        continue
    while client.loop(0.05) == mqtt.MQTT_ERR_SUCCESS:
        pass
