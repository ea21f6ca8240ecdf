/** Composition root: the one place that knows everyone. It reads from top to bottom: each part is made of those above it. */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyHttpOptions, LogController, type RawServerDefault } from 'fastify';
import { type Settings, sqliteFile } from '../schemas/settings.ts';
import { Tokens } from './auth/tokens.ts';
import { Feed } from './bus/feed.ts';
import type { Tie } from './bus/link.ts';
import { MemoryBus } from './bus/memory.ts';
import { Budgets } from './commands/budgets.ts';
import { Conversations } from './conversation/conversations.ts';
import type { Core } from './doors/core.ts';
import type { Dialect } from './doors/dialect.ts';
import { Drain } from './doors/drain.ts';
import { type Gate, openGate } from './doors/entrance.ts';
import { boundBodies } from './doors/http/bodies.ts';
import { deadLetterRoutes } from './doors/http/dead-letters.ts';
import { dealerRoutes, MERGE_PATCH } from './doors/http/dealers.ts';
import { describeRoutes, documentRoutes } from './doors/http/documents.ts';
import { eventRoutes } from './doors/http/events.ts';
import { exportRoutes } from './doors/http/export.ts';
import { groupRoutes } from './doors/http/groups.ts';
import { requestIdOf, setHeaders } from './doors/http/headers.ts';
import { healthRoutes } from './doors/http/health.ts';
import type { App } from './doors/http/http.ts';
import { limitRequests } from './doors/http/limit.ts';
import { metricsRoutes, serveMetrics } from './doors/http/metrics.ts';
import { negotiateFormats } from './doors/http/negotiate.ts';
import { pageviewRoutes } from './doors/http/pageviews.ts';
import { answerInTurn, readPagesInTurn } from './doors/http/pipelining.ts';
import { answerErrorsAsProblems, refuseNoRequest, refuseUnreadable } from './doors/http/problem.ts';
import { proxiesOf } from './doors/http/proxies.ts';
import { receptionRoutes } from './doors/http/reception.ts';
import { recordRoutes } from './doors/http/records.ts';
import { retentionRoutes } from './doors/http/retention.ts';
import { revocationRoutes } from './doors/http/revocations.ts';
import { scopeRoutes } from './doors/http/scopes.ts';
import { searchRoutes } from './doors/http/search.ts';
import { sessionRoutes } from './doors/http/sessions.ts';
import { transcriptRoutes } from './doors/http/transcript.ts';
import { validateWithSchemas } from './doors/http/validate.ts';
import { webRoutes } from './doors/http/web.ts';
import { Revocations } from './doors/revocations.ts';
import { streamDoor } from './doors/stream/route.ts';
import { Lapses } from './doors/timers/lapses.ts';
import { Sweep } from './doors/timers/sweep.ts';
import { websocketDoor } from './doors/websocket/route.ts';
import { Hub } from './hub/hub.ts';
import { Presence } from './hub/presence.ts';
import { Audit } from './journal/audit.ts';
import { type Clock, clockOf } from './journal/clock.ts';
import { Epoch } from './journal/epoch.ts';
import { Eraser } from './journal/eraser.ts';
import { Expiry } from './journal/expiry.ts';
import { type Cause, Journal } from './journal/journal.ts';
import { watchWal } from './journal/wal.ts';
import { LineBounds, loggerOptions } from './log.ts';
import { Metrics } from './metrics.ts';
import { deliverFrom, findRedis, joinNodes, openBus, openLink, openRedisDoors, tellPresence } from './nodes.ts';
import { countConnections, mostFiles } from './open-files.ts';
import { openHerald } from './services.ts';
import { showParts, showWork, watchDue } from './shown.ts';
import type { CommitStore } from './store/commits.ts';
import { Digests } from './store/digests.ts';
import type { Source, Target } from './store/moving.ts';
import * as postgresMoving from './store/postgres/moving.ts';
import { openPostgres } from './store/postgres/open.ts';
import { Readings } from './store/readings.ts';
import { isServed } from './store/sqlite/lock.ts';
import * as sqliteMoving from './store/sqlite/moving.ts';
import { openSqlite } from './store/sqlite/open.ts';
import type { Store } from './store/store.ts';
import { failingAsUnavailable } from './store/unavailable.ts';
import { type Timing, timingOf } from './timing.ts';

