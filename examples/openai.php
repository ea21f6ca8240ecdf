<?php
/**
 * The bot of openai.js in PHP 8.1 or later, with nothing but what PHP brings along. How to run it: docs/bots.md.
 *
 * It hears by WebSocket, and reads and speaks by HTTP. It answers one conversation at a time: run it several times with tokens of
 * the same name for more at once. The ids of what it says are made as telle/bot makes them, so each message is answered once.
 */
declare(strict_types=1);

define('URL', getenv('TELLE_URL') ?: 'ws://127.0.0.1:8080/ws');
define('TOKEN', getenv('TELLE_TOKEN') ?: exit("TELLE_TOKEN is missing\n"));
define('MODEL_URL', getenv('OPENAI_BASE_URL') ?: 'https://api.openai.com/v1');
define('MODEL', getenv('OPENAI_MODEL') ?: 'gpt-4o-mini');
const HAND_OFF = 'HANDOFF';
const SYSTEM = 'You answer customers of a car dealer, briefly and politely, in their language. Promise no price and no appointment.
Where the customer wants a person, or you do not know, answer with the one word ' . HAND_OFF . ' and nothing else.';
const TIME_LIMIT = 25; // seconds
const SILENCE = 60; // seconds, in which Telle pings more than once

define('HTTP', substr_replace(substr(URL, 0, -strlen('/ws')), 'http', 0, 2));
define('DEALER', json_decode(base64_decode(strtr(explode('.', TOKEN)[1], '-_', '+/')))->dealer);

/** Somebody else answers, or nobody is to. */
class TakenOver extends Exception {}
/** The server or the model cannot be reached, or says something else than expected. */
class Unreachable extends Exception {}

function context(string $method, string $token, ?array $body): mixed {
    return stream_context_create(['http' => [
        'method' => $method,
        'header' => ["Authorization: Bearer $token", 'Content-Type: application/json'],
        'content' => $body === null ? '' : json_encode($body, JSON_THROW_ON_ERROR),
        'ignore_errors' => true,
        'timeout' => 10,
    ]]);
}

/** Asks Telle by HTTP. A refused event is TakenOver where the bot is not to speak. */
function call(string $method, string $path, ?array $body = null): array {
    $answer = @file_get_contents(HTTP . $path, false, context($method, TOKEN, $body));
    $status = (int) explode(' ', $http_response_header[0] ?? ' 0')[1];
    if ($status === 409) throw new TakenOver();
    if ($answer === false || $status >= 300) throw new Unreachable("Telle answered $status");
    return json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
}

function send(string $group, string $type, array $fields): void {
    call('POST', '/v1/events', ['type' => $type, 'dealerId' => DEALER, 'groupId' => $group, ...$fields]);
}

function id_of(string $kind, int $seq, string $group): string {
    return "$kind-$seq-" . substr(hash('sha256', $group), 0, 32);
}

/** A connection that is read as far as something has come: as much of RFC 6455 as a client needs. */
class WebSocket {
    /** @var resource */
    public $stream;
    private string $come = '';
    private float $heard;

