/** One Redis server, as the bus uses it: a connection that publishes, and one that listens. */
import type { Redis } from 'ioredis';
import { connectRedis, keepAlive, type RedisOptions } from './connection.ts';

/** What pub/sub is called on a server of its own, and on one of a cluster, where channels belong to shards. */
const VERBS = {
  whole: { publish: 'publish', subscribe: 'subscribe', unsubscribe: 'unsubscribe', message: 'messageBuffer' },
  sharded: { publish: 'spublish', subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe', message: 'smessageBuffer' },
} as const;

/** Publishes all that it is given, in order, and answers the places of those that the server would not have. */
const PUBLISH = `
  local refused = {}
  for i = 2, #ARGV, 2 do
    local reached = redis.pcall(ARGV[1], ARGV[i], ARGV[i + 1])
    if type(reached) == 'table' then refused[#refused + 1] = i / 2 - 1 end
  end
  return refused`;

/** What is to be published, and where. */
export interface Message {
  readonly channel: string;
  readonly body: Buffer | string;
}

export interface LineListener {
  onMessage(channel: string, body: Buffer): void;
  /** The publisher has a new connection. */
  onWritable(): void;
  /** The subscriber has a new connection, and follows nothing yet. */
  onReadable(): void;
}

export class Line {
  readonly publisher: Redis;
  readonly subscriber: Redis;
  readonly #verbs: (typeof VERBS)[keyof typeof VERBS];
  readonly #stops: readonly (() => void)[];

  constructor(options: RedisOptions, kind: keyof typeof VERBS, listener: LineListener) {
    this.#verbs = VERBS[kind];
    this.publisher = connectRedis(options, 'publisher');
    this.subscriber = connectRedis(options, 'subscriber');
    this.#stops = [keepAlive(this.publisher), keepAlive(this.subscriber)];
    this.publisher.on('ready', () => listener.onWritable());
    this.subscriber.on('ready', () => listener.onReadable());
    this.subscriber.on(this.#verbs.message, (channel: Buffer, body: Buffer) =>
      listener.onMessage(channel.toString(), body),
    );
  }

  get isReady(): boolean {
    return this.publisher.status === 'ready' && this.subscriber.status === 'ready';
  }

  /**
   * Publishes many by one command, which takes this node and Redis a third of what a command each does.
   * @returns those that the server would not have. Rejects where it is not known what became of them
   */
  async publish<Each extends Message>(messages: readonly Each[]): Promise<Each[]> {
    const texts = messages.flatMap(({ channel, body }) => [channel, body]);
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
    for (const stop of this.#stops) stop();
    this.publisher.disconnect();
    this.subscriber.disconnect();
  }
}
