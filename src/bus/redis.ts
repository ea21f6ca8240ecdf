/** The bus of many nodes: Redis pub/sub, one channel a dealer [P-10]. It loses what Redis loses, and knows when it did. */
import { ALL_DEALERS } from '../../schemas/table.ts';
import type { Publication } from '../hub/publication.ts';
import type { Bus, Listener } from './bus.ts';
import { ClusterWire } from './cluster-wire.ts';
import { dealerChannel, ServerWire, type Wire, type WireListener, type WireOptions } from './wire.ts';

/**
 * How the frame of what is stored ends, whoever published it [P-2.3]; nothing within a payload ends so. To parse the whole of
 * each frame, a node's own that come round among them, takes four times as long.
 */
const PLACE = /,"scope":"([^"]+)","seq":(\d+),"at":"([^"]+)"\}$/;
/** The longest such end, in bytes. */
const PLACE_LENGTH = 160;

/** Where a frame has its place in the log, and for how long it has been on its way; null where it is not stored. */
function placeOf(body: Buffer): { scope: string; seq: number; lag: number } | null {
  const [, scope, seq, at] = PLACE.exec(body.toString('latin1', body.length - PLACE_LENGTH)) ?? [];
  if (scope === undefined || at === undefined) return null;
  return { scope, seq: Number(seq), lag: Date.now() - Date.parse(at) };
}

/** How long after it failed a subscription is tried again, in ms. */
const RETRY = 1_000;

export class RedisBus implements Bus {
  readonly #wire: Wire;
  readonly #prefix: string;
  readonly #resyncChannel: string;
  /** Dealers that have sockets here, `*` for all of them; and when each is followed. */
  readonly #followed = new Map<string, Promise<unknown>>();
  /** Dealers of whom something could not be published. */
  readonly #unpublished = new Set<string>();
  /** What this node passed on that is not stored, and how often: its echo is dropped by this. */
  readonly #echoes = new Map<string, number>();
  #listener: Listener | undefined;

  /**
   * Connects, and goes on connecting: a Redis that is away is no fault at the start.
   * @param isCluster whether the server is one of a cluster, with sharded pub/sub
   */
  constructor(options: WireOptions, isCluster = false) {
    this.#prefix = options.prefix;
    this.#resyncChannel = `${options.prefix}resync`;
    const listener: WireListener = {
      onMessage: (channel, body) => {
        try {
          this.#receive(channel, body);
        } catch {
          // Anybody may publish anything: what is no frame is nobody's. A parser's words would quote it.
          options.onFault(new Error('it cannot be read'), `what came on ${channel} is no frame`);
        }
      },
      onWritable: () => this.#resyncUnpublished(),
      onReadable: (isMine) => this.#followAnew(isMine),
    };
    this.#wire = isCluster ? new ClusterWire(options, listener) : new ServerWire(options, listener);
  }

  listen(listener: Listener): void {
    this.#listener = listener;
  }

  publish(publications: readonly Publication[]): void {
    for (const publication of publications) this.#listener?.deliver(publication);
    if (publications.length === 0) return;
    const messages = publications.map((publication) => {
      const { dealerId, frame, seq } = publication;
      if (seq === null && this.#isFollowed(dealerId)) this.#expectEcho(frame);
      return { channel: this.#channel(dealerId), body: frame, publication };
    });
    this.#wire.publish(messages).then((lost) => {
      for (const { publication } of lost) {
        const { dealerId, frame, seq } = publication;
        this.#unpublished.add(dealerId);
        if (seq === null) this.#isEcho(frame); // none will come
      }
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
    const done = isAll ? this.#wire.unsubscribeAll() : this.#wire.unsubscribe(this.#channel(dealerId));
    done.catch(() => {});
  }

  resync(dealerIds: Iterable<string>): void {
    for (const dealerId of dealerIds) this.#unpublished.add(dealerId);
    this.#resyncUnpublished();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#wire.close();
  }

  #channel(dealerId: string): string {
    return dealerChannel(this.#prefix, dealerId);
  }

  #isFollowed(dealerId: string): boolean {
    return this.#followed.has(dealerId) || this.#followed.has(ALL_DEALERS);
  }

  #subscribe(dealerId: string): Promise<unknown> {
    return dealerId === ALL_DEALERS ? this.#wire.subscribeAll() : this.#wire.subscribe(this.#channel(dealerId));
  }

  /** On a new connection: follows what the old one did, and looks in the log for what came in between. */
  #followAnew(isMine: (channel: string) => boolean): void {
    this.#echoes.clear();
    if (isMine(this.#resyncChannel)) this.#wire.subscribe(this.#resyncChannel).catch(() => {});
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

  /** Follows once more what a connection that lasts would not follow. */
  #retry(dealerId: string, failed: Promise<unknown>): void {
    if (this.#followed.get(dealerId) === failed) this.#followAnew((channel) => channel === this.#channel(dealerId));
  }

  #resyncUnpublished(): void {
    if (this.#unpublished.size === 0) return;
    const dealerIds = [...this.#unpublished];
    this.#unpublished.clear();
    this.#wire.publish([{ channel: this.#resyncChannel, body: JSON.stringify(dealerIds) }]).then((lost) => {
      if (lost.length > 0) for (const dealerId of dealerIds) this.#unpublished.add(dealerId);
    });
  }

  #receive(channel: string, body: Buffer): void {
    if (channel === this.#resyncChannel) {
      for (const dealerId of JSON.parse(body.toString())) this.#listener?.missed(dealerId);
      return;
    }
    const publication = this.#read(channel.slice(this.#channel('').length), body);
    if (publication) this.#listener?.deliver(publication);
  }

  /** A frame as another node published it; null for the echo of this node's own that is not stored. */
  #read(dealerId: string, body: Buffer): Publication | null {
    const place = placeOf(body);
    const frame = body.toString();
    if (place) return { dealerId, frame, answer: null, ...place };
    const { payload } = JSON.parse(frame);
    return this.#isEcho(frame) ? null : { dealerId, scope: payload.groupId, seq: null, frame, answer: null };
  }

  #expectEcho(message: string): void {
    this.#echoes.set(message, (this.#echoes.get(message) ?? 0) + 1);
  }

  #isEcho(message: string): boolean {
    const left = this.#echoes.get(message);
    if (left === undefined) return false;
    if (left > 1) this.#echoes.set(message, left - 1);
    else this.#echoes.delete(message);
    return true;
  }
}
