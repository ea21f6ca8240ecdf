/**
 * One Redis server, as the bus uses it: a connection that publishes, and one that listens. That it carries is not believed but
 * proved: what it publishes to itself, every second, must come back, from a server that is a master. Where it does not, both
 * connections are made anew, from the name that was given; and what was published since the last proof may not have gone.
 */
import type { Redis } from 'ioredis';
import { connectRedis, isReadOnly, isTimeout, type RedisOptions } from './connection.ts';

/** Commands of pub/sub on a server of its own, and on one of a cluster, where channels belong to shards. */
const VERBS = {
  whole: { publish: 'publish', subscribe: 'subscribe', unsubscribe: 'unsubscribe', message: 'messageBuffer' },
  sharded: { publish: 'spublish', subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe', message: 'smessageBuffer' },
} as const;

/** Interval at which a line publishes to itself, in ms, and number of these that may be out before it counts as dead. */
const PULSE_INTERVAL = 1_000;
const MAX_UNANSWERED = 3;

/** Publishes all that it is given, in order, and answers the places of those that the server would not have. */
const PUBLISH = `
  local refused = {}
  for i = 2, #ARGV, 2 do
    local reached = redis.pcall(ARGV[1], ARGV[i], ARGV[i + 1])
    if type(reached) == 'table' then refused[#refused + 1] = i / 2 - 1 end
  end
  return refused`;

/** Message to publish, and its channel. */
export interface Message {
  readonly channel: string;
  readonly body: Buffer | string;
}

interface LineListener {
  onMessage(channel: string, body: Buffer): void;
  /** The publisher has a new connection, or a pulse has come back: what could not be published may be now. */
  onWritable(): void;
  /** The subscriber has a new connection, and follows nothing yet. */
  onReadable(): void;
  /** The server no longer has channels that it had: its own word, or its answer to the pulse. */
  onMoved(): void;
  /** On these channels something was published of which it is not known whether anybody could hear it. */
  onUnproven(channels: ReadonlySet<string>): void;
}

export class Line {
  readonly publisher: Redis;
  readonly subscriber: Redis;
  readonly #verbs: (typeof VERBS)[keyof typeof VERBS];
  readonly #listener: LineListener;
  readonly #timer: NodeJS.Timeout;
  /** The channel of the pulse, this line's own; null: it has none yet. */
  #pulse: string | null = null;
  /** The last pulse that was sent, and the last that came back, or was sent over connections that are no more. */
  #sent = 0;
  #answered = 0;
  #hasAnswered = false;
  /** Why the server takes no writes, in its words; null: it does. */
  refusal: string | null = null;
  /** Channels on which was published since the last pulse was sent, and before that since the last that came back. */
  #fresh = new Set<string>();
  #unproven = new Set<string>();

  constructor(options: RedisOptions, kind: keyof typeof VERBS, listener: LineListener) {
    this.#verbs = VERBS[kind];
    this.#listener = listener;
    this.publisher = connectRedis(options, 'publisher');
    this.subscriber = connectRedis(options, 'subscriber');
    this.publisher.on('ready', () => listener.onWritable());
    this.subscriber.on('ready', () => {
      this.#followPulse();
      listener.onReadable();
    });
    for (const connection of [this.publisher, this.subscriber]) connection.on('close', () => this.#breakOff());
    this.subscriber.on('moved', () => listener.onMoved());
    this.subscriber.on(this.#verbs.message, (channel: Buffer, body: Buffer) => this.#receive(channel.toString(), body));
    this.#timer = setInterval(() => this.#beat(), PULSE_INTERVAL);
  }

  get isReady(): boolean {
    return this.publisher.status === 'ready' && this.subscriber.status === 'ready';
  }

  /** True where what is published on it is heard on it, as far as that can be known. */
  get isProven(): boolean {
    if (this.#pulse === null) return this.isReady;
    return this.#hasAnswered && this.#sent - this.#answered <= MAX_UNANSWERED;
  }

  /** Which channel is the pulse's, from now on: one that the server has. Null: it can have none, and nothing is proved. */
  set pulse(channel: string | null) {
    if (channel === this.#pulse) return;
    this.#pulse = channel;
    this.#forgetPulse();
    if (this.subscriber.status === 'ready') this.#followPulse();
  }

  get pulse(): string | null {
    return this.#pulse;
  }

  /**
   * Publishes many by one command, which takes this node and Redis a third of what a command each does.
   * @returns those that the server would not have. Rejects where it is not known what became of them
   */
  async publish<Each extends Message>(messages: readonly Each[]): Promise<Each[]> {
    const texts: (Buffer | string)[] = [];
    for (const { channel, body } of messages) {
      texts.push(channel, body);
      this.#fresh.add(channel);
    }
    const refused = await this.publisher.call('eval', [PUBLISH, 0, this.#verbs.publish, ...texts]);
    return Array.isArray(refused) ? messages.filter((_, place) => refused.includes(place)) : [];
  }

  subscribe(...channels: string[]): Promise<unknown> {
    return this.subscriber[this.#verbs.subscribe](...channels);
  }

  unsubscribe(...channels: string[]): Promise<unknown> {
    return this.subscriber[this.#verbs.unsubscribe](...channels);
  }

  close(): void {
    clearInterval(this.#timer);
    this.publisher.disconnect();
    this.subscriber.disconnect();
  }

  #receive(channel: string, body: Buffer): void {
    if (channel !== this.#pulse) {
      this.#listener.onMessage(channel, body);
      return;
    }
    const pulse = Number(body.toString());
    if (!(pulse > this.#answered && pulse <= this.#sent)) return;
    this.#answered = pulse;
    this.#hasAnswered = true;
    if (pulse !== this.#sent) return;
    // What was published before that pulse has gone the same way. What could not be published may be now.
    this.#unproven.clear();
    this.#listener.onWritable();
  }

  /** Forgets what was proved: it was so of connections that are no more. */
  #forgetPulse(): void {
    this.#hasAnswered = false;
    this.#answered = this.#sent;
  }

  #followPulse(): void {
    if (this.#pulse !== null) this.subscribe(this.#pulse).catch(() => {});
  }

  #beat(): void {
    const channel = this.#pulse;
    if (channel === null || !this.isReady) return;
    if (this.#sent - this.#answered >= MAX_UNANSWERED) {
      this.#connectAnew();
      return;
    }
    this.#sent += 1;
    for (const each of this.#fresh) this.#unproven.add(each);
    this.#fresh = new Set();
    this.#prove(channel, String(this.#sent)).catch((error: unknown) => {
      if (isReadOnly(error) || isTimeout(error)) this.#connectAnew();
    });
  }

  async #prove(channel: string, body: string): Promise<void> {
    // A server that was demoted publishes, but to nobody else: it refuses to write.
    await this.publisher.set(channel, '', 'PX', PULSE_INTERVAL).then(
      () => {
        this.refusal = null;
      },
      (error: unknown) => {
        if (isReadOnly(error) || isTimeout(error)) throw error;
        if (error instanceof Error) this.refusal = error.message;
      },
    );
    const refused = await this.publish([{ channel, body }]);
    if (refused.length > 0) this.#listener.onMoved();
  }

  /** Tells what was published since the last proof: the next one is of other connections, perhaps to another server. */
  #breakOff(): void {
    const unproven = new Set([...this.#unproven, ...this.#fresh]);
    this.#unproven = new Set();
    this.#fresh = new Set();
    this.#forgetPulse();
    if (unproven.size > 0) this.#listener.onUnproven(unproven);
  }

  #connectAnew(): void {
    this.#breakOff();
    for (const connection of [this.publisher, this.subscriber]) connection.disconnect(true);
  }
}
