/** Wire: the part of Redis pub/sub that the bus needs, whether that is one server or a cluster. */
import { randomUUID } from 'node:crypto';
import type { RedisOptions } from './connection.ts';
import { type Label, readLabel } from './label.ts';
import { Line, type Message } from './line.ts';

export interface WireOptions extends RedisOptions {
  /** Beginning of every name in Redis. */
  readonly prefix: string;
  /** The database's name: what nodes of another publish is not for this one. */
  readonly platform: string;
  /** Told of each frame of another platform, which is nobody's here. */
  readonly onStranger?: () => void;
}

export interface WireListener {
  /** @param label what came just before it, where its sender labels what it publishes */
  onMessage(channel: string, body: Buffer, label: Label | null): void;
  /** Called when what could not be published may be now. */
  onWritable(): void;
  /** A new connection: of these channels none is followed yet. */
  onReadable(isMine: (channel: string) => boolean): void;
  /** Nobody may have heard what was published on these channels lately. */
  onUnproven(channels: ReadonlySet<string>): void;
}

/** A message, and what is published of it beside it, just before. */
export interface Parcel extends Message {
  readonly label?: string;
}

/** Fails at once what it cannot do now. */
export interface Wire {
  /** True where what is published is heard, as far as that can be known. */
  readonly isProven: boolean;
  /** Why a server takes no writes, in its words; null: all do. */
  readonly refusal: string | null;
  /** Publishes, for each channel in order. Resolves with those that may not have been; never rejects. */
  publish<Each extends Parcel>(parcels: readonly Each[]): Promise<readonly Each[]>;
  /** Follows channels that belong together: those of a channel and of its labels. */
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  /** Follows the channel of every dealer. */
  subscribeAll(): Promise<unknown>;
  unsubscribeAll(): Promise<unknown>;
  close(): void;
}

/** The channel of a dealer's events [P-10]. */
export const dealerChannel = (prefix: string, dealerId: string): string => `${prefix}dealer:${dealerId}`;

/** The channel on which a node names dealers of whom something may not have been published. */
export const resyncChannel = (prefix: string): string => `${prefix}resync`;

/** The channel on which a node tells that the database answers it. */
export const wellChannel = (prefix: string): string => `${prefix}well`;

/** The patterns of all dealers' channels, and of their labels', in which nothing of the prefix is special. */
export function patternsOf(prefix: string): readonly [string, string] {
  const escaped = prefix.replace(/[\\[\]*?]/g, '\\$&');
  const every = dealerChannel(escaped, '*');
  return [every, labelChannel(escaped, every)];
}

const LABELS = 'label:';

/** The channel of the labels of another: of the same slot of a cluster, by what is in the braces. */
export const labelChannel = (prefix: string, channel: string): string => `${prefix}${LABELS}{${channel}}`;

/** Messages as they are published, each behind its label; what is a label is nobody's loss. */
export const withLabels = <Each extends Parcel>(prefix: string, parcels: readonly Each[]) =>
  parcels.flatMap((parcel): { channel: string; body: Message['body']; parcel: Each | null }[] => {
    const { channel, body, label } = parcel;
    const own = { channel, body, parcel };
    return label === undefined ? [own] : [{ channel: labelChannel(prefix, channel), body: label, parcel: null }, own];
  });

/**
 * Puts a label and the message behind it together again, as one connection brings them: a script publishes both, and Redis
 * lets nothing come between them.
 */
export class Unpacking {
  readonly #labels: string;
  readonly #listener: Pick<WireListener, 'onMessage'>;
  #label: Label | null = null;

  constructor(prefix: string, listener: Pick<WireListener, 'onMessage'>) {
    this.#labels = prefix + LABELS;
    this.#listener = listener;
  }

  next(channel: string, body: Buffer): void {
    if (channel.startsWith(this.#labels)) {
      this.#label = readLabel(body.toString());
      return;
    }
    const label = this.#label;
    this.#label = null;
    this.#listener.onMessage(channel, body, label);
  }
}

/** Where a line of this node's publishes to itself. */
export const pulseChannel = (prefix: string): string => `${prefix}pulse:${randomUUID()}`;

/** One Redis server. */
export class ServerWire implements Wire {
  readonly #line: Line;
  readonly #prefix: string;
  readonly #patterns: readonly [string, string];
  #followsAll = false;

  constructor(options: WireOptions, listener: WireListener) {
    const { prefix } = options;
    this.#prefix = prefix;
    this.#patterns = patternsOf(prefix);
    const [unpacking, unpackingAll] = [new Unpacking(prefix, listener), new Unpacking(prefix, listener)];
    const own = [resyncChannel(prefix), wellChannel(prefix)];
    this.#line = new Line(options, 'whole', {
      onMessage: (channel, body) => {
        // Where every dealer is followed, what one dealer's channels bring comes by the patterns, too.
        if (!this.#followsAll || own.includes(channel)) unpacking.next(channel, body);
      },
      onWritable: () => listener.onWritable(),
      onReadable: () => {
        this.#followsAll = false;
        listener.onReadable(() => true);
      },
      onMoved: () => {},
      onUnproven: (channels) => listener.onUnproven(channels),
    });
    this.#line.pulse = pulseChannel(prefix);
    this.#line.subscriber.on('pmessageBuffer', (_, channel, body) => unpackingAll.next(channel.toString(), body));
  }

  get isProven(): boolean {
    return this.#line.isProven;
  }

  get refusal(): string | null {
    return this.#line.refusal;
  }

  async publish<Each extends Parcel>(parcels: readonly Each[]): Promise<readonly Each[]> {
    try {
      const refused = await this.#line.publish(withLabels(this.#prefix, parcels));
      return refused.flatMap(({ parcel }) => parcel ?? []);
    } catch {
      return parcels;
    }
  }

  subscribe(...channels: string[]): Promise<unknown> {
    return this.#line.subscribe(...channels);
  }

  unsubscribe(...channels: string[]): Promise<unknown> {
    return this.#line.unsubscribe(...channels);
  }

  async subscribeAll(): Promise<unknown> {
    await this.#line.subscriber.psubscribe(...this.#patterns);
    this.#followsAll = true;
    return undefined;
  }

  unsubscribeAll(): Promise<unknown> {
    this.#followsAll = false;
    return this.#line.subscriber.punsubscribe(...this.#patterns);
  }

  close(): void {
    this.#line.close();
  }
}