/** The largest body of a request that sends no events, in bytes: a dealer's settings are the longest. */
const BODY_LIMIT = 64 * 1024;
export interface OpenOptions {
  /** Those that sign tokens: with them, names of what is erased become digests. A command that erases nothing needs none. */
  readonly secrets?: readonly string[];
  /** True where no other server may open it: an embedded database is one process's. */
  readonly alone?: boolean;
  /** Told of a connection that broke while nobody used it. */
  readonly onError?: (error: Error) => void;
}

const poolOf = (settings: Settings, onError: (error: Error) => void = () => {}) => ({
  url: settings.DATABASE_URL,
  connections: settings.DATABASE_CONNECTIONS,
  onError,
});

const policyOf = ({ AUTO_MUTE, AUTO_ASSIGN, MAX_BOT_MESSAGES }: Settings) => ({
  autoMute: AUTO_MUTE,
  autoAssign: AUTO_ASSIGN,
  maxBotRun: MAX_BOT_MESSAGES,
});

/** Opens the database that the settings name; `migrate` it before use. */
export function openStore(
  settings: Settings,
  { secrets = [], alone = false, onError = () => {} }: OpenOptions = {},
): Store {
  const file = sqliteFile(settings);
  const digests = new Digests(secrets);
  return file === null ? openPostgres(digests, poolOf(settings, onError)) : openSqlite(file, digests, alone);
}

/** Tells whether a server has the embedded database of these settings; null where they name none. */
export function isDatabaseServed(settings: Settings): boolean | null {
  const file = sqliteFile(settings);
  return file === null ? null : isServed(file);
}

/** Reads a database that is not Telle's. */
export { rowsElsewhere } from './store/postgres/elsewhere.ts';
/** Puts a back-up in the place of an embedded database. */
export { type Restored, restoreFile } from './store/sqlite/restore.ts';

/** Holds the database of these settings, to be moved as a whole. */
export async function openSource(settings: Settings): Promise<Source> {
  const file = sqliteFile(settings);
  return file === null ? postgresMoving.openSource(poolOf(settings)) : sqliteMoving.openSource(file);
}

/** Holds the database of these settings, to be filled with another. */
export async function openTarget(settings: Settings): Promise<Target> {
  const file = sqliteFile(settings);
  return file === null ? postgresMoving.openTarget(poolOf(settings)) : sqliteMoving.openTarget(file);
}

/** A journal for a command that changes something while perhaps nobody serves: what it stores is told to no socket. */
export function openJournal(
  settings: Settings,
  store: CommitStore,
  { now }: Clock,
  onFault: (fault: unknown) => void,
): Journal {
  const policy = policyOf(settings);
  return new Journal({ store, bus: new MemoryBus(), policy, now, onFault, onCommit: () => {}, onLocked: () => {} });
}

interface AppOptions {
  readonly settings: Settings;
  /** Certificate and key, as PEM, with which it speaks HTTPS; null or absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | null;
  /** Open and migrated; the app closes it. */
  readonly store: Store;
  /** Secrets that sign and verify tokens; the first signs. */
  readonly secrets: readonly string[];
  readonly version: string;
  readonly timing?: Timing;
  /** Where the log goes; nowhere if absent. */
  readonly logTo?: NodeJS.WritableStream;
}

/** Readings at once of what nodes missed: most of what the database can do is left to those who join and speak. */
const CATCHING_UP = 2;

/** Sentence of the log, by what this node has lost and others have. */
const ALONE: Readonly<Record<Tie, string>> = {
  redis: 'other nodes hear each other over Redis, and this one does not: its sockets are sent to them',
  database: 'the database answers other nodes, and this one not: its sockets are sent to them',
};

