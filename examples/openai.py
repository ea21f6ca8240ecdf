"""The bot of openai.js in Python 3.9 or later, with nothing but its standard library. How to run it: docs/bots.md.

It hears by WebSocket, and reads and speaks by HTTP. The ids of what it says are made as telle/bot makes them: it may run beside
others with tokens of the same name, and each message is answered once.
"""
import base64, hashlib, json, os, random, socket, ssl, struct, threading, time, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

URL = os.environ.get("TELLE_URL", "ws://127.0.0.1:8080/ws")
TOKEN = os.environ["TELLE_TOKEN"]
MODEL_URL = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
HAND_OFF = "HANDOFF"
SYSTEM = f"""You answer customers of a car dealer, briefly and politely, in their language. Promise no price and no appointment.
Where the customer wants a person, or you do not know, answer with the one word {HAND_OFF} and nothing else."""
TIME_LIMIT = 25  # seconds

HTTP = URL.replace("ws", "http", 1)[: -len("/ws")]
claims = TOKEN.split(".")[1]
DEALER = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["dealer"]


class TakenOver(Exception):
    """Somebody else answers, or nobody is to."""


def call(method, path, body=None):
    """Asks Telle by HTTP. A refused event is TakenOver where the bot is not to speak."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(HTTP + path, data, headers, method=method), timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 409:
            raise TakenOver from None
        raise


def send(group, type, **fields):
    call("POST", "/v1/events", {"type": type, "dealerId": DEALER, "groupId": group, **fields})


def id_of(kind, seq, group):
    return f"{kind}-{seq}-{hashlib.sha256(group.encode()).hexdigest()[:32]}"


def parts_of(messages):
    """The parts of the model's answer, as they come: server-sent events of chat completions."""
    said = [{"role": "user" if each["user"] == "customer" else "assistant", "content": each["message"]} for each in messages]
    body = {"model": MODEL, "stream": True, "messages": [{"role": "system", "content": SYSTEM}, *said[-20:]]}
    headers = {"content-type": "application/json", "authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}"}
    request = urllib.request.Request(f"{MODEL_URL}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:
        for line in answer:
            data = line[len(b"data:") :].strip() if line.startswith(b"data:") else b""
            if data == b"[DONE]":
                return
            if data:
                choices = json.loads(data)["choices"]
                yield (choices[0]["delta"].get("content") or "") if choices else ""
    raise OSError("the model broke off")


def question_in(group, events):
    """The message that the bot is to answer now, and its seq; None: none."""
    if (group["waiting"] or {}).get("for") != "bot":
        return None
    asked = [e for e in events if e["payload"]["type"] == "CHAT_MSG" and e["payload"]["user"] == "customer"]
    if not asked:
        return None
    seq = asked[-1]["seq"]
    since = [e["payload"] for e in events if e["seq"] > seq]
    if any(p["type"] == "CHAT_MSG" and p.get("replyTo", 0) >= seq for p in since):
        return None
    turns = [p for p in since if p["type"] == "ASSIGNED" or (p["type"] == "MUTE_STATUS" and not p["muted"])]
    return None if turns and turns[-1].get("assignee") else seq


def answer(group, seq, events, stopped):
    """Shows the answer as it grows, and then says it."""
    until, shown, text = time.monotonic() + TIME_LIMIT, 0.0, ""
    for part in parts_of([e["payload"] for e in events if e["payload"]["type"] == "CHAT_MSG"]):
        if stopped.is_set():
            raise TakenOver
        if time.monotonic() > until:
            raise TimeoutError
        text = (text + part)[:4000]
        if not HAND_OFF.startswith(text) and time.monotonic() - shown > 0.15:
            send(group, "TYPING", user="bot", typing=True, text=text)
            shown = time.monotonic()
    if stopped.is_set():
        raise TakenOver
    if text == HAND_OFF:
        send(group, "HANDOFF", reason="the customer wants a person, or the bot does not know", id=id_of("handoff", seq, group))
        text = "I am getting somebody for you."
    send(group, "UPDATE_MSG", user="bot", message=text, replyTo=seq, id=id_of("answer", seq, group))


class Bot:
    def __init__(self):
        self.pool, self.lock = ThreadPoolExecutor(8), threading.Lock()
        self.turns, self.again = {}, set()

    def take(self, group):
        """A conversation may wait: whether it does is seen when its turn comes."""
        with self.lock:
            if group in self.turns:
                self.again.add(group)
                return
            self.turns[group] = threading.Event()
        self.pool.submit(self.turn, group)

    def turn(self, group):
        path, seq = f"/v1/dealers/{quote(DEALER, '')}", None
        try:
            events = call("GET", f"{path}/scopes/{quote(group, '')}/events?before={2**53 - 1}&limit=200")["items"]
            seq = question_in(call("GET", f"{path}/groups/{quote(group, '')}"), events)
            if seq is not None:
                answer(group, seq, events, self.turns[group])
        except TakenOver:
            pass
        except Exception as error:
            self.fail(group, seq, error)
        with self.lock:
            del self.turns[group]
            is_again = group in self.again
            self.again.discard(group)
        if is_again:
            self.take(group)

    def fail(self, group, seq, error):
        print(f"bot: {type(error).__name__}", flush=True)  # its message may have what the customer said
        try:
            if seq is not None:
                send(group, "HANDOFF", reason="the bot failed", id=id_of("handoff", seq, group))
        except (TakenOver, OSError):
            pass  # an agent has it already; or the server is away, and the wait falls due (12.2)

    def find(self):
        query = "waiting=bot&order=waiting&limit=200"
        page = call("GET", f"/v1/dealers/{quote(DEALER, '')}/groups?{query}")
        while True:
            for item in page["items"]:
                self.take(item["groupId"])
            if page["next"] is None:
                return
            page = call("GET", f"/v1/dealers/{quote(DEALER, '')}/groups?{query}&cursor={quote(page['next'])}")

    def hear(self, channel, payload):
        if channel == "session":
            self.find()
        group, kind = payload.get("groupId"), payload.get("type")
        is_person = kind == "CHAT_MSG" and payload["user"] == "admin"
        is_taken = payload.get("assignee") or payload.get("muted") and kind == "MUTE_STATUS"
        if is_person or is_taken or kind in ("CLOSE_CHAT", "HANDOFF", "SET_ASIDE", "ERASE_GROUP"):
            with self.lock:
                if group in self.turns:
                    self.turns[group].set()
        elif (payload.get("waiting") or {}).get("for") == "bot":
            self.take(group)


class WebSocket:
    """As much of RFC 6455 as a client needs."""

    def __init__(self, url):
        at = urlsplit(url)
        secure = at.scheme == "wss"
        sock = socket.create_connection((at.hostname, at.port or (443 if secure else 80)), timeout=60)
        self.sock = ssl.create_default_context().wrap_socket(sock, server_hostname=at.hostname) if secure else sock
        self.file = self.sock.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (f"GET {at.path} HTTP/1.1", f"Host: {at.netloc}", "Upgrade: websocket", "Connection: Upgrade")
        more = (f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: telle.v1")
        self.sock.sendall("\r\n".join((*lines, *more, "", "")).encode())
        if b" 101 " not in self.file.readline():
            raise OSError("no WebSocket there")
        while self.file.readline().strip():
            pass

    def put(self, opcode, data):
        mask, size = os.urandom(4), len(data)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
        self.sock.sendall(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def read(self, size):
        data = self.file.read(size)
        if len(data) < size:
            raise OSError("the connection is gone")
        return data

    def frames(self):
        """What comes; ends with the close code. Telle sends each message as one frame."""
        while True:
            first, size = self.read(2)
            if size > 125:
                size = struct.unpack(">H", self.read(2))[0] if size == 126 else struct.unpack(">Q", self.read(8))[0]
            opcode, data = first & 15, self.read(size)
            if opcode == 1:
                yield json.loads(data)
            elif opcode == 8:
                return struct.unpack(">H", data[:2])[0] if size >= 2 else 1005
            elif opcode == 9:
                self.put(10, data)


def listen(bot):
    """Joins, and hears until the connection ends. Returns the close code."""
    ws = WebSocket(URL)
    join = {"type": "SERVER_JOIN", "dealerId": DEALER, "token": TOKEN}
    ws.put(1, json.dumps({"channel": "server_join", "payload": join}).encode())
    frames = ws.frames()
    while True:
        try:
            frame = next(frames)
        except StopIteration as end:
            return end.value
        bot.hear(frame["channel"], frame["payload"])


if __name__ == "__main__":
    bot = Bot()
    while True:
        try:
            code = listen(bot)
            if 4400 <= code < 4500:
                raise SystemExit(f"bot: the server has closed the connection for good: {code}")
        except (OSError, TakenOver) as error:
            print(f"bot: {type(error).__name__}: coming back", flush=True)
        time.sleep(random.random() * 2)
