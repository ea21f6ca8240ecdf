/**
 * A Redis Cluster: sharded pub/sub, where each channel belongs to one shard. Which shard has which is asked of the cluster,
 * again and again, and at once when one is away or says that a channel has moved. Where nobody answers, it is asked of whoever
 * has the name that was given.
 */
import slotOf from 'cluster-key-slot';
import { Line, type Message } from './line.ts';
import {
  labelChannel,
  type Parcel,
  pulseChannel,
  Unpacking,
  type Wire,
  type WireListener,
  type WireOptions,
  withLabels,
} from './wire.ts';

/** Interval at which the cluster is looked at and interest in every dealer is repeated, in ms. */
const INTERVAL = 1_000;
/** Time for which interest in every dealer lasts unless it is repeated, in ms. */
const INTEREST = 5_000;

/** The slots of a cluster. */
const SLOTS = 16_384;

export class ClusterWire implements Wire {
  readonly #options: WireOptions;
  readonly #listener: WireListener;
  /** One for each master, by `host:port`. */
  readonly #lines = new Map<string, Line>();
  readonly #timer: NodeJS.Timeout;
  /** Every event of every dealer, for as long as some node tells that it has a server of all dealers. */
  readonly #allChannel: string;
  readonly #allChannels: readonly string[];
  readonly #interestChannel: string;
  /** The address of the master of each slot. */
  #slots: readonly string[] = [];
  #isClosed = false;
  #isStale = true;
  /** Those that no longer have a channel that was followed there, as they said. */
  readonly #moved = new Set<string>();
  #looking: Promise<void> | null = null;
  #followsAll = false;
  #interestUntil = 0;

  constructor(options: WireOptions, listener: WireListener) {
    this.#options = options;
    this.#listener = listener;
    this.#allChannel = `${options.prefix}all`;
    this.#allChannels = [this.#allChannel, labelChannel(options.prefix, this.#allChannel)];
    this.#interestChannel = `${options.prefix}interest`;
    this.#lineTo(this.#seed);
    this.#timer = setInterval(() => this.#tick(), INTERVAL);
  }

  get isProven(): boolean {
    return !this.#isStale && [...this.#lines.values()].every(({ isProven }) => isProven);
  }

