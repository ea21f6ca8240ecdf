/**
 * [P-10] `telle:ingress`: other servers XADD, and an entry is acknowledged, and removed, only after it is committed or
 * buried [P-8.6]. What a dead node had taken and not acknowledged, another claims.
 */
import { performance } from 'node:perf_hooks';
import type { Cluster, Redis } from 'ioredis';
import type { Metrics } from '../../metrics.ts';
import type { Core } from '../core.ts';
import { type Burying, takeOrBury, WAYS } from './take.ts';

const GROUP = 'telle';
/** Entries read at once. */
const COUNT = 256;
/** Time that a read waits for entries, in ms. */
const BLOCK = 1_000;
/** After how long an entry that was read and not acknowledged is another node's to claim, and how often that is looked for. */
const CLAIM_IDLE = 30_000;
const CLAIM_INTERVAL = 5_000;
/**
 * Time for which entries are tried while the database is away, and between two tries: less than CLAIM_IDLE, so that
 * nobody else has them.
 */
const TRY_FOR = 10_000;
const RETRY = 1_000;
/** After how long a consumer that reads nothing and owes nothing is struck off, in ms. */
const FORGET_IDLE = 60 * 60_000;

/**
 * Key: the stream; arguments: the group, and the entries. Together, so that nothing that is done with stays in the stream; and by
 * a script, since a Redis that is full takes nothing into a transaction, not even what makes room.
 */
const ACKNOWLEDGE = `
  local group = table.remove(ARGV, 1)
  redis.call('XACK', KEYS[1], group, unpack(ARGV))
  redis.call('XDEL', KEYS[1], unpack(ARGV))`;

type Entry = [id: string, fields: string[] | null];

type Parts = Burying & Pick<Core, 'nodeId' | 'link'> & { readonly metrics: Pick<Metrics, 'showIngress' | 'ingested'> };

/** The reader of the stream, until it is closed. */
export class StreamDoor {
  readonly #parts: Parts;
  readonly #redis: Redis | Cluster;
  readonly #stream: string;
  readonly #running: Promise<void>;
  #isOpen = true;
  #claimedAt = Number.NEGATIVE_INFINITY;
  /** Entries that are not stored yet, as last looked at. */
  #entries = 0;

  /** @param redis a connection of its own: reads block it */
  constructor(parts: Parts, redis: Redis | Cluster) {
    this.#parts = parts;
    this.#redis = redis;
    this.#stream = `${parts.settings.REDIS_PREFIX}ingress`;
    parts.metrics.showIngress(() => this.#entries);
    this.#running = this.#run();
  }

  /** Reads no more, and resolves when what was read is stored. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isOpen) {
      try {
        if (performance.now() - this.#claimedAt > CLAIM_INTERVAL) await this.#claim();
        await this.#take(await this.#read());
        this.#parts.link?.mend('stream');
      } catch (error) {
        if (await this.#hasMadeGroup(error)) continue;
        // A connection that does not answer, and does not say so, is made anew.
        if (error instanceof Error && error.message === 'Command timed out') this.#redis.disconnect(true);
        await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
      }
    }
  }

  /** Makes the group where that was missing, and only then: a Redis that is full makes none, but is read and so drained. */
  async #hasMadeGroup(error: unknown): Promise<boolean> {
    let reason = reasonOf(error);
    if (reason.startsWith('NOGROUP')) {
      try {
        await this.#redis.xgroup('CREATE', this.#stream, GROUP, '0', 'MKSTREAM');
        return true;
      } catch (fault) {
        reason = reasonOf(fault);
        if (reason.startsWith('BUSYGROUP')) return true;
      }
    }
    this.#parts.link?.note('stream', `the stream of other servers is not read: ${reason}`);
    return false;
  }

  async #read(): Promise<Entry[]> {
    const { nodeId } = this.#parts;
    const found: unknown = await this.#redis.xreadgroup(
      'GROUP',
      GROUP,
      nodeId,
      'COUNT',
      COUNT,
      'BLOCK',
      BLOCK,
      'STREAMS',
      this.#stream,
      '>',
    );
    const [[, entries] = []] = (found ?? []) as [string, Entry[]][];
    return entries ?? [];
  }

  /** Takes over what nobody has acknowledged for long, and strikes off consumers that are no more. */
  async #claim(): Promise<void> {
    this.#claimedAt = performance.now();
    const { nodeId } = this.#parts;
    let cursor = '0-0';
    do {
      const claimed = await this.#redis.xautoclaim(this.#stream, GROUP, nodeId, CLAIM_IDLE, cursor, 'COUNT', COUNT);
      const [next, entries] = claimed as [string, Entry[]];
      await this.#take(entries);
      cursor = next;
    } while (cursor !== '0-0');
    await this.#count();
    for (const consumer of (await this.#redis.xinfo('CONSUMERS', this.#stream, GROUP)) as unknown[][]) {
      const { name, pending, idle } = fieldsOf(consumer);
      if (name !== nodeId && pending === 0 && Number(idle) > FORGET_IDLE) {
        await this.#redis.xgroup('DELCONSUMER', this.#stream, GROUP, String(name));
      }
    }
  }

  /**
   * Takes entries: those done with are acknowledged at once; those that cannot be stored now are tried again, and then
   * left to be claimed.
   */
  async #take(entries: readonly Entry[]): Promise<void> {
    const readAt = performance.now();
    let left = entries;
    while (left.length > 0) {
      const isDone = await takeOrBury(this.#parts, WAYS.ingress, left.map(textOf));
      const done = left.filter((_, index) => isDone[index]);
      for (const [id] of done) this.#parts.metrics.ingested(Date.now() - addedAt(id));
      await this.#acknowledge(done);
      await this.#count();
      left = left.filter((_, index) => !isDone[index]);
      const isOver = performance.now() - readAt > TRY_FOR - RETRY;
      if (left.length === 0 || isOver || !this.#isOpen) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
    }
  }

  async #count(): Promise<void> {
    // A figure for a metric is no reason not to read on: a right that is missing is told by `rights`.
    this.#entries = await this.#redis.xlen(this.#stream).catch(() => this.#entries);
  }

  async #acknowledge(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const ids = entries.map(([id]) => id);
    await this.#redis.eval(ACKNOWLEDGE, 1, this.#stream, GROUP, ...ids);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** When an entry was added, in ms since 1970 by Redis's clock: its id begins with it. */
const addedAt = (id: string): number => Number(id.split('-', 1)[0]);

/** The event, or where there is none the whole entry. */
function textOf([, fields]: Entry): string {
  const { event } = fieldsOf(fields ?? []);
  return typeof event === 'string' ? event : JSON.stringify(fields);
}

/** Redis's flat list of names and values, as an object. */
function fieldsOf(flat: readonly unknown[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (let index = 0; index < flat.length; index += 2) fields[String(flat[index])] = flat[index + 1];
  return fields;
}
