import { type Settings, sqliteFile } from '../schemas/settings.ts';

/** Durations, in milliseconds: the protocol's, and some of the server's own. A test that waits for one may shorten it. */
export interface Timing {
  /** [P-2.6] Between two WebSocket pings of the server's: a setting. */
  readonly pingInterval: number;
  /** [P-2.6] Time that a socket may take to answer one. */
  readonly pongTimeout: number;
  /** [P-3.6] Time that a joining socket may take to read what it missed. */
  readonly replayTimeout: number;
  /** [P-7.5] Time after the last socket has gone until its owner is reported offline. */
  readonly presenceGrace: number;
  /**
   * [P-7.5] Interval at which a node says that it lives, and time that it may be silent before its sockets count as
   * gone.
   */
  readonly nodeInterval: number;
  readonly nodeSilence: number;
  /** [P-8.5] Time that others may hear each other over Redis, or have the database, without this node before it sends its sockets to them. */
  readonly redisPatience: number;
  /** [P-8.3] Time from an event's `at` to its commit, at most, with what the database's clock differs from what a node believes. */
  readonly commitLateness: number;
  /** [P-11.5] Interval at which a node looks for conversations too old for their dealer: so soon after the one that did so has gone. */
  readonly retentionInterval: number;
  /**
   * [P-11.4] Interval of the search for what an erasure has marked and another node, or an earlier run, has not
   * finished.
   */
  readonly erasingInterval: number;
  /** [P-12] Interval of the look at what has fallen due in conversations: nothing of that is told later. */
  readonly sweepInterval: number;
  /** [P-7.5] Time for which a server's word that a customer is here holds, and interval of the look at those that are over. */
  readonly wordHolds: number;
  readonly lapseInterval: number;
  /** Interval of the look at what is due, for metrics. */
  readonly dueInterval: number;
  /** Interval of the look at how large an embedded database's write-ahead log is. */
  readonly walInterval: number;
  /** Time that a whole HTTP request may take to arrive, and interval of the search for those that took longer. */
  readonly requestTimeout: number;
  readonly requestInterval: number;
  /** Time for which nothing of an HTTP answer may be taken before its connection is cut. */
  readonly stallTimeout: number;
  /** Time that a closed socket may take to confirm it, before it is cut. */
  readonly closeTimeout: number;
  /** [P-9] Of a node that ends: time before its sockets are closed, over which they are, and after which they come back at most. */
  readonly drainPause: number;
  readonly drainSpread: number;
  readonly returnWithin: number;
}

export const TIMING: Timing = {
  pingInterval: 25_000,
  pongTimeout: 10_000,
  replayTimeout: 30_000,
  presenceGrace: 5_000,
  nodeInterval: 2_000,
  nodeSilence: 10_000,
  redisPatience: 15_000,
  commitLateness: 60_000,
  retentionInterval: 60 * 60 * 1000,
  erasingInterval: 60_000,
  sweepInterval: 1_000,
  wordHolds: 15 * 60_000,
  lapseInterval: 60_000,
  dueInterval: 15_000,
  walInterval: 10_000,
  requestTimeout: 30_000,
  requestInterval: 1_000,
  stallTimeout: 30_000,
  closeTimeout: 3_000,
  drainPause: 0,
  drainSpread: 0,
  returnWithin: 1_000,
};

/** The same of a node among others: long enough for a load balancer that asks every two seconds, and a few hundred joins a second. */
const AMONG_OTHERS = { drainPause: 5_000, drainSpread: 3_000 };

/**
 * The durations of a server with these settings. One that is alone, as each is whose database is embedded, has nobody to hand its
 * sockets to, and waits for nobody.
 */
export function timingOf(settings: Settings): Timing {
  const { PING_INTERVAL, DRAIN_PAUSE, DRAIN_SPREAD, REDIS_URL } = settings;
  const isAlone = REDIS_URL === undefined || sqliteFile(settings) !== null;
  const preset = isAlone ? TIMING : { ...TIMING, ...AMONG_OTHERS };
  return {
    ...preset,
    pingInterval: PING_INTERVAL * 1000,
    ...(DRAIN_PAUSE !== undefined && { drainPause: DRAIN_PAUSE * 1000 }),
    ...(DRAIN_SPREAD !== undefined && { drainSpread: DRAIN_SPREAD * 1000 }),
  };
}
