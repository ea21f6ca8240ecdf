/** The bus of many nodes: Redis pub/sub, one channel a dealer [P-10]. It loses what Redis loses, and knows when it did. */
import { ALL_DEALERS } from '../../schemas/table.ts';
import type { Publication } from '../hub/publication.ts';
import type { Bus, Listener } from './bus.ts';
import { ClusterWire } from './cluster-wire.ts';
import { type Label, labelled, unlabelled, writeLabel } from './label.ts';
import {
  dealerChannel,
  labelChannel,
  resyncChannel,
  ServerWire,
  type Wire,
  type WireListener,
  type WireOptions,
  wellChannel,
} from './wire.ts';

/** Time after which a failed subscription is tried again, in ms. */
const RETRY = 1_000;

/** Time for which strangers are a trouble after they were heard, in ms. */
const STRANGENESS = 60_000;

export class RedisBus implements Bus {
  readonly #wire: Wire;
  readonly #prefix: string;
  readonly #resyncChannel: string;
  readonly #wellChannel: string;
  /** When another node told that the database answers it. */
  #othersWellAt = Number.NEGATIVE_INFINITY;
  /** Dealers that have sockets here, `*` for all of them; and when each is followed. */
  readonly #followed = new Map<string, Promise<unknown>>();
  /** Dealers of whom something could not be published. */
  readonly #unpublished = new Set<string>();
  /** When the first of them came to be, as `performance.now()` tells time; null: all has been published. */
  #unpublishedAt: number | null = null;
  /** Origin in this node's labels: what comes round with it is an echo. */
  readonly #origin: string;
  readonly #platform: string;
  #strangeAt = Number.NEGATIVE_INFINITY;
  readonly #onStranger: () => void;
  #listener: Listener | undefined;

  /**
   * Connects, and goes on connecting: a Redis that is away is no fault at the start.
   * @param isCluster whether the server is one of a cluster, with sharded pub/sub
   */
  constructor(options: WireOptions, isCluster = false) {
    this.#prefix = options.prefix;
    this.#platform = `${options.platform}/`;
    this.#onStranger = options.onStranger ?? (() => {});
    this.#origin = this.#platform + crypto.randomUUID();
    this.#resyncChannel = resyncChannel(options.prefix);
    this.#wellChannel = wellChannel(options.prefix);
    const listener: WireListener = {
      onMessage: (channel, body, label) => {
        try {
          this.#receive(channel, body, label);
        } catch {
          // Anybody may publish anything: what is no frame is nobody's. A parser's words would quote it.
          options.onFault(new Error('it cannot be read'), `what came on ${channel} is no frame`);
        }
      },
      onWritable: () => this.#resyncUnpublished(),
      onReadable: (isMine) => this.#followAnew(isMine),
      onUnproven: (channels) => {
        const dealers = this.#channel('');
        for (const channel of channels) if (channel.startsWith(dealers)) this.#miss(channel.slice(dealers.length));
      },
    };
    this.#wire = isCluster ? new ClusterWire(options, listener) : new ServerWire(options, listener);
  }

  /** True where this node hears what is published, as far as that can be known. */
  get isProven(): boolean {
    return this.#wire.isProven;
  }

  /** Why Redis takes no writes, in its words; null: it does. */
  get refusal(): string | null {
    return this.#wire.refusal;
  }

  /** True where another platform was heard within a minute. */
  get hearsStrangers(): boolean {
    return performance.now() - this.#strangeAt < STRANGENESS;
  }

  /** Tells the other nodes that the database answers this one. */
  tellWell(): void {
    void this.#wire.publish([{ channel: this.#wellChannel, body: this.#origin }]);
  }

  /** True where another node has told within so many ms that the database answers it. */
  areOthersWell(ms: number): boolean {
    return performance.now() - this.#othersWellAt < ms;
  }

  /** Dealers of whom something could not be published, and for how long there have been such, in ms. */
  get unpublished(): { readonly dealers: number; readonly ms: number } {
    const dealers = this.#unpublished.size;
    return { dealers, ms: this.#unpublishedAt === null ? 0 : performance.now() - this.#unpublishedAt };
  }

  listen(listener: Listener): void {
    this.#listener = listener;
  }

  publish(publications: readonly Publication[]): void {
    for (const publication of publications) this.#listener?.deliver(publication);
    if (publications.length === 0) return;
    const parcels = publications.map((publication) => {
      const { dealerId, frame: body } = publication;
      return { channel: this.#channel(dealerId), body, label: writeLabel(publication, this.#origin), dealerId };
    });
    this.#wire.publish(parcels).then((lost) => {
      for (const { dealerId } of lost) this.#miss(dealerId);
    });
  }

