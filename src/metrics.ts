/**
 * Metrics for Prometheus. Nothing is labelled by dealer: there are ten thousand of them, and whose business
 * goes how well is nobody's to scrape.
 */
import { type CollectFunction, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Event } from '../schemas/delivered.ts';
import type { Role } from '../schemas/kinds.ts';

/** Bounds of histograms, in seconds: a commit takes a millisecond, a node that struggles takes seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Numbers of one committed transaction. */
interface Committed {
  /** Commands in the batch. */
  readonly size: number;
  readonly seconds: number;
  readonly types: readonly Event['type'][];
}

/** Connections of one kind, in numbers. */
type Pool = Readonly<Record<'most' | 'open' | 'used' | 'waiting', number>>;

/** A count that is raised with every frame: a plain number, which Prometheus is told of when it asks. */
class Tally {
  readonly #counts = new Map<string, number>();

  constructor(registry: Registry, name: string, help: string, label: string) {
    const counts = this.#counts;
    const collect: CollectFunction<Counter> = function () {
      this.reset();
      for (const [value, count] of counts) this.inc({ [label]: value }, count);
    };
    new Counter({ name, help, labelNames: [label], registers: [registry], collect });
  }

  readonly add = (value: string, count = 1): void => {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
  };
}

export class Metrics {
  readonly #registry = new Registry();
  readonly contentType = this.#registry.contentType;