    function __construct(string $url) {
        $at = parse_url($url);
        $secure = $at['scheme'] === 'wss';
        $address = ($secure ? 'tls://' : 'tcp://') . $at['host'] . ':' . ($at['port'] ?? ($secure ? 443 : 80));
        $stream = @stream_socket_client($address, timeout: 10);
        if ($stream === false) throw new Unreachable('no connection');
        $host = $at['host'] . (isset($at['port']) ? ":{$at['port']}" : '');
        $lines = ["GET {$at['path']} HTTP/1.1", "Host: $host", 'Upgrade: websocket', 'Connection: Upgrade',
            'Sec-WebSocket-Key: ' . base64_encode(random_bytes(16)), 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: telle.v1'];
        fwrite($stream, implode("\r\n", [...$lines, '', '']));
        if (!str_contains((string) fgets($stream), ' 101 ')) throw new Unreachable('no WebSocket there');
        while (trim((string) fgets($stream)) !== '');
        stream_set_blocking($stream, false);
        $this->stream = $stream;
        $this->heard = microtime(true);
    }

    function put(int $opcode, string $data): void {
        $size = strlen($data);
        $mask = random_bytes(4);
        $length = $size < 126 ? chr(0x80 | $size) : "\xfe" . pack('n', $size);
        $frame = chr(0x80 | $opcode) . $length . $mask . ($data ^ str_pad('', $size, $mask));
        if (fwrite($this->stream, $frame) !== strlen($frame)) throw new Unreachable('the connection is stuck');
    }

    /** The envelopes that have come. Telle sends each message as one frame. Ends the program where it may not come back. */
    function frames(): array {
        while (($data = fread($this->stream, 65536)) !== false && $data !== '') {
            $this->come .= $data;
            $this->heard = microtime(true);
        }
        if (feof($this->stream) || microtime(true) - $this->heard > SILENCE) throw new Unreachable('the connection is gone');
        $frames = [];
        while (($frame = $this->next()) !== null) {
            [$opcode, $data] = $frame;
            if ($opcode === 1) $frames[] = json_decode($data, true, flags: JSON_THROW_ON_ERROR);
            if ($opcode === 9) $this->put(10, $data);
            if ($opcode !== 8) continue;
            $code = strlen($data) >= 2 ? unpack('n', $data)[1] : 1005;
            if ($code >= 4400 && $code < 4500) exit("bot: the server has closed the connection for good: $code\n");
            throw new Unreachable("closed: $code");
        }
        return $frames;
    }

    /** The opcode and the data of the next frame, taken from what has come; null: it is not whole. */
    private function next(): ?array {
        if (strlen($this->come) < 2) return null;
        $size = ord($this->come[1]);
        $begin = [126 => 4, 127 => 10][$size] ?? 2;
        if (strlen($this->come) < $begin) return null;
        if ($size > 125) $size = unpack($size === 126 ? 'n' : 'J', $this->come, 2)[1];
        if (strlen($this->come) < $begin + $size) return null;
        $frame = [ord($this->come[0]) & 15, substr($this->come, $begin, $size)];
        $this->come = substr($this->come, $begin + $size);
        return $frame;
    }
}

/** The message that the bot is to answer now, as its seq; null: none. */
function question_in(array $group, array $events): ?int {
    if (($group['waiting']['for'] ?? null) !== 'bot') return null;
    $isAsked = fn($e) => $e['payload']['type'] === 'CHAT_MSG' && $e['payload']['user'] === 'customer';
    $asked = array_filter($events, $isAsked);
    if ($asked === []) return null;
    $seq = end($asked)['seq'];
    $isTaken = false;
    foreach ($events as ['seq' => $at, 'payload' => $said]) {
        if ($at <= $seq) continue;
        if ($said['type'] === 'CHAT_MSG' && ($said['replyTo'] ?? 0) >= $seq) return null;
        if ($said['type'] === 'ASSIGNED') $isTaken = $said['assignee'] !== null;
        if ($said['type'] === 'MUTE_STATUS' && !$said['muted']) $isTaken = false;
    }
    return $isTaken ? null : $seq;
}

class Bot {
    private WebSocket $ws;
    /** @var array<string, true> The conversations that may wait: whether one does is seen when its turn comes. */
    private array $waiting = [];
    /** The conversation that is being answered. */
    private ?string $group = null;
    private bool $isStopped = false;

    /** Joins, hears and answers until the connection ends. */
    function run(): never {
        $this->ws = new WebSocket(URL);
        $join = ['type' => 'SERVER_JOIN', 'dealerId' => DEALER, 'token' => TOKEN];
        $this->ws->put(1, json_encode(['channel' => 'server_join', 'payload' => $join]));
        for (;;) {
            $this->hear($this->waiting === [] ? 30 : 0);
            $group = array_key_first($this->waiting);
            if ($group === null) continue;
            unset($this->waiting[$group]);
            $this->turn((string) $group);
        }
    }

    /** Waits until something comes, on the connection or from the model, at most so many seconds, and heeds what the connection brings. */
    private function hear(float $seconds, mixed $model = null): void {
        $read = $model === null ? [$this->ws->stream] : [$this->ws->stream, $model];
        $none = null;
        stream_select($read, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1e6));
        foreach ($this->ws->frames() as ['channel' => $channel, 'payload' => $payload]) $this->heed($channel, $payload);
    }

    private function heed(string $channel, array $payload): void {
        if ($channel === 'session') $this->find();
        [$group, $type] = [$payload['groupId'] ?? null, $payload['type'] ?? null];
        $isPerson = $type === 'CHAT_MSG' && $payload['user'] === 'admin';
        $isTaken = isset($payload['assignee']) || ($type === 'MUTE_STATUS' && $payload['muted']);
        if ($isPerson || $isTaken || in_array($type, ['CLOSE_CHAT', 'HANDOFF', 'SET_ASIDE', 'ERASE_GROUP'], true)) {
            $this->isStopped = $this->isStopped || $group === $this->group;
        } elseif (($payload['waiting']['for'] ?? null) === 'bot') {
            $this->waiting[$group] = true;
        }
    }

