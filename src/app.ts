/** The composition root: the one place that knows everyone. Starts them, and closes them in order. */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyHttpOptions, LogController, type RawServerDefault } from 'fastify';
import { CLOSE } from '../schemas/errors.ts';
import { type Settings, sqliteFile } from '../schemas/settings.ts';
import { personOf } from './auth/session.ts';
import { Tokens } from './auth/tokens.ts';
import type { Bus } from './bus/bus.ts';
import { connectCluster, connectRedis, isCluster, keepAlive } from './bus/connection.ts';
import { Feed } from './bus/feed.ts';
import { MemoryBus } from './bus/memory.ts';
import { RedisBus } from './bus/redis.ts';
import type { WireOptions } from './bus/wire.ts';
import { presenceCommand } from './doors/command.ts';
import type { Core } from './doors/core.ts';
import { deadLetterRoutes } from './doors/http/dead-letters.ts';
import { dealerRoutes } from './doors/http/dealers.ts';
import { eventRoutes } from './doors/http/events.ts';
import { healthRoutes } from './doors/http/health.ts';
import type { Http } from './doors/http/http.ts';
import { answerErrorsAsProblems } from './doors/http/problem.ts';
import { scopeRoutes } from './doors/http/scopes.ts';
import { validateWithSchemas } from './doors/http/validate.ts';
import { openChannelDoor } from './doors/redis/channel.ts';
import { StreamDoor } from './doors/redis/stream.ts';
import { websocketDoor } from './doors/websocket/route.ts';
import { Hub } from './hub/hub.ts';
import { Presence, type Who } from './hub/presence.ts';
import type { Publication } from './hub/publication.ts';
import { type Log, Sequencer } from './hub/sequencer.ts';
import { Journal } from './journal/journal.ts';
import { Membership } from './journal/membership.ts';
import { openPostgres } from './journal/postgres.ts';
import { openSqlite } from './journal/sqlite.ts';
import type { Store } from './journal/store.ts';
import { failingAsUnavailable } from './journal/unavailable.ts';
import { serializeError } from './log.ts';
import { eventFrame } from './protocol/encode.ts';
import { TIMING, type Timing } from './timing.ts';

/** How long an event of another node may be on its way, in ms, before those behind it no longer wait for it. */
const OVERTAKING = 50;

interface OpenOptions {
  /** Whether no other server may open it: an embedded database is one process's. */
  readonly alone?: boolean;
  /** Told of a connection that broke while nobody used it. */
  readonly onError?: (error: Error) => void;
}

/** Opens the database that the settings name; `migrate` it before use. */
export function openStore(settings: Settings, { alone = false, onError = () => {} }: OpenOptions = {}): Store {
  const file = sqliteFile(settings);
  return file === null ? openPostgres(settings.DATABASE_URL, onError) : openSqlite(file, alone);
}

export interface AppOptions {
  readonly settings: Settings;
  /** Open and migrated; the app closes it. */
  readonly store: Store;
  /** What signs and verifies tokens; the first signs. */
  readonly secrets: readonly string[];
  readonly version: string;
  readonly timing?: Timing;
  /** Where the log goes; nowhere if absent. */
  readonly logTo?: NodeJS.WritableStream;
}

/** Builds the server, ready to listen. Closing it drains it: what was taken is committed and acked, then sockets close. */
export async function createApp({
  settings,
  store: given,
  secrets,
  version,
  timing = TIMING,
  logTo,
}: AppOptions): Promise<Http> {
  const app: Http = Fastify(fastifyOptions(settings, timing, logTo));
  const { log } = app;
  const onFault = (err: unknown, what: string) => log.error({ err }, what);
  const store = failingAsUnavailable(given, onFault);
  const hub = new Hub(settings.MAX_SOCKET_BACKLOG);
  const redis = await findRedis(settings, onFault);
  const { bus, sequencer } = openBus(
    redis,
    logOf(store, () => journal.settled()),
    hub,
    onFault,
  );
  const policy = { autoMute: settings.AUTO_MUTE };
  const journal = new Journal({ store, bus, policy, onFault });
  const nodeId = randomUUID();
  const presence = new Presence({ grace: timing.presenceGrace, gone: (who) => tellGone(journal, who, nodeId) });
  const feed = new Feed(bus, sequencer);
  const core: Core = {
    nodeId,
    journal,
    store,
    hub,
    feed,
    presence,
    tokens: new Tokens(secrets),
    settings,
    timing,
    log,
  };

  validateWithSchemas(app);
  answerErrorsAsProblems(app, core);
  logResponses(app);
  await websocketDoor(app, core);
  healthRoutes(app, core, version);
  dealerRoutes(app, core);
  eventRoutes(app, core);
  scopeRoutes(app, core);
  deadLetterRoutes(app, core);

  let membership: Membership | undefined;
  let redisDoors: RedisDoors | undefined;
  app.addHook('preClose', async () => {
    presence.close();
    await membership?.close();
    await redisDoors?.close();
    await journal.close();
    await closeSockets(app);
  });
  app.addHook('onClose', async () => {
    sequencer?.close();
    await bus.close();
    await store.close();
  });
  app.addHook('onReady', async () => {
    membership = joinNodes(core, bus, sequencer);
    redisDoors = redis === null ? undefined : openRedisDoors(core, redis);
  });
  return app;
}

interface FoundRedis extends WireOptions {
  readonly isCluster: boolean;
}

