"""A customer by python-socketio: joins a group, says what it is told to, and writes what comes as lines of JSON."""
import json, sys

import socketio

url, transport, group, *messages = sys.argv[1:]
client = socketio.Client(reconnection=False)


def write(*values):
    print(json.dumps(values), flush=True)


@client.on("*")
def anything(event, *values):
    write("event", event, *values)
    if event == "session":
        for message in messages:
            client.emit(
                "customer_message", ({"type": "UPDATE_MSG", "message": message}, {"id": message}), callback=lambda ack: write("ack", ack)
            )


@client.event
def disconnect():
    write("disconnect")


client.connect(url, transports=[transport])
client.emit("client_join", {"type": "CLIENT_JOIN", "dealerId": "d1", "groupId": group})
client.wait()
