/**
 * Every setting of the server: its kind, its bounds, its default and what it is for. `x-secret` marks what is never shown,
 * `x-reread` what a server heeds at once when it is read again: such a limit is looked up where it is used.
 */
import { type Static, Type } from '@sinclair/typebox';
import { OneOf } from './kinds.ts';
import { shownUrl } from './urls.ts';

const seconds = (minimum: number, maximum: number, options: object) =>
  Type.Number({ minimum, maximum, 'x-unit': 'seconds', ...options });

const MIB = 1024 * 1024;

const bytesADay = (bytes: number, description: string) =>
  Type.Integer({ minimum: 1024, maximum: Number.MAX_SAFE_INTEGER, default: bytes, 'x-reread': true, description });

/** A key or a channel of other services. */
const nameInRedis = (name: string, description: string) =>
  Type.String({
    pattern: '^[\\x21-\\x7e]{1,128}$',
    default: name,
    examples: [`1 to 128 visible ASCII characters, such as ${name}`],
    description,
  });

export const Settings = Type.Object({
  HOST: Type.String({
    minLength: 1,
    'x-of': 'address',
    default: '127.0.0.1',
    examples: ['an address or a name, such as 127.0.0.1, 0.0.0.0, ::1 or localhost, without scheme and port'],
    description: 'address to listen on; 0.0.0.0 for every interface',
  }),
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8080,
    description: 'port to listen on; 0 takes a free one',
  }),
  TLS_CERT: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'file of a certificate, with its chain, as PEM: with TLS_KEY, the server speaks HTTPS and WSS itself',
    }),
  ),
  TLS_KEY: Type.Optional(
    Type.String({ minLength: 1, description: "file of the certificate's private key, as PEM, without a passphrase" }),
  ),
  DATABASE_URL: Type.String({
    // Two slashes would be the root's, `~` a folder of that name, and another URL a file of that name.
    pattern: '^(sqlite:(?!//[^/]|~|\\s|.*://).+|postgres(ql)?://.+)$',
    'x-of': 'url',
    'x-secret': true,
    default: 'sqlite:data/telle.db',
    examples: [
      'sqlite:<file>, such as sqlite:data/telle.db or sqlite:/var/lib/telle/telle.db',
      'postgres://<user>:<password>@<host>/<database>',
    ],
    description: 'where events are kept: sqlite:<file>, or postgres://<user>:<password>@<host>/<database>',
  }),
  DATABASE_CONNECTIONS: Type.Integer({
    minimum: 8,
    maximum: 1000,
    default: 12,
    description:
      'connections to Postgres that this node has at most: 4 for what is stored, 2 for its health, the rest for what is read',
  }),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: '^(rediss?://(.*@)?[^@,]+|redis\\+sentinel://([^@/]*@)?[^@/]+/[^/]+(/\\d+)?)$',
      'x-of': 'url',
      'x-secret': true,
      examples: [
        'redis://<host>:<port>',
        'rediss://<host>:<port>',
        'redis+sentinel://<host>:<port>,<host>:<port>/<name of the master>',
      ],
      description:
        'Redis between nodes and to other servers: redis://<host>:<port>, or redis+sentinel://<host>:<port>,<host>:<port>/<name of the master>; none for a node that is alone',
    }),
  ),
  REDIS_PREFIX: Type.String({
    pattern: '^(?=[\\x21-\\x7e]{0,64}$)[^{}]*(\\{[^{}]+\\}[^{}]*)?$',
    default: 'telle:',
    examples: ['at most 64 visible ASCII characters, braces only as one hash tag: {telle}:'],
    description: 'what every name in Redis begins with',
  }),
  AUTH_SECRET: Type.Optional(
    Type.String({
      minLength: 1,
      'x-secret': true,
      description:
        'signs and verifies tokens; comma-separated to rotate: the first signs, all verify. Made, and kept beside the embedded database, when absent. Better in the environment: others can read flags',
    }),
  ),
  AUTO_ASSIGN: Type.Boolean({ default: true, description: "an admin's message assigns what is nobody's: on or off" }),
  AUTO_MUTE: Type.Boolean({ default: true, description: "an admin's message mutes the bot: on or off" }),
  MAX_BOT_MESSAGES: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 1_000,
    description: 'the most messages of bots in a conversation while nobody else says anything',
  }),
  MAX_FRAME_BYTES: Type.Integer({
    minimum: 1024,
    maximum: 1_048_576,
    default: 16_384,
    description: 'the largest frame taken from a socket, in bytes',
  }),
  MAX_SOCKET_BACKLOG: Type.Integer({
    minimum: 16_384,
    maximum: 1_073_741_824,
    default: 1_048_576,
    description: 'unsent bytes after which a socket is closed as a slow consumer',
  }),
  MAX_CONNECTIONS: Type.Integer({
    'x-reread': true,
    minimum: 1,
    maximum: 10_000_000,
    default: 50_000,
    description: 'sockets that this node holds; one more is told to try another',
  }),
  MAX_CONNECTIONS_PER_ADDRESS: Type.Integer({
    'x-reread': true,
    minimum: 1,
    maximum: 10_000_000,
    default: 10_000,
    description: 'connections that one address may have open; more are refused',
  }),
  MAX_HANDSHAKES_PER_ADDRESS: Type.Integer({
    'x-reread': true,
    minimum: 1,
    maximum: 10_000_000,
    default: 30_000,
    description: 'sockets that one address may ask for in a minute; more are refused',
  }),
  MAX_CLAIMS_PER_ADDRESS: Type.Integer({
    'x-reread': true,
    minimum: 1,
    maximum: 10_000_000,
    default: 1200,
    description: 'new groups that one address may claim without a token in a minute',
  }),
  MAX_CLAIMS_PER_DEALER: Type.Integer({
    'x-reread': true,
    minimum: 1,
    maximum: 10_000_000,
    default: 6000,
    description: 'new groups that may be claimed without a token of one dealer in a minute',
  }),
  MAX_REFUSALS_PER_ADDRESS: Type.Integer({
    'x-reread': true,
    minimum: 1,
    maximum: 10_000_000,
    default: 600,
    description: 'joins with bad tokens that one address may try in a minute, before it is turned away',
  }),
  MAX_SOCKETS_PER_GROUP: Type.Integer({
    'x-reread': true,
    minimum: 1,
    maximum: 10_000_000,
    default: 20,
    description: 'sockets that one customer may have on this node; one more may not join',
  }),
  MAX_BYTES_PER_GROUP: bytesADay(16 * MIB, "what a chat's customer may store in a day, in bytes"),
  MAX_BYTES_PER_DEALER: bytesADay(
    1024 * MIB,
    'what may be stored of a dealer in a day, in bytes: by its customers, by its agents, and four times that by its servers',
  ),
  MAX_BYTES_PER_ADDRESS: bytesADay(256 * MIB, 'what customers of one address may store in a day, in bytes'),
  JOIN_TIMEOUT: seconds(0.1, 300, {
    default: 10,
    description:
      'how long a socket may take to send its request, and then to join: 500ms, 10s, 2m; a bare number is seconds',
  }),
  PING_INTERVAL: seconds(1, 300, {
    default: 25,
    description:
      'time between two WebSocket pings, less than any proxy in front lets a socket be silent: 10s, 2m; a bare number is seconds',
  }),
  DRAIN_PAUSE: Type.Optional(
    seconds(0, 300, {
      description:
        'time between /ready saying that a node is about to end and its sockets being closed, so that the load balancer sends nobody any more: 5s with Postgres and Redis, else none',
    }),
  ),
  DRAIN_SPREAD: Type.Optional(
    seconds(0, 300, {
      description:
        'time over which the sockets of a node that ends are closed, so that others take them one after the other: 3s with Postgres and Redis, else none',
    }),
  ),
  RATE_LIMIT: OneOf(['on', 'off'], {
    default: 'on',
    description:
      'frames of customers and admins: 20 at once, 10 a second after that; handshakes, claims and bad tokens of an address; bytes a day; off for trusted networks',
  }),
  METRICS_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description: 'port for /metrics alone, which is then not on PORT; 0 takes a free one',
    }),
  ),
  TRUST_PROXY: Type.String({
    pattern: '^(off|loopback|[0-9A-Fa-f.:/, ]+)$',
    'x-of': 'networks',
    default: 'off',
    examples: ['off', 'the addresses or networks of your proxies, such as 10.0.0.0/8,127.0.0.1', 'loopback'],
    description:
      "whose X-Forwarded-For tells a client's address: addresses or networks, comma-separated; off: nobody's",
  }),
  SOCKET_IO: OneOf(['on', 'off'], {
    default: 'off',
    description: 'clients of Socket.IO, from version 2 on, at /socket.io/: on or off',
  }),
  DIALECT: OneOf(['none', 'telle2019'], {
    default: 'none',
    description:
      'what else is understood of older clients and services: telle2019 is what those of 2019 say, over Socket.IO (with SOCKET_IO) and Redis',
  }),
  DIALECT_CHANNEL: nameInRedis(
    'telle_ai_chat',
    "the dialect's channel of Redis, on which other services publish, and Telle does",
  ),
  DIALECT_BOT_QUEUE: nameInRedis('telle:queue:bot', "the dialect's list from which the bot takes its work"),
  DIALECT_DAEMON_QUEUE: nameInRedis(
    'telle:queue:daemon',
    "the dialect's list from which the daemon takes what it keeps",
  ),
  DIALECT_NOTIFICATION_QUEUE: nameInRedis(
    'telle:queue:notification',
    "the dialect's list from which the notifications take theirs",
  ),
  DIALECT_DESKS: Type.String({
    pattern: '^(off|[A-Za-z0-9._:@-]{1,64}=[0-9A-Fa-f.:/]+(, *[A-Za-z0-9._:@-]{1,64}=[0-9A-Fa-f.:/]+)*)$',
    'x-of': 'desks',
    default: 'off',
    examples: [
      'off',
      'dealers and the addresses or networks of their desks, such as 201900001=192.0.2.0/24,201900002=198.51.100.7',
    ],
    description:
      "whose desk of the dialect is an admin without a token: <dealerId>=<address or network>, comma-separated; off: nobody's",
  }),
  WELCOME: OneOf(['on', 'local', 'off'], {
    default: 'local',
    description:
      "who is shown the newcomer's page at /, with the demo dealer: everybody, browsers on this machine, or nobody; others see name and health",
  }),
  LOG_LEVEL: OneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'how much the log says',
  }),
});
export type Settings = Static<typeof Settings>;
export type SettingName = keyof Settings;

/** The file of a database that is kept in memory, and gone with the process. */
export const MEMORY = ':memory:';

/**
 * The file that `DATABASE_URL` names: what follows `sqlite:`, relative to where the command runs; null where it names no
 * embedded database.
 */
export const sqliteFile = ({ DATABASE_URL }: Pick<Settings, 'DATABASE_URL'>): string | null =>
  /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(DATABASE_URL)?.[1] ?? null;

/** `DATABASE_URL` as it may be shown: a file has no password. */
export const shownDatabase = (settings: Pick<Settings, 'DATABASE_URL'>): string =>
  sqliteFile(settings) === null ? shownUrl(settings.DATABASE_URL) : settings.DATABASE_URL;
