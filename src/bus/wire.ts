/** What the bus needs of Redis pub/sub, whether that is one server or a cluster. */
import type { RedisOptions } from './connection.ts';
import { Line, type Message } from './line.ts';

export interface WireOptions extends RedisOptions {
  /** What every name in Redis begins with. */
  readonly prefix: string;
}

export interface WireListener {
  onMessage(channel: string, body: Buffer): void;
  /** What could not be published may be now. */
  onWritable(): void;
  /** A new connection: of these channels none is followed yet. */
  onReadable(isMine: (channel: string) => boolean): void;
}

/** Fails at once what it cannot do now. */
export interface Wire {
  /** Publishes, for each channel in order. Resolves with those that may not have been; never rejects. */
  publish<Each extends Message>(messages: readonly Each[]): Promise<readonly Each[]>;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Follows the channel of every dealer. */
  subscribeAll(): Promise<unknown>;
  unsubscribeAll(): Promise<unknown>;
  close(): void;
}

/** The channel of a dealer's events [P-10]. */
export const dealerChannel = (prefix: string, dealerId: string): string => `${prefix}dealer:${dealerId}`;

/** One Redis server. */
export class ServerWire implements Wire {
  readonly #line: Line;
  readonly #pattern: string;
  #followsAll = false;

  constructor(options: WireOptions, listener: WireListener) {
    this.#pattern = dealerChannel(options.prefix.replace(/[\\[\]*?]/g, '\\$&'), '*');
    this.#line = new Line(options, 'whole', {
      onMessage: (channel, body) => {
        // Where every dealer is followed, what one dealer's channel brings comes by the pattern, too.
        const comesTwice = this.#followsAll && channel.startsWith(dealerChannel(options.prefix, ''));
        if (!comesTwice) listener.onMessage(channel, body);
      },
      onWritable: () => listener.onWritable(),
      onReadable: () => {
        this.#followsAll = false;
        listener.onReadable(() => true);
      },
    });
    this.#line.subscriber.on('pmessageBuffer', (_, channel, body) => listener.onMessage(channel.toString(), body));
  }

  publish<Each extends Message>(messages: readonly Each[]): Promise<readonly Each[]> {
    return this.#line.publish(messages).catch(() => messages);
  }

  subscribe(channel: string): Promise<unknown> {
    return this.#line.subscribe(channel);
  }

  unsubscribe(channel: string): Promise<unknown> {
    return this.#line.unsubscribe(channel);
  }

  async subscribeAll(): Promise<unknown> {
    await this.#line.subscriber.psubscribe(this.#pattern);
    this.#followsAll = true;
    return undefined;
  }

  unsubscribeAll(): Promise<unknown> {
    this.#followsAll = false;
    return this.#line.subscriber.punsubscribe(this.#pattern);
  }

  close(): void {
    this.#line.close();
  }
}
