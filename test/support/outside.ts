/** Another server of the platform, which has nothing of Telle but its Redis [P-10]. */
import { Redis } from 'ioredis';
import { Inbox, until } from './until.ts';

const GROUP = 'telle';

const textOf = (event: object | string) => (typeof event === 'string' ? event : JSON.stringify(event));

export class Outside {
  readonly redis: Redis;
  readonly #prefix: string;
  readonly #subscriber: Redis;
  /** What came on the channels that it hears, as text. */
  readonly heard = new Inbox<{ readonly channel: string; readonly text: string }>();
  /** A word for each entry that was taken out of the stream. */
  readonly removed = new Inbox<string>();

  constructor(url: string, prefix: string) {
    this.redis = new Redis(url);
    // Following anew by itself would leave a promise behind that nobody has, when it is closed meanwhile.
    this.#subscriber = new Redis(url, { autoResubscribe: false });
    this.#prefix = prefix;
    for (const redis of [this.redis, this.#subscriber]) redis.on('error', () => {});
    this.#subscriber.on('message', (channel, text) => this.heard.put({ channel, text }));
    this.#subscriber.on('pmessage', (_, __, text) => {
      if (text === 'xdel') this.removed.put(text);
    });
  }

  get #stream(): string {
    return `${this.#prefix}ingress`;
  }

  /** From now on {@link removed} is told of. */
  async watchStream(): Promise<void> {
    await this.redis.config('SET', 'notify-keyspace-events', 'Kt');
    await this.#subscriber.psubscribe(`__keyspace@0__:${this.#stream}`);
  }

  /** Resolves when so many nodes take what is published. */
  async nodesListen(count: number): Promise<void> {
    await until(`${count} nodes listen`, async () => {
      const [, listening] = (await this.redis.pubsub('NUMSUB', `${this.#prefix}events`)) as [string, number];
      const clients = String(await this.redis.client('LIST')).split('\n');
      const commanding = clients.filter((line) => line.includes(' name=telle-commands '));
      const isReady = commanding.every((line) => / cmd=(info|ping|eval)/.test(line));
      return listening === count && commanding.length >= count && isReady;
    });
  }

  /** How many scripts have ever run on this Redis. */
  async scriptsRun(): Promise<number> {
    const stats = await this.redis.info('commandstats');
    const counts = [...stats.matchAll(/^cmdstat_(?:eval|evalsha|fcall):calls=(\d+)/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** How many different texts of `telle:events` some node has counted. */
  async heardTexts(): Promise<number> {
    return (await this.redis.keys(`${this.#prefix}heard:*`)).length;
  }

  publish(event: object | string): Promise<number> {
    return this.redis.publish(`${this.#prefix}events`, textOf(event));
  }

  async add(event: object | string): Promise<string> {
    return this.addFields('event', textOf(event));
  }

  /** Adds entries that come to be there in one moment. */
  async addAll(texts: readonly string[]): Promise<void> {
    const adding = this.redis.multi();
    for (const text of texts) adding.xadd(this.#stream, '*', 'event', text);
    await adding.exec();
  }

  async addFields(...fields: string[]): Promise<string> {
    return (await this.redis.xadd(this.#stream, '*', ...fields)) ?? '';
  }

  /** Hears what is delivered to the admins of a dealer. */
  async hear(dealerId: string): Promise<void> {
    await this.#subscriber.subscribe(`${this.#prefix}dealer:${dealerId}`);
  }

  /** Makes a consumer that reads what is there, and dies without a word a long time ago. */
  async readAndDie(consumer: string): Promise<void> {
    await this.redis.xgroup('CREATE', this.#stream, GROUP, '0', 'MKSTREAM');
    await this.redis.xreadgroup('GROUP', GROUP, consumer, 'STREAMS', this.#stream, '>');
    const pending = (await this.redis.xpending(this.#stream, GROUP, '-', '+', 100)) as [string][];
    for (const [id] of pending) {
      await this.redis.xclaim(this.#stream, GROUP, consumer, 0, id, 'IDLE', 3_600_000);
    }
  }

  /** How many entries the stream has. */
  length(): Promise<number> {
    return this.redis.xlen(this.#stream);
  }

  /** How many entries the stream has, and how many of them were read and not acknowledged. */
  async stream(): Promise<{ length: number; pending: number }> {
    const [pending] = (await this.redis.xpending(this.#stream, GROUP)) as [number];
    return { length: await this.length(), pending };
  }

  close(): void {
    this.redis.disconnect();
    this.#subscriber.disconnect();
  }
}

/** The ways by which Redis brings an event in, and how it is said there. */
export const REDIS_DOORS = {
  'telle:events': (outside: Outside, event: object) => outside.publish(event),
  'telle:ingress': (outside: Outside, event: object) => outside.add(event),
} as const;