  /** A frame came on a channel. */
  readonly received = this.#tally('frames_received_total', 'Frames received, by channel', 'channel');
  /** Frames went to sockets of a role (`none`: not joined). */
  readonly sent = this.#tally('frames_sent_total', 'Frames sent, by the role of the socket', 'role');
  /** A socket joined. */
  readonly joined = this.#tally('joins_total', 'Sockets that joined, by role', 'role');
  /** A frame, a join or an HTTP request was refused. */
  readonly refused = this.#tally('refusals_total', 'What was refused, by code', 'code');
  /** A send was refused since a day's budget is used up. */
  readonly overBudget = this.#tally(
    'budget_refusals_total',
    "Sends refused since a day's budget is used up, by budget",
    'budget',
  );
  /** A socket was closed, by this server's code or the client's. */
  readonly closed = this.#tally('closes_total', 'Sockets closed, by code', 'code');
  /** A scope of `since` was replayed (`whole`), or could not be. */
  readonly recovered = this.#tally('recoveries_total', 'Scopes recovered with since, by outcome', 'outcome');
  /** An event from Redis was refused and kept. */
  readonly buried = this.#tally('dead_letters_total', 'Dead letters, by code', 'code');

  /** Something of another platform came over Redis, and was dropped. */
  readonly strange = this.#tally(
    'redis_strangers_total',
    "What came of another platform's and was dropped, by kind",
    'kind',
  );
  /** The database failed at something that was asked of it. */
  readonly failed = this.#tally(
    'database_failures_total',
    'What the database failed to do, by what was asked',
    'asked',
  );

  /** A conversation was too old for its dealer, and `erased`, or could not be (`failed`). */
  readonly expired = this.#tally(
    'retention_total',
    'Conversations that were too old, by what became of them',
    'outcome',
  );

  /** Something about Redis began to be wrong. */
  readonly troubled = this.#tally('redis_troubles_total', 'Troubles with Redis that began, by part', 'part');

  readonly #events = this.#tally('events_total', 'Events stored or passed on, by type', 'type');
  readonly #connections = new Map<Role | 'none', number>();
  readonly #commits = this.#histogram('commit_seconds', 'How long a batch took to be decided and committed', SECONDS);
  readonly #batches = this.#histogram('batch_size', 'Commands in a batch', BATCH_SIZES);
  readonly #lag = this.#histogram('bus_lag_seconds', 'From deciding an event to hearing it over the bus', SECONDS);
  readonly #ingressLag = this.#histogram(
    'ingress_lag_seconds',
    'From adding an entry to telle:ingress to storing it, by the clocks of Redis and of this node',
    SECONDS,
  );
  readonly #lockWaits = new Counter({
    name: 'telle_lock_waits_total',
    help: 'Times that a batch met a dealer whose rows somebody else had locked',
    registers: [this.#registry],
  });
  readonly #resyncs = new Counter({
    name: 'telle_resyncs_total',
    help: 'Times that the log of a dealer was read for what may not have come over the bus',
    registers: [this.#registry],
  });
  readonly #requests = new Histogram({
    name: 'telle_http_request_seconds',
    help: 'HTTP requests, by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('connections', 'Open sockets, by role', () => Object.fromEntries(this.#connections));
  }

  /** Shows the people who have a socket here. @param read how many there are of each role */
  showPresence(read: () => Readonly<Record<string, number>>): void {
    this.#gauge('presence', 'Customers and admins who have a socket here', read);
  }

  /** Shows the troubles with Redis. @param read the parts that something is wrong with */
  showTroubles(read: () => readonly string[]): void {
    const counts = () => Object.fromEntries(read().map((part) => [part, 1]));
    this.#gauge('redis_trouble', 'Trouble with Redis now, by part', counts, 'part');
  }

  /** Shows the bytes of an embedded database's write-ahead log. */
  showWal(read: () => number): void {
    this.#number('sqlite_wal_bytes', "Bytes of SQLite's write-ahead log", read);
  }

  /** Shows the commands that wait to be stored, and the dealers of which each is stored on its own. */
  showJournal({ waiting, locked }: { readonly waiting: () => number; readonly locked: () => number }): void {
    this.#number('waiting_commands', 'Commands that wait to be stored', waiting);
    this.#number('locked_dealers', 'Dealers that are stored on their own, since somebody else had locked rows', locked);
  }

  /** Shows the connections to Postgres, by what they are for. */
  showPools(read: () => Readonly<Record<string, Pool>>): void {
    const of = (what: keyof Pool) => () =>
      Object.fromEntries(Object.entries(read()).map(([pool, state]) => [pool, state[what]]));
    const postgres = 'Connections to Postgres, by what they are for';
    this.#gauge('pool_most', `${postgres}: as many as there may be`, of('most'), 'pool');
    this.#gauge('pool_open', `${postgres}: open ones`, of('open'), 'pool');
    this.#gauge('pool_used', `${postgres}: those in use`, of('used'), 'pool');
    this.#gauge('pool_waiting', `${postgres}: questions that wait for one`, of('waiting'), 'pool');
  }

  /** Shows the memory by kind. @param unsent bytes that sockets have not been able to send */
  showMemory(unsent: () => number): void {
    const read = () => {
      const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
      return { rss, heap: heapUsed, external, buffers: arrayBuffers, sockets: unsent() };
    };
    const help =
      'Memory, by kind: buffers are a part of external, and all are of rss; sockets: what they could not send yet';
    this.#gauge('memory_bytes', help, read, 'kind');
  }

  /** Shows the work of the background that this node is at: 1, or 0 where it is not. */
  showWork(read: () => Readonly<Record<string, boolean>>): void {
    const numbers = () => Object.fromEntries(Object.entries(read()).map(([work, isAt]) => [work, Number(isAt)]));
    this.#gauge('work_under_way', 'Whether this node is at a work of the background, by work', numbers, 'work');
  }

  /** Shows the marks that are to be worked off, and how old the oldest dead letter is, as last looked at. */
  showDue(read: () => { readonly work: Readonly<Record<string, number>>; readonly letterAge: number }): void {
    this.#gauge(
      'due',
      'What is still to be taken out of the database, by work; counted up to 10,000',
      () => read().work,
      'work',
    );
    this.#number(
      'oldest_dead_letter_seconds',
      'Age of the oldest dead letter; 0: there is none',
      () => read().letterAge,
    );
  }

  /** Shows the dealers of whom something could not be published over Redis yet. */
  showUnpublished(read: () => { readonly dealers: number; readonly ms: number }): void {
    this.#number(
      'unpublished_dealers',
      'Dealers of whom something is not published over Redis yet',
      () => read().dealers,
    );
    this.#number('unpublished_seconds', 'For how long there have been such', () => read().ms / 1000);
  }

  /** Shows the entries of `telle:ingress` that are not stored yet. */
  showIngress(read: () => number): void {
    this.#number('ingress_entries', 'Entries of telle:ingress that are not stored yet, as last looked at', read);
  }

  /** Shows which build this is. */
  showBuild(version: string): void {
    const help = 'Always 1: the version of Telle and of Node.js';
    const build = { version, node: process.version };
    new Gauge({ name: 'telle_build_info', help, labelNames: Object.keys(build), registers: [this.#registry] }).set(
      build,
      1,
    );
  }

  /** A socket was opened, joined or closed: how many more there are of a role. */
  connected(role: Role | 'none', change: 1 | -1): void {
    this.#connections.set(role, (this.#connections.get(role) ?? 0) + change);
  }

  committed({ size, seconds, types }: Committed): void {
    this.#batches.observe(size);
    this.#commits.observe(seconds);
    for (const type of types) this.#events(type);
  }

  /** An event came over the bus, so many ms after it was decided by a node whose clock may differ. */
  heard(ms: number): void {
    this.#lag.observe(Math.max(0, ms) / 1000);
  }

  /** An entry of `telle:ingress` was stored, so many ms after it was added. */
  ingested(ms: number): void {
    this.#ingressLag.observe(Math.max(0, ms) / 1000);
  }

  /** A batch met dealers whose rows are locked. */
  locked(dealers: number): void {
    this.#lockWaits.inc(dealers);
  }

  /** A dealer's events may not have come over the bus: they are looked for in the log. */
  resynced(): void {
    this.#resyncs.inc();
  }

  answered(method: string, route: string, status: number, ms: number): void {
    this.#requests.observe({ method, route, status }, ms / 1000);
  }

  /** All of it, as Prometheus reads it. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #tally(name: string, help: string, label: string): (value: string, count?: number) => void {
    return new Tally(this.#registry, `telle_${name}`, help, label).add;
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: `telle_${name}`, help, buckets, registers: [this.#registry] });
  }

  #number(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `telle_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  #gauge(name: string, help: string, read: () => Readonly<Record<string, number>>, label = 'role'): void {
    new Gauge({
      name: `telle_${name}`,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [each, value] of Object.entries(read())) this.set({ [label]: each }, value);
      },
    });
  }
}