/** Builds the server, ready to listen. Closing it drains it: sockets go elsewhere, and what was taken is committed and acked. */
export async function createApp({
  settings,
  tls = null,
  store: given,
  secrets,
  version,
  timing = timingOf(settings),
  logTo,
}: AppOptions): Promise<App> {
  const bounds = new LineBounds((fields, message) => app.log.warn(fields, message));
  const app: App = Fastify(fastifyOptions({ settings, tls, timing, logTo, bounds }));
  const { log } = app;
  answerInTurn(app, timing);
  readPagesInTurn(app);
  const onFault = (err: unknown, what: string, cause?: Cause) => log.error({ err, ...cause }, what);
  const clock = await clockOf(given);
  const metrics = new Metrics();
  const store = failingAsUnavailable(given, (fault, method) => {
    metrics.failed(method);
    onFault(fault, `the database failed to ${method}`);
  });
  const nodeId = randomUUID();
  const hub = new Hub(settings.MAX_SOCKET_BACKLOG);
  const redis = await findRedis(settings, store, onFault);
  const bus = openBus(redis, metrics);
  const eraser = new Eraser({ store: given, interval: timing.erasingInterval, onFault });
  const journal = new Journal({
    store,
    bus,
    policy: policyOf(settings),
    now: clock.now,
    onFault,
    onCommit: (batch) => {
      metrics.committed(batch);
      if (batch.types.includes('ERASE_GROUP')) eraser.wake();
    },
    onLocked: (dealers) => metrics.locked(dealers),
    onEvents: (sender, events) => herald?.take(sender, events),
  });
  const presence = new Presence({
    grace: timing.presenceGrace,
    gone: (who) => tellPresence(journal, who, nodeId, false),
  });
  const revocations = new Revocations({ store, clock, hub, bus, digests: new Digests(secrets), onFault });
  const { now } = clock;
  const readings = new Readings(CATCHING_UP);
  const sequencer = deliverFrom({ bus, store, journal, hub, revocations, metrics, onFault, readings, now, timing });
  const link = openLink({ nodeId, bus, store: given, timing, metrics, log });
  const tokens = new Tokens(secrets);
  const dialect = await openDialect(settings, tokens);
  const herald = openHerald(redis, { settings, dialect, log });
  const core: Core = {
    version,
    nodeId,
    journal,
    clock,
    eraser,
    epoch: await Epoch.of(given),
    store,
    hub,
    feed: new Feed(bus, sequencer),
    link,
    drain: new Drain(timing),
    presence,
    tokens,
    settings,
    room: countConnections(app.server, mostFiles(), log),
    timing,
    metrics,
    revocations,
    limits: await limitRequests(app, settings),
    dialect,
    budgets: new Budgets(settings, metrics.overBudget),
    audit: new Audit(store, log.child({ stream: 'audit' })),
    log,
  };

  await prepare(app, core);
  const conversations = new Conversations(core);
  showParts(metrics, { version, store: given, bus, journal, presence, conversations });
  const gate = openGate(app, core, conversations.guard);
  const socketIo = await openSocketIo(app, core, conversations, gate);
  const sockets = await websocketDoor(app, core, conversations, gate, socketIo ? [socketIo] : []);
  const streams = await streamDoor(app, core, conversations, gate);
  link?.whenAway((lost) => {
    log.error(ALONE[lost]);
    void conversations.sendAway();
  });
  for (const routes of ROUTES) routes(app, core);
  await documentRoutes(app, version);

  // What was started last is closed first: nobody new comes, what was taken is committed, then sockets close.
  const running: (Closing | null)[] = [herald, sockets, streams, socketIo, eraser, journal];
  app.addHook('onReady', async () => {
    eraser.start();
    const membership = joinNodes(core, given, bus, sequencer);
    const interval = timing.retentionInterval;
    const expiry = new Expiry({ store, journal, now, nodes: membership, interval, log, onExpired: metrics.expired });
    showWork(metrics, { eraser, expiry, membership });
    running.push(openRedisDoors(core, redis, herald), link, membership);
    running.push(await serveMetrics(core), expiry, presence);
    running.push(new Sweep({ store, journal, now, interval: timing.sweepInterval, onFault }));
    const { lapseInterval, wordHolds } = timing;
    running.push(new Lapses({ store, journal, now, interval: lapseInterval, holds: wordHolds, onFault }));
    running.push({ close: watchWal(given, timing.walInterval, (sentence) => log.warn(sentence)) });
    running.push({ close: watchDue(metrics, given, timing.dueInterval) });
  });
  app.addHook('preClose', async () => {
    await core.drain.run({ shut: () => gate.shut(), sendAway: () => conversations.sendAway() });
    for (const part of running.toReversed()) await part?.close();
  });
  app.addHook('onClose', async () => {
    sequencer?.close();
    await bus.close();
    await store.close();
    bounds.end();
  });
  return app;
}