    /** Finds what waits for a bot, the longest first. */
    private function find(): void {
        $query = '/v1/dealers/' . rawurlencode(DEALER) . '/groups?waiting=bot&order=waiting&limit=200';
        for ($page = call('GET', $query); ; $page = call('GET', "$query&cursor=" . rawurlencode($page['next']))) {
            foreach ($page['items'] as $item) $this->waiting[$item['groupId']] = true;
            if ($page['next'] === null) return;
        }
    }

    private function turn(string $group): void {
        $seq = null;
        [$this->group, $this->isStopped] = [$group, false];
        try {
            $dealer = '/v1/dealers/' . rawurlencode(DEALER);
            $name = rawurlencode($group);
            $events = call('GET', "$dealer/scopes/$name/events?before=" . (2 ** 53 - 1) . '&limit=200')['items'];
            $seq = question_in(call('GET', "$dealer/groups/$name"), $events);
            if ($seq !== null) $this->answer($group, $seq, $events);
        } catch (TakenOver) {
        } catch (Exception $fault) {
            $this->fail($group, $seq, $fault);
        } finally {
            $this->group = null;
        }
    }

    private function fail(string $group, ?int $seq, Exception $fault): void {
        echo 'bot: ', $fault::class, "\n"; // its message may have what the customer said
        try {
            if ($seq !== null) send($group, 'HANDOFF', ['reason' => 'the bot failed', 'id' => id_of('handoff', $seq, $group)]);
        } catch (TakenOver | Unreachable) {
            // an agent has it already; or the server is away, and the wait falls due (12.2)
        }
    }

    /** The parts of the model's answer, as they come: server-sent events of chat completions. */
    private function parts_of(array $messages, float $until): Generator {
        $said = fn($message) => ['role' => $message['user'] === 'customer' ? 'user' : 'assistant', 'content' => $message['message']];
        $asked = [['role' => 'system', 'content' => SYSTEM], ...array_map($said, array_slice($messages, -20))];
        $body = ['model' => MODEL, 'stream' => true, 'messages' => $asked];
        $model = @fopen(MODEL_URL . '/chat/completions', 'r', false, context('POST', getenv('OPENAI_API_KEY') ?: '', $body));
        if ($model === false) throw new Unreachable('no model there');
        stream_set_blocking($model, false);
        for ($rest = ''; !feof($model); ) {
            $this->hear(0.5, $model);
            if ($this->isStopped) throw new TakenOver();
            if (microtime(true) > $until) throw new Unreachable('the model is late');
            $lines = explode("\n", $rest . fread($model, 65536));
            $rest = array_pop($lines);
            foreach ($lines as $line) {
                $data = str_starts_with($line, 'data:') ? trim(substr($line, strlen('data:'))) : '';
                if ($data === '[DONE]') return;
                if ($data !== '') yield json_decode($data, true, flags: JSON_THROW_ON_ERROR)['choices'][0]['delta']['content'] ?? '';
            }
        }
        throw new Unreachable('the model broke off');
    }

    /** Shows the answer as it grows, and then says it. */
    private function answer(string $group, int $seq, array $events): void {
        $messages = array_filter(array_column($events, 'payload'), fn($payload) => $payload['type'] === 'CHAT_MSG');
        [$text, $shown] = ['', 0.0];
        foreach ($this->parts_of($messages, microtime(true) + TIME_LIMIT) as $part) {
            $text .= $part;
            if (str_starts_with(HAND_OFF, $text) || microtime(true) - $shown < 0.15) continue;
            send($group, 'TYPING', ['user' => 'bot', 'typing' => true, 'text' => cut($text)]);
            $shown = microtime(true);
        }
        $this->hear(0);
        if ($this->isStopped) throw new TakenOver();
        if ($text === HAND_OFF) {
            $why = 'the customer wants a person, or the bot does not know';
            send($group, 'HANDOFF', ['reason' => $why, 'id' => id_of('handoff', $seq, $group)]);
            $text = 'I am getting somebody for you.';
        }
        $message = ['user' => 'bot', 'message' => cut($text), 'replyTo' => $seq, 'id' => id_of('answer', $seq, $group)];
        send($group, 'UPDATE_MSG', $message);
    }
}

/** As much of a text as a message holds. */
function cut(string $text): string {
    preg_match('/^.{0,4000}/us', $text, $begin);
    return $begin[0];
}

for (;;) {
    try {
        (new Bot())->run();
    } catch (TakenOver | Unreachable $fault) {
        echo 'bot: ', $fault::class, ": coming back\n";
    }
    usleep(random_int(0, 2_000_000));
}
