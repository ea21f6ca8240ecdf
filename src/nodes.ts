/** Ties of this node to the others, and to other servers over Redis. A part of the composition root. */
import { once } from 'node:events';
import { CLOSE } from '../schemas/errors.ts';
import type { Settings } from '../schemas/settings.ts';
import { personOf } from './auth/session.ts';
import type { Bus } from './bus/bus.ts';
import { connectCluster, connectRedis, keepAlive } from './bus/connection.ts';
import { Line } from './bus/line.ts';
import { hearing, Link, SILENT } from './bus/link.ts';
import { MemoryBus } from './bus/memory.ts';
import { isCluster } from './bus/probe.ts';
import { RedisBus } from './bus/redis.ts';
import { aclLine, faultOfRights, missingRights } from './bus/rights.ts';
import { pulseChannel, type WireOptions } from './bus/wire.ts';
import { presenceCommand } from './commands/command.ts';
import type { Core } from './doors/core.ts';
import { ChannelDoor } from './doors/redis/channel.ts';
import type { Herald } from './doors/redis/herald.ts';
import { StreamDoor } from './doors/redis/stream.ts';
import type { Revocations } from './doors/revocations.ts';
import type { Hub } from './hub/hub.ts';
import type { Who } from './hub/presence.ts';
import type { Publication } from './hub/publication.ts';
import { type Log, Sequencer } from './hub/sequencer.ts';
import type { Journal } from './journal/journal.ts';
import { Membership } from './journal/membership.ts';
import { inParts } from './journal/paced.ts';
import { erasurePublication, storedPublication } from './journal/publications.ts';
import type { Metrics } from './metrics.ts';
import { openServices } from './services.ts';
import type { GroupStore } from './store/groups.ts';
import type { LogStore } from './store/log.ts';
import type { NodeStore } from './store/nodes.ts';
import type { Readings } from './store/readings.ts';
import type { Store } from './store/store.ts';
import type { Timing } from './timing.ts';

/** Time that an event of another node may be on its way, in ms, before those behind it no longer wait for it. */
const OVERTAKING = 50;

/** Interval at which it is tried whether the user of Redis may do what Telle must, in ms. */
const RIGHTS_INTERVAL = 60_000;

const STRANGERS =
  'another platform, of another database, publishes on this Redis under the same names: give one of the two a REDIS_PREFIX of its own';

interface FoundRedis extends WireOptions {
  readonly isCluster: boolean;
}

/** The Redis that the settings name, if they do. */
export async function findRedis(
  { REDIS_URL: url, REDIS_PREFIX: prefix }: Settings,
  store: Pick<Store, 'platform'>,
  onFault: OnFault,
): Promise<FoundRedis | null> {
  if (url === undefined) return null;
  const isOfCluster = await isCluster({ url, onFault });
  return { url, prefix, onFault, isCluster: isOfCluster, platform: await store.platform() };
}

/** Tries again and again, for as long as the link lasts, whether the user of Redis may do what Telle must. @returns what ends it */
function watchRights(link: Link | null, redis: FoundRedis): () => void {
  const look = async () => {
    const client = connectRedis({ url: redis.url, onFault: () => {} }, 'rights');
    try {
      await once(client, 'ready');
      const missing = await missingRights(client, redis.prefix, redis.isCluster);
      if (missing.length === 0) link?.mend('rights');
      else link?.note('rights', `${faultOfRights(missing)}: ${aclLine(redis.prefix)}`);
    } catch {
      // That it is away is told by the lines.
    } finally {
      client.disconnect();
    }
  };
  const timer = setInterval(look, RIGHTS_INTERVAL).unref();
  look();
  return () => clearInterval(timer);
}

type OnFault = (fault: unknown, what: string) => void;

/** Opens what carries events to other nodes: Redis, or for a node that is alone nothing. */
export const openBus = (redis: FoundRedis | null, metrics: Metrics): MemoryBus | RedisBus =>
  redis === null
    ? new MemoryBus()
    : new RedisBus({ ...redis, onStranger: () => metrics.strange('frame') }, redis.isCluster);

