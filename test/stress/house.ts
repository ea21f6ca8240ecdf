/** A server that listens, and those who come to it. */
import { randomUUID } from 'node:crypto';
import type { Role } from '../../schemas/kinds.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import type { StoredEvent } from '../../src/store/rows.ts';
import { makeDatabase } from '../support/postgres.ts';
import { DEALER, SECRET, startServer, type TestServer } from '../support/server.ts';
import { Guest } from './guest.ts';
import type { Stage } from './scenario.ts';

type Options = NonNullable<Parameters<typeof startServer>[0]>;

/** The most events that are posted at once [P-11.2]. */
const AT_ONCE = 1000;

/** How long tokens hold, in seconds: longer than any clock jumps. */
const TTL = 60 * 24 * 3600;

/** What a join says beside who it is. */
interface More {
  readonly token?: string;
  readonly since?: Readonly<Record<string, number>>;
}

/** All come from one address here, as many as they like to one chat too, unless that is what is tried. */
const OPEN = {
  RATE_LIMIT: 'off',
  MAX_BOT_MESSAGES: '1000000',
  MAX_CONNECTIONS_PER_ADDRESS: '10000',
  MAX_SOCKETS_PER_GROUP: '10000',
};

/** Where a server listens that knows the tests' secret, and how one comes to it. */
export class Endpoint {
  /** `host:port` */
  readonly at: string;
  readonly #tokens = new Map<string, string>();
  /** The address that those come from whom it lets in. */
  readonly #from: string | undefined;
  /** Whose they are who come to it. */
  readonly dealerId: string;
  readonly #signer: Tokens;

  constructor(
    at: string,
    { from, secret = SECRET, dealer = DEALER }: { from?: string; secret?: string; dealer?: string } = {},
  ) {
    this.at = at;
    this.#from = from;
    this.dealerId = dealer;
    this.#signer = new Tokens([secret]);
  }

  dial(): Promise<Guest> {
    return Guest.dial(this.at, this.#from);
  }

  /** A token, made once. */
  token(role: Role, sub: string): string {
    const key = `${role} ${sub}`;
    const token =
      this.#tokens.get(key) ?? this.#signer.sign({ role, dealer: this.dealerId, sub, exp: secondsFromNow(TTL) });
    this.#tokens.set(key, token);
    return token;
  }

  async #join(channel: string, payload: object, more: More): Promise<Guest> {
    const guest = await this.dial();
    Object.assign(guest.since, more.since);
    const answer = await guest.ask(channel, { dealerId: this.dealerId, ...payload, ...more }, 'join');
    if (answer.channel !== 'ack') throw new Error(`not joined: ${answer.code}`);
    return guest;
  }

  /** Joins with a token, so that a group may have any number of them. */
  async customer(groupId: string, more: More = {}): Promise<Guest> {
    const token = await this.token('customer', groupId);
    return this.#join('client_join', { type: 'CLIENT_JOIN', groupId, token }, more);
  }

  async admin(adminId = 'a1', more: More = {}): Promise<Guest> {
    const token = await this.token('admin', adminId);
    return this.#join('admin_join', { type: 'ADMIN_JOIN', adminId, token }, more);
  }

  async bot(name = 'bot', more: More = {}): Promise<Guest> {
    return this.#join('server_join', { type: 'SERVER_JOIN', token: await this.token('server', name) }, more);
  }

  /** Posts events, as many at once as may be, on connections that are not kept. @returns the results in order */
  async post(events: readonly object[], name = 'crm'): Promise<{ seq?: number; error?: { code: string } }[]> {
    const token = await this.token('server', name);
    const results = [];
    for (let from = 0; from < events.length; from += AT_ONCE) {
      const response = await fetch(`http://${this.at}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify(events.slice(from, from + AT_ONCE)),
      });
      const { results: some } = JSON.parse(await response.text());
      results.push(...some);
    }
    return results;
  }
}

/** A server in this process, and its database. */
export class House extends Endpoint {
  readonly server: TestServer;

  constructor(server: TestServer, at: string) {
    super(at);
    this.server = server;
  }

  static async open(options: Options = {}): Promise<House> {
    const server = await startServer({ ...options, settings: { ...OPEN, ...options.settings } });
    return new House(server, await server.listen());
  }

  /** A scope's whole log, as the database has it. */
  log(scope: string): Promise<StoredEvent[]> {
    return this.server.store.events(DEALER, scope, { limit: 1_000_000 });
  }

  /** How far scopes go. */
  tails(...scopes: string[]): Promise<Map<string, number>> {
    return this.server.store.tails(DEALER, scopes);
  }
}

/** A server for the length of `use`. */
export async function inHouse(options: Options, use: (house: House) => Promise<void>): Promise<void> {
  const house = await House.open(options);
  try {
    await use(house);
  } finally {
    await house.server.close();
  }
}

/** Two nodes on one Postgres and one Redis, for the length of `use`. `prepare` is done before they start. */
export async function onTwoNodes(
  { postgres, redis }: Pick<Stage, 'postgres' | 'redis'>,
  use: (one: House, other: House, prefix: string) => Promise<void>,
  { prepare = async () => {}, ...options }: Options & { readonly prepare?: (prefix: string) => Promise<void> } = {},
): Promise<void> {
  const prefix = `${randomUUID()}:`;
  await prepare(prefix);
  const settings = {
    DATABASE_URL: await makeDatabase(postgres),
    REDIS_URL: redis,
    REDIS_PREFIX: prefix,
    ...options.settings,
  };
  const houses: House[] = [];
  try {
    for (let n = 0; n < 2; n += 1) houses.push(await House.open({ ...options, settings }));
    const [one, other] = houses;
    if (one && other) await use(one, other, prefix);
  } finally {
    await Promise.all(houses.map(({ server }) => server.close()));
  }
}

/** A message into a group, as another server posts it. */
export const says = (groupId: string, message: string, more: object = {}) => ({
  type: 'UPDATE_MSG',
  dealerId: DEALER,
  groupId,
  user: 'customer',
  message,
  ...more,
});

export const range = (length: number, from = 0): number[] => Array.from({ length }, (_, index) => from + index);

/** Longer than anything takes that is looked for again and again; and how often it is, in ms. */
const PATIENCE = 10_000;
const LOOK = 25;

/** Resolves when something holds that nobody tells of. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}