/** The Redis that the settings name, if they do. */
async function findRedis(
  { REDIS_URL: url, REDIS_PREFIX: prefix }: Settings,
  onFault: OnFault,
): Promise<FoundRedis | null> {
  return url === undefined ? null : { url, prefix, onFault, isCluster: await isCluster({ url, onFault }) };
}

type OnFault = (fault: unknown, what: string) => void;

/** Redis between nodes, with the sequencer that mends what it loses; or for a node that is alone, nothing between. */
function openBus(redis: FoundRedis | null, log: Log, hub: Hub, onFault: OnFault) {
  const deliver = (publication: Publication) => {
    try {
      hub.deliver(publication);
    } catch (fault) {
      onFault(fault, 'an event was not delivered');
    }
  };
  if (redis === null) {
    const bus = new MemoryBus();
    bus.listen({ deliver, missed: () => {} });
    return { bus, sequencer: null };
  }
  const bus = new RedisBus(redis, redis.isCluster);
  const sequencer = new Sequencer({ log, deliver, patience: OVERTAKING });
  bus.listen({
    deliver: (publication) => sequencer.take(publication),
    missed: (dealerId) => sequencer.catchUp(dealerId),
  });
  return { bus, sequencer };
}

interface RedisDoors {
  close(): Promise<void>;
}

/** [P-10] What other servers say over Redis, where there is one. Each reader blocks its connection: each has its own. */
function openRedisDoors(core: Core, redis: FoundRedis): RedisDoors {
  const connect = redis.isCluster ? connectCluster : connectRedis;
  const [commands, blocking] = [connect(redis, 'commands'), connect(redis, 'ingress')];
  // What is published plainly reaches every server of a cluster: any one will do.
  const subscriber = connectRedis(redis, 'events');
  const stops = [keepAlive(subscriber), keepAlive(commands)];
  openChannelDoor(core, { subscriber, commands });
  const stream = new StreamDoor(core, blocking);
  return {
    async close() {
      subscriber.disconnect();
      await stream.close();
      for (const stop of stops) stop();
      commands.disconnect();
      blocking.disconnect();
    },
  };
}

/** The log, as the sequencer reads it: events are what was published. */
const logOf = (store: Store, settled: Log['settled']): Log => ({
  settled,
  tails: (dealerId, scopes) => store.tails(dealerId, scopes),
  tailsSince: (dealerId, since) => store.tailsSince(dealerId, since),
  between: async (dealerId, scope, after, before, since) => {
    const events = await store.events(dealerId, scope, { after, before, since, limit: 500 });
    return events.map((event) => ({ dealerId, scope, seq: event.seq, frame: eventFrame(event), answer: null }));
  },
});

function fastifyOptions(
  settings: Settings,
  timing: Timing,
  logTo: NodeJS.WritableStream | undefined,
): FastifyHttpOptions<RawServerDefault> {
  const headersTimeout = settings.JOIN_TIMEOUT * 1000;
  const requestTimeout = Math.max(timing.requestTimeout, headersTimeout);
  return {
    // A connection that says nothing, or its request byte by byte, is no socket yet: it has no more time than one has.
    http: { headersTimeout, requestTimeout, connectionsCheckingInterval: timing.requestInterval },
    requestTimeout,
    ...(settings.TRUST_PROXY !== undefined && {
      trustProxy: settings.TRUST_PROXY.split(',').map((name) => name.trim()),
    }),
    logger: logTo
      ? { level: settings.LOG_LEVEL, stream: logTo, base: null, serializers: { err: serializeError } }
      : false,
    logController: new LogController({ disableRequestLogging: true }),
    // A field named `__proto__` is a field like any other here: nothing is ever merged into an object with a prototype.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
  };
}

/** One line a request: its route, never its path, whose parts are a customer's. */
function logResponses(app: Http): void {
  app.addHook('onResponse', async ({ method, routeOptions, ws, log }, reply) => {
    if (ws) return;
    log.info(
      { method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'request',
    );
  });
}

/** [P-7.5] Stores that somebody is offline. Rejects while the database is away, to be told again. */
async function tellGone(journal: Journal, who: Who, nodeId: string): Promise<void> {
  const outcome = await journal.append(presenceCommand(who, nodeId, false));
  if ('refusal' in outcome && outcome.refusal.code === 'unavailable') throw new Error(outcome.refusal.message);
}

/** [P-7.5] This node among the others: it says that it lives, and takes those offline who went with one that died. */
function joinNodes({ store, journal, presence, nodeId, timing }: Core, bus: Bus, sequencer: Sequencer | null) {
  return new Membership({
    store,
    nodeId,
    interval: timing.nodeInterval,
    silence: timing.nodeSilence,
    gone: async ({ dealerId, sender }, dead) => {
      const who = personOf(dealerId, sender);
      if (who) await tellGone(journal, who, dead);
    },
    died: () => bus.resync(sequencer?.dealers ?? []),
    revived: async () => {
      await Promise.all(presence.here().map((who) => journal.append(presenceCommand(who, nodeId, true))));
    },
  });
}

/** [P-9] 1012: come back with `since`. Resolves when every socket has gone, which `ws` sees to within its close timeout. */
async function closeSockets({ websocketServer }: Http): Promise<void> {
  const sockets = [...websocketServer.clients];
  const gone = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
  for (const socket of sockets) socket.close(CLOSE.restart, 'service restart');
  await Promise.all(gone);
}