  async follow(dealerId: string): Promise<void> {
    const followed = this.#followed.get(dealerId) ?? this.#subscribe(dealerId);
    this.#followed.set(dealerId, followed);
    // Where it fails, the next connection follows it, and what was missed until then is looked for in the log.
    await followed.catch(() => {});
  }

  unfollow(dealerId: string): void {
    if (!this.#followed.delete(dealerId)) return;
    const isAll = dealerId === ALL_DEALERS;
    const done = isAll ? this.#wire.unsubscribeAll() : this.#wire.unsubscribe(...this.#channels(dealerId));
    done.catch(() => {});
  }

  resync(dealerIds: Iterable<string>): void {
    for (const dealerId of dealerIds) this.#miss(dealerId);
    this.#resyncUnpublished();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#wire.close();
  }

  #channel(dealerId: string): string {
    return dealerChannel(this.#prefix, dealerId);
  }

  /** The channel of a dealer's events, and that of their labels. */
  #channels(dealerId: string): [string, string] {
    const channel = this.#channel(dealerId);
    return [channel, labelChannel(this.#prefix, channel)];
  }

  #subscribe(dealerId: string): Promise<unknown> {
    return dealerId === ALL_DEALERS ? this.#wire.subscribeAll() : this.#wire.subscribe(...this.#channels(dealerId));
  }

  /** On a new connection: follows what the old one did, and looks in the log for what came in between. */
  #followAnew(isMine: (channel: string) => boolean): void {
    for (const channel of [this.#resyncChannel, this.#wellChannel]) if (isMine(channel)) this.#followOwn(channel);
    for (const dealerId of this.#followed.keys()) {
      // Every dealer's events may come over any connection.
      if (dealerId !== ALL_DEALERS && !isMine(this.#channel(dealerId))) continue;
      const followed = this.#subscribe(dealerId);
      this.#followed.set(dealerId, followed);
      followed
        .then(() => this.#listener?.missed(dealerId))
        .catch(() => setTimeout(() => this.#retry(dealerId, followed), RETRY).unref());
    }
  }

  #followOwn(channel: string): void {
    this.#wire.subscribe(channel).catch(() => {
      if (this.#listener) setTimeout(() => this.#followOwn(channel), RETRY).unref();
    });
  }

  /** Follows once more what a connection that lasts would not follow. */
  #retry(dealerId: string, failed: Promise<unknown>): void {
    if (this.#followed.get(dealerId) === failed) this.#followAnew((channel) => channel === this.#channel(dealerId));
  }

  #miss(dealerId: string): void {
    this.#unpublished.add(dealerId);
    this.#unpublishedAt ??= performance.now();
  }

  #resyncUnpublished(): void {
    if (this.#unpublished.size === 0) return;
    const dealerIds = [...this.#unpublished];
    this.#unpublished.clear();
    this.#wire.publish([{ channel: this.#resyncChannel, body: JSON.stringify(dealerIds) }]).then((lost) => {
      if (lost.length > 0) for (const dealerId of dealerIds) this.#miss(dealerId);
      else if (this.#unpublished.size === 0) this.#unpublishedAt = null;
    });
  }

  #receive(channel: string, body: Buffer, label: Label | null): void {
    if (channel === this.#resyncChannel) {
      for (const dealerId of JSON.parse(body.toString())) this.#listener?.missed(dealerId);
      return;
    }
    if (channel === this.#wellChannel) {
      const origin = body.toString();
      if (origin !== this.#origin && origin.startsWith(this.#platform)) this.#othersWellAt = performance.now();
      return;
    }
    // A label whose own frame did not come is not that of the next.
    const own = label?.bytes === body.length ? label : null;
    // What this node published was delivered here when it was.
    if (own?.origin === this.#origin) return;
    // Pub/sub knows no databases: another platform may be on this Redis, under the same prefix.
    if (own && !own.origin.startsWith(this.#platform)) {
      this.#onStranger();
      this.#strangeAt = performance.now();
      return;
    }
    const frame = body.toString();
    this.#listener?.deliver(own ? labelled(own, frame) : unlabelled(frame));
  }
}