/** [P-19.1] The door for Socket.IO, where it is asked for: what it is made of is not even loaded where it is not. */
async function openSocketIo(app: App, core: Core, conversations: Conversations, gate: Gate) {
  if (core.settings.SOCKET_IO === 'off') return null;
  const { socketIoDoor } = await import('./doors/socketio/route.ts');
  return socketIoDoor(app, core, conversations, gate);
}

/** [P-19.2] Another system's language, where it is asked for. */
async function openDialect(settings: Settings, tokens: Tokens): Promise<Dialect | null> {
  if (settings.DIALECT === 'none') return null;
  const { telle2019 } = await import('./dialects/telle2019/dialect.ts');
  return telle2019(settings, tokens);
}

/** Part of the server that runs until it is closed. */
interface Closing {
  close(): unknown;
}

/** Resources over HTTP, in the order in which the documents list them. */
const ROUTES: readonly ((app: App, core: Core) => void)[] = [
  healthRoutes,
  metricsRoutes,
  dealerRoutes,
  revocationRoutes,
  sessionRoutes,
  receptionRoutes,
  eventRoutes,
  scopeRoutes,
  groupRoutes,
  recordRoutes,
  searchRoutes,
  pageviewRoutes,
  transcriptRoutes,
  exportRoutes,
  deadLetterRoutes,
  retentionRoutes,
  webRoutes,
];

/** Gives the app what every route relies on. It comes before them: Fastify's hooks are for the routes behind them. */
async function prepare(app: App, core: Core): Promise<void> {
  await describeRoutes(app, core.version);
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(MERGE_PATCH, { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  boundBodies(app, core.settings);
  validateWithSchemas(app);
  await negotiateFormats(app);
  answerErrorsAsProblems(app, core);
  await setHeaders(app, core);
  tellResponses(app, core.metrics);
  closeWhereFull(app, core);
}

interface Opening extends Pick<AppOptions, 'settings' | 'tls'> {
  readonly timing: Timing;
  readonly logTo: NodeJS.WritableStream | undefined;
  readonly bounds: LineBounds;
}

function fastifyOptions({ settings, tls, timing, logTo, bounds }: Opening): FastifyHttpOptions<RawServerDefault> {
  const headersTimeout = settings.JOIN_TIMEOUT * 1000;
  const requestTimeout = Math.max(timing.requestTimeout, headersTimeout);
  // A connection that says nothing, or its request byte by byte, is no socket yet: it has no more time than one has.
  const http = { headersTimeout, requestTimeout, connectionsCheckingInterval: timing.requestInterval };
  return {
    http,
    ...(tls && { https: { ...http, cert: tls.cert, key: tls.key, handshakeTimeout: headersTimeout } }),
    requestTimeout,
    logger: logTo ? loggerOptions({ level: settings.LOG_LEVEL, stream: logTo, bounds }) : false,
    logController: new LogController({ disableRequestLogging: true }),
    // A field named `__proto__` is a field like any other here: nothing is ever merged into an object with a prototype.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    frameworkErrors: refuseUnreadable,
    clientErrorHandler: refuseNoRequest,
    forceCloseConnections: true,
    // What comes while it is closed is answered as before: each answer ends its connection.
    return503OnClosing: false,
    // It counts for the end, too, and a drain takes as long as its settings say.
    pluginTimeout: 0,
    bodyLimit: BODY_LIMIT,
    genReqId: requestIdOf,
    trustProxy: proxiesOf(settings) ?? false,
    routerOptions: { maxParamLength: 256 },
  };
}

/** A connection for which there is no room to stay is answered, and ends with its answer. */
function closeWhereFull(app: App, { room }: Core): void {
  app.addHook('onRequest', async (_, reply) => {
    if (room.isFull()) reply.header('connection', 'close');
  });
}

/** One line a request: its route, never its path, whose parts are a customer's. */
function tellResponses(app: App, metrics: Metrics): void {
  app.addHook('onResponse', async ({ method, routeOptions, log }, reply) => {
    // A stream's answer is open as long as somebody listens [P-22].
    const isStream = reply.getHeader('content-type') === 'text/event-stream';
    if (!isStream) metrics.answered(method, routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime);
    log.info(
      { method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'request',
    );
  });
}