interface LinkOptions {
  readonly nodeId: string;
  readonly bus: MemoryBus | RedisBus;
  readonly store: NodeStore;
  readonly timing: Timing;
  readonly metrics: Metrics;
  readonly log: Core['log'];
}

/** Watches this node's tie to the others; null where it has none. */
export function openLink({ nodeId, bus, store, timing, metrics, log }: LinkOptions): Link | null {
  if (!(bus instanceof RedisBus)) return null;
  const link = new Link({
    nodeId,
    nodes: store,
    bus,
    silence: timing.nodeSilence,
    patience: timing.redisPatience,
    say: (part, sentence) => log.warn({ part }, sentence),
    count: metrics.troubled,
  });
  link.watch('nodes', () => (bus.isProven ? null : SILENT));
  link.watch('strangers', () => (bus.hearsStrangers ? STRANGERS : null));
  link.watch('writes', () => (bus.refusal === null ? null : `Redis takes no writes: ${bus.refusal}`));
  metrics.showTroubles(() => Object.keys(link.troubles));
  return link;
}

interface Delivering {
  readonly bus: Bus;
  readonly store: LogStore & Pick<GroupStore, 'existing'> & Pick<Store, 'isCertain'>;
  readonly journal: Journal;
  readonly hub: Hub;
  readonly revocations: Revocations;
  readonly metrics: Metrics;
  readonly onFault: OnFault;
  /** Turns of the dealers, where what they missed is read. */
  readonly readings: Readings;
  /** The clock by which events have their times. */
  readonly now: () => number;
  readonly timing: Timing;
}

/** Delivers what comes over the bus. @returns the sequencer, which mends what was not published; null for a node that is alone */
export function deliverFrom({
  bus,
  store,
  journal,
  hub,
  revocations,
  metrics,
  onFault,
  readings,
  now,
  timing,
}: Delivering): Sequencer | null {
  const deliver = delivererOf(hub, onFault);
  if (bus instanceof MemoryBus && store.isCertain) {
    bus.listen({ deliver, missed: () => revocations.lookSoon() });
    return null;
  }
  /** [P-11.4] Finds erased conversations that are still open here: an erasure is told once, and stored nowhere. */
  const closeErased = async (dealerId: string): Promise<void> => {
    const open = hub.openGroups(dealerId);
    const existing = await readings.read(dealerId, () => store.existing(dealerId, open));
    for (const groupId of open.filter((each) => !existing.has(each))) deliver(erasurePublication(dealerId, groupId));
  };
  const sequencer = new Sequencer({
    log: logOf(store, journal),
    readings,
    deliver,
    acknowledge: (publication) => hub.acknowledge(publication),
    now,
    patience: OVERTAKING,
    lateness: timing.commitLateness,
  });
  bus.listen({
    deliver: (publication) => {
      if (publication.lag !== undefined) metrics.heard(publication.lag);
      sequencer.take(publication);
    },
    missed: (dealerId) => {
      metrics.resynced();
      sequencer.catchUp(dealerId);
      // Sockets of a dealer that was removed are closed as such, not as those of erased conversations.
      revocations
        .lookSoon()
        .then(() => closeErased(dealerId))
        .catch((fault: unknown) => onFault(fault, 'what was erased meanwhile was not looked for'));
    },
  });
  return sequencer;
}

/** Hands events to the sockets that may see them, and closes those that may not go on. */
const delivererOf =
  (hub: Hub, onFault: OnFault) =>
  (publication: Publication): void => {
    try {
      const { type, dealerId, scope } = publication;
      // [P-3.1] Before it is delivered: what comes behind it is not theirs to see.
      if (type === 'SET_ASIDE') hub.closeClaimed(CLOSE.restart, 'this name is another’s now', dealerId, scope);
      hub.deliver(publication);
      if (type === 'ERASE_GROUP') hub.closeGroup(CLOSE.forbidden, 'the conversation was erased', dealerId, scope);
    } catch (fault) {
      onFault(fault, 'an event was not delivered');
    }
  };

interface RedisDoors {
  close(): Promise<void>;
}