  get refusal(): string | null {
    return [...this.#lines.values()].find(({ refusal }) => refusal !== null)?.refusal ?? null;
  }

  async publish<Each extends Parcel>(parcels: readonly Each[]): Promise<readonly Each[]> {
    const isForAll = Date.now() < this.#interestUntil;
    const copies = parcels.flatMap((original) => {
      const own = { ...original, original };
      return isForAll ? [own, { ...own, channel: this.#allChannel }] : [own];
    });
    const messages = withLabels(this.#options.prefix, copies);
    const shards = new Map<Line | undefined, typeof messages>();
    for (const copy of messages) {
      const line = this.#lineOf(copy.channel);
      const own = shards.get(line) ?? [];
      own.push(copy);
      shards.set(line, own);
    }
    // Each goes to its own shard: one that is away keeps nothing from the other.
    const lost = await Promise.all([...shards].map(([line, own]) => this.#publishOn(line, own)));
    return [...new Set(lost.flat().flatMap(({ parcel }) => parcel?.original ?? []))];
  }

  /** @returns those that may not have been published */
  async #publishOn<Each extends Message>(line: Line | undefined, messages: readonly Each[]): Promise<readonly Each[]> {
    try {
      const refused = (await line?.publish(messages)) ?? messages;
      if (line && refused.length > 0) this.#noteMoved();
      return refused;
    } catch {
      return messages;
    }
  }

  subscribe(...channels: string[]): Promise<unknown> {
    return this.#toShard(channels, (line) => line.subscribe(...channels));
  }

  unsubscribe(...channels: string[]): Promise<unknown> {
    return this.#toShard(channels, (line) => line.unsubscribe(...channels));
  }

  async subscribeAll(): Promise<unknown> {
    this.#followsAll = true;
    await this.subscribe(...this.#allChannels);
    return this.#tellInterest();
  }

  unsubscribeAll(): Promise<unknown> {
    this.#followsAll = false;
    return this.unsubscribe(...this.#allChannels);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const line of this.#lines.values()) line.close();
  }

  #tellInterest(): Promise<unknown> {
    // Past `publish`: it is no event, and who follows all has no use for it.
    return this.#publishOn(this.#lineOf(this.#interestChannel), [{ channel: this.#interestChannel, body: 'all' }]);
  }

  #tick(): void {
    // A shard that is taken over, or gives up a slot, does not always say so.
    this.#look();
    if (this.#followsAll) this.#tellInterest();
  }

  async #toShard([channel = '']: readonly string[], act: (line: Line) => Promise<unknown>): Promise<unknown> {
    const line = this.#lineOf(channel);
    if (!line) throw new Error('it is not known which shard has the channel');
    try {
      return await act(line);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('MOVED')) this.#noteMoved();
      throw error;
    }
  }

  #lineOf(channel: string): Line | undefined {
    return this.#lines.get(this.#slots[slotOf(channel)] ?? '');
  }

  /** A shard no longer has a channel that it had. */
  #noteMoved(): void {
    this.#isStale = true;
    this.#look();
  }

  get #seed(): string {
    const { hostname, port } = new URL(this.#options.url);
    return `${hostname}:${port || '6379'}`;
  }

  #lineTo(address: string): void {
    if (this.#lines.has(address)) return;
    const url = new URL(this.#options.url);
    url.host = address;
    const unpacking = new Unpacking(this.#options.prefix, { onMessage: (...told) => this.#receive(...told) });
    const line = new Line({ ...this.#options, url: url.href }, 'sharded', {
      onMessage: (channel, body) => unpacking.next(channel, body),
      onWritable: () => (this.#isStale ? this.#look() : this.#listener.onWritable()),
      onReadable: () => this.#follow((channel) => this.#slots[slotOf(channel)] === address),
      onMoved: () => {
        this.#moved.add(address);
        this.#noteMoved();
      },
      onUnproven: (channels) => this.#listener.onUnproven(channels),
    });
    this.#lines.set(address, line);
  }

  /** Channels that are to be followed anew. */
  #follow(isMine: (channel: string) => boolean): void {
    if (isMine(this.#interestChannel)) this.subscribe(this.#interestChannel).catch(() => {});
    this.#listener.onReadable(isMine);
  }

  #receive(...[channel, body, label]: Parameters<WireListener['onMessage']>): void {
    if (channel === this.#interestChannel) this.#interestUntil = Date.now() + INTEREST;
    else this.#listener.onMessage(channel, body, label);
  }

  /** Asks the cluster which shard has what. */
  #look(): void {
    this.#looking ??= this.#askForSlots()
      .catch((fault: unknown) => this.#options.onFault(fault, 'the cluster does not tell its shards'))
      .finally(() => {
        this.#looking = null;
      });
  }

  async #askForSlots(): Promise<void> {
    const found = await this.#findSlots();
    if (this.#isClosed) return;
    if (found === null) {
      // Nobody who is known is there: the name may lead to others by now.
      this.#isStale = true;
      this.#lineTo(this.#seed);
      return;
    }
    const before = this.#slots;
    const moved = new Set(this.#moved);
    this.#moved.clear();
    this.#slots = found;
    this.#isStale = false;
    const masters = new Set(found.filter((master) => master !== ''));
    for (const master of masters) this.#lineTo(master);
    for (const [address, line] of this.#lines) {
      if (masters.has(address)) line.pulse = this.#pulseOf(address, line.pulse);
      else this.#close(address, line);
    }
    const isElsewhere = (slot: number) => found[slot] !== before[slot] || moved.has(found[slot] ?? '');
    if (!found.some((_, slot) => isElsewhere(slot))) return;
    this.#follow((channel) => isElsewhere(slotOf(channel)));
    this.#listener.onWritable();
  }

  /** The address of the master of each slot, as the first says who answers; null: nobody does. */
  async #findSlots(): Promise<string[] | null> {
    for (const [address, { publisher }] of this.#lines) {
      if (publisher.status !== 'ready') continue;
      try {
        const slots: string[] = Array(SLOTS).fill('');
        for (const [first, last, master] of await publisher.cluster('SLOTS')) {
          if (!master) continue;
          const [host, port] = master;
          // An empty host is that of the server which was asked.
          slots.fill(`${host || address.replace(/:\d+$/, '')}:${port}`, first, last + 1);
        }
        return slots;
      } catch (fault) {
        this.#options.onFault(fault, 'a server of the cluster does not tell its shards');
      }
    }
    return null;
  }

  /**
   * A channel of this node's own that a shard has: the one that it had, if it can. Null: the prefix has a hash tag, so that all
   * channels are another shard's.
   */
  #pulseOf(address: string, before: string | null): string | null {
    const { prefix } = this.#options;
    const isThere = (channel: string) => this.#slots[slotOf(channel)] === address;
    let channel = before ?? pulseChannel(prefix);
    while (!isThere(channel)) {
      if (/\{[^}]+\}/.test(prefix)) return null;
      channel = pulseChannel(prefix);
    }
    return channel;
  }

  #close(address: string, line: Line): void {
    line.close();
    this.#lines.delete(address);
  }
}
