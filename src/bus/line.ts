/** One Redis server, as the bus uses it: a connection that publishes, and one that listens. */
import type { Redis } from 'ioredis';
import { connectRedis, keepAlive, type RedisOptions } from './connection.ts';

/** What pub/sub is called on a server of its own, and on one of a cluster, where channels belong to shards. */
const VERBS = {
  whole: { publish: 'publish', subscribe: 'subscribe', unsubscribe: 'unsubscribe', message: 'message' },
  sharded: { publish: 'spublish', subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe', message: 'smessage' },
} as const;

export interface LineListener {
  onMessage(channel: string, text: string): void;
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
    this.subscriber.on(this.#verbs.message, (channel: string, text: string) => listener.onMessage(channel, text));
  }

  get isReady(): boolean {
    return this.publisher.status === 'ready' && this.subscriber.status === 'ready';
  }

  publish(channel: string, message: Buffer | string): Promise<unknown> {
    return this.publisher[this.#verbs.publish](channel, message);
  }

  subscribe(channel: string): Promise<unknown> {
    return this.subscriber[this.#verbs.subscribe](channel);
  }

  unsubscribe(channel: string): Promise<unknown> {
    return this.subscriber[this.#verbs.unsubscribe](channel);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.publisher.disconnect();
    this.subscriber.disconnect();
  }
}