/** [P-10] Opens the doors for other servers over Redis, where there is one. Each reader blocks its connection: each has its own. */
export function openRedisDoors(core: Core, redis: FoundRedis | null, herald: Herald | null): RedisDoors | null {
  if (redis === null) return null;
  const connect = redis.isCluster ? connectCluster : connectRedis;
  const [commands, blocking] = [connect(redis, 'commands'), connect(redis, 'ingress')];
  const stops = [keepAlive(commands), watchRights(core.link, redis)];
  const channel = new ChannelDoor(core, commands);
  // What is published plainly reaches every server of a cluster: any one will do.
  const line = new Line(redis, 'whole', {
    onMessage: (_, body) => channel.hear(body.toString()),
    onReadable: () => line.subscribe(`${redis.prefix}events`).catch(() => line.subscriber.disconnect(true)),
    onWritable: () => {},
    onMoved: () => {},
    onUnproven: () => {},
  });
  line.pulse = pulseChannel(redis.prefix);
  core.link?.watch('events', () => (line.isProven ? null : SILENT));
  const services = core.dialect && openServices(core, core.dialect.services, redis, commands);
  if (services) core.link?.watch('dialect', () => herald?.fault ?? (services.isProven ? null : SILENT));
  const stream = new StreamDoor(core, blocking);
  return {
    async close() {
      line.close();
      await Promise.all([channel.close(), stream.close(), services?.close()]);
      for (const stop of stops) stop();
      commands.disconnect();
      blocking.disconnect();
    },
  };
}

/** The log, as the sequencer reads it: events are what was published. */
const logOf = (store: LogStore, journal: Journal): Log => ({
  settled: () => journal.settled(),
  tails: (dealerId, scopes) => store.tails(dealerId, scopes),
  tailsSince: (dealerId, since) => store.tailsSince(dealerId, since),
  between: async (dealerId, scope, after, before, since) => {
    const events = await store.events(dealerId, scope, { after, before, since, limit: 500 });
    return events.map((event) => storedPublication(event));
  },
});

/** [P-7.5] Stores that somebody is here, or no longer. Rejects while the database is away, to be told again. */
export async function tellPresence(journal: Journal, who: Who, nodeId: string, isHere: boolean): Promise<void> {
  const outcome = await journal.append(presenceCommand(who, nodeId, isHere));
  if ('refusal' in outcome && outcome.refusal.code === 'unavailable') throw new Error(outcome.refusal.message);
}

/** [P-21.1] The log is another than before: seqs that were seen are no measure of what is new in it. */
function beginAnew({ hub, log }: Pick<Core, 'hub' | 'log'>, sequencer: Sequencer | null): void {
  log.warn('the database is another, or goes on from an earlier state: all sockets are closed, and clients read anew');
  sequencer?.forgetAll();
  hub.close(CLOSE.restart, 'the log is another now');
}

/** [P-7.5] This node among the others: it says that it lives, and takes those offline who went with one that died. */
export function joinNodes(core: Core, store: NodeStore, bus: Bus, sequencer: Sequencer | null) {
  const { journal, presence, revocations, link, nodeId, timing } = core;
  return new Membership({
    store,
    nodeId,
    interval: timing.nodeInterval,
    silence: timing.nodeSilence,
    hearing,
    gone: async ({ dealerId, sender }, dead) => {
      const who = personOf(dealerId, sender);
      if (who) await tellPresence(journal, who, dead, false);
    },
    beaten: async () => {
      link?.answered();
      if (await core.epoch.look()) beginAnew(core, sequencer);
      await revocations.look();
    },
    died: () => bus.resync(sequencer?.dealers ?? []),
    revived: async (signal) => {
      // One who cannot be told of now hinders nobody behind: all are told again.
      const faults: unknown[] = [];
      const tell = async (who: Who) => {
        if (presence.sockets(who) > 0) await tellPresence(journal, who, nodeId, true);
      };
      await inParts(presence.here(), (who) => tell(who).catch((fault: unknown) => void faults.push(fault)), signal);
      if (faults.length > 0) throw faults[0];
    },
  });
}
