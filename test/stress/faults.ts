/** What the server stands on fails: what was acked is there, what was not may be said again, nothing is told twice [P-8]. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { StoredEvent } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { overriding } from '../support/faulty-store.ts';
import { makeDatabase } from '../support/postgres.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { RedisProxy } from '../support/proxy.ts';
import { DEALER, inFolder } from '../support/server.ts';
import { onSmallDisk } from '../support/small-disk.ts';
import type { Guest } from './guest.ts';
import { Endpoint, eventually, type House, inHouse, onTwoNodes, range } from './house.ts';
import { checkNothingLost, Persistent } from './persistent.ts';
import type { Ledger, Scenarios, Stage } from './scenario.ts';

/** A secret without a comma, which would make two of it in the environment. */
const ITS_SECRET = 'a secret that only this server and its guests know';

const customersOf = (endpoint: Endpoint, numbers: readonly number[], goesOn: (said: number) => boolean): Persistent[] =>
  numbers.map((n) => {
    const groupId = `g${n}`;
    return new Persistent({ groupId, goesOn, join: (since) => endpoint.customer(groupId, { since }) });
  });

const sumOf = (customers: readonly Persistent[], code: string): number =>
  customers.reduce((sum, { refusals }) => sum + (refusals.get(code) ?? 0), 0);

/** Checks all customers against the logs. */
async function checkAll(ledger: Ledger, house: House, customers: readonly Persistent[]): Promise<void> {
  for (const customer of customers) await checkNothingLost(ledger, customer, await house.log(customer.groupId));
}

/** The log of a group in a database whose server is gone. */
async function logsIn(DATABASE_URL: string, groups: readonly string[]): Promise<StoredEvent[][]> {
  const store = openStore(readSettings({ DATABASE_URL }), { alone: true });
  try {
    return await Promise.all(groups.map((groupId) => store.events(DEALER, groupId, { limit: 100_000 })));
  } finally {
    await store.close();
  }
}

/** A server as a process, on a file; the dealer is there. */
async function startOn(DATABASE_URL: string): Promise<ServerProcess> {
  const store = openStore(readSettings({ DATABASE_URL }), { alone: true });
  await store.migrate();
  await store.putDealer(DEALER, { origins: ['*'] });
  await store.close();
  return startProcess({ env: { DATABASE_URL, AUTH_SECRET: ITS_SECRET, RATE_LIMIT: 'off' } });
}

const endpointOf = ({ url }: ServerProcess): Endpoint => new Endpoint(new URL(url).host, { secret: ITS_SECRET });

const ackedBy = (guests: readonly Guest[]): string[] =>
  guests.flatMap(({ answers }) =>
    [...answers].flatMap(([id, { channel, seq }]) => (channel === 'ack' && seq ? [id] : [])),
  );

/** Keeps so many messages on the way until the socket closes. */
async function flood(guest: Guest, word: string): Promise<void> {
  let n = 0;
  const say = async () => {
    while (guest.isOpen) {
      const id = `${word}-${n++}`;
      await guest.ask('customer_message', { type: 'UPDATE_MSG', message: id }, id).catch(() => {});
    }
  };
  await Promise.all(range(8).map(say));
}

/** Ends a server by a signal while 25 customers talk. @returns what is stored and what was acked, by customer */
async function endUnderLoad(signal: NodeJS.Signals, DATABASE_URL: string) {
  const server = await startOn(DATABASE_URL);
  try {
    const groups = range(25).map((n) => `g${n}`);
    const guests = await Promise.all(groups.map((groupId) => endpointOf(server).customer(groupId)));
    const talking = guests.map((guest, n) => flood(guest, groups[n] ?? ''));
    await guests[0]?.sees('g0', 40);
    const { code } = await server.kill(signal);
    await Promise.all(talking);
    const logs = await logsIn(DATABASE_URL, groups);
    const codes = await Promise.all(guests.map(({ closed }) => closed));
    return { code, codes, guests, logs };
  } finally {
    await server.kill();
  }
}

/** A database that fails by chance: one commit in six, half of them after they were done, so that nobody knows. */
class Unreliable {
  readonly #stage: Stage;
  /** Whether the next commit is done, and said to have failed. */
  losesNext = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  readonly wrapStore = (store: Store): Store =>
    overriding(store, {
      commit: async (needs, work) => {
        const fate = this.losesNext ? 1 : this.#stage.dice.below(12);
        this.losesNext = false;
        if (fate === 0) throw new Error('the connection was lost before the commit');
        const locked = await store.commit(needs, work);
        if (fate === 1) throw new Error('the connection was lost before the answer');
        return locked;
      },
    });
}

export const faults: Scenarios = {
  /** SIGTERM while all talk: stored is just what was acked, and everybody is asked to come back. */
  'drain-under-load': ({ ledger }) =>
    inFolder(async (folder) => {
      const { code, codes, guests, logs } = await endUnderLoad('SIGTERM', `sqlite:${join(folder, 'telle.db')}`);
      ledger.equal(code, 0, 'the exit code');
      ledger.equal([...new Set(codes)], [1012], 'how everybody was closed');
      for (const [index, log] of logs.entries()) {
        const guest = guests[index];
        ledger.count(log.length);
        ledger.equal(
          log.map(({ id }) => id),
          guest ? ackedBy([guest]) : [],
          `stored and acked of g${index}`,
        );
        ledger.equal(
          [...new Set(guest?.of('error').map((error) => error.code))].filter((c) => c !== 'unavailable'),
          [],
          'refusals',
        );
      }
    }),

  /** `kill -9` while all talk: whatever was acked is stored, in its place. */
  'killed-under-load': ({ ledger }) =>
    inFolder(async (folder) => {
      const { guests, logs } = await endUnderLoad('SIGKILL', `sqlite:${join(folder, 'telle.db')}`);
      for (const [index, log] of logs.entries()) {
        const stored = new Map(log.map(({ id, seq }) => [id, seq]));
        ledger.equal([...stored.values()], range(log.length, 1), `the numbers of g${index}'s log`);
        ledger.equal(stored.size, log.length, 'stored once');
        for (const [id, { channel, seq }] of guests[index]?.answers ?? []) {
          if (channel === 'ack' && seq !== undefined) ledger.equal(stored.get(id), seq, `${id}, acked, is stored`);
        }
      }
    }),

  /** Another process locks the database again and again: a send is refused as `unavailable`, and taken when said again. */
  'database-locked': ({ ledger }) =>
    inFolder((folder) => {
      const file = join(folder, 'telle.db');
      return inHouse({ settings: { DATABASE_URL: `sqlite:${file}` } }, async (house) => {
        let isOver = false;
        const customers = customersOf(house, range(12), () => !isOver);
        const talking = Promise.all(customers.map((customer) => customer.talk()));
        await eventually('everybody is in', () => customers.every(({ joins }) => joins === 1));
        const other = new Database(file);
        for (const _ of range(3)) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          other.exec('BEGIN IMMEDIATE');
          const before = sumOf(customers, 'unavailable');
          await eventually('a send is refused', () => sumOf(customers, 'unavailable') > before);
          const { status } = await house.server.http('GET', '/ready');
          ledger.equal(status, 503, 'ready while it is locked');
          other.exec('COMMIT');
        }
        other.close();
        isOver = true;
        await talking;
        await checkAll(ledger, house, customers);
        ledger.equal(
          customers.map(({ joins }) => joins),
          range(12).map(() => 1),
          'sockets that were needed',
        );
        ledger.equal(
          customers.flatMap(({ refusals }) => [...refusals.keys()]).filter((code) => code !== 'unavailable'),
          [],
          'other refusals',
        );
      });
    }),

  /** The disk is full, twice: sends are refused, reading goes on, and with room again everything is taken. */
  'disk-full': ({ ledger }) =>
    onSmallDisk(({ folder, fill, free }) =>
      inHouse({ settings: { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` } }, async (house) => {
        let isOver = false;
        const customers = customersOf(house, range(10), () => !isOver);
        const talking = Promise.all(customers.map((customer) => customer.talk()));
        await eventually('everybody is in', () => customers.every(({ joins }) => joins === 1));
        for (const _ of range(2)) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          fill();
          const before = sumOf(customers, 'unavailable');
          await eventually('sends are refused', () => sumOf(customers, 'unavailable') > before + 20);
          const token = await house.token('admin', 'a1');
          const url = `/v1/dealers/${DEALER}/scopes/g0/events`;
          ledger.equal((await house.server.http('GET', url, { token })).status, 200, 'reading while it is full');
          free();
        }
        isOver = true;
        await talking;
        await checkAll(ledger, house, customers);
        ledger.equal(
          customers.map(({ joins }) => joins),
          range(10).map(() => 1),
          'sockets that were needed',
        );
      }),
    ),

  /** Every connection to Postgres breaks, five times, while customers talk over two nodes. */
  'postgres-flapping': async (stage) => {
    const { ledger } = stage;
    const proxy = await RedisProxy.to(stage.postgres);
    try {
      const direct = await makeDatabase(stage.postgres);
      const DATABASE_URL = Object.assign(new URL(direct), { port: new URL(proxy.url).port }).href;
      await onTwoNodes(
        stage,
        async (one, other) => {
          let isOver = false;
          const customers = [
            ...customersOf(one, range(10), () => !isOver),
            ...customersOf(other, range(10, 10), () => !isOver),
          ];
          const talking = Promise.all(customers.map((customer) => customer.talk()));
          const acks = () => customers.reduce((sum, { acked }) => sum + acked.size, 0);
          for (const _ of range(5)) {
            const before = acks();
            await eventually('acks', () => acks() >= before + 100);
            proxy.cut();
            await new Promise((resolve) => setTimeout(resolve, 60));
            proxy.mend();
          }
          isOver = true;
          await talking;
          await checkAll(ledger, one, customers);
        },
        { settings: { DATABASE_URL } },
      );
    } finally {
      await proxy.close();
    }
  },

  /** One commit in six fails, and the answer to the last is lost: on several nodes everybody has everything all the same. */
  'commits-that-fail': (stage) => {
    const { ledger } = stage;
    const database = new Unreliable(stage);
    const { wrapStore } = database;
    return onTwoNodes(
      stage,
      async (one, other) => {
        const witnesses = await Promise.all(range(10).map((n) => comeIn(() => other.customer(`g${n}`))));
        let most = 40;
        const customers = customersOf(one, range(10), (said) => said < most);
        await Promise.all(customers.map((customer) => customer.talk()));
        most += 1;
        for (const customer of customers) {
          database.losesNext = true;
          await customer.talk();
        }
        await checkAll(ledger, one, customers);
        for (const [n, witness] of witnesses.entries()) {
          await witness.sees(`g${n}`, most);
          ledger.equal(witness.faults, [], 'breaks of order at a witness');
        }
      },
      { wrapStore },
    );
  },
};

/** Comes in, however often that takes. */
async function comeIn(join: () => Promise<Guest>): Promise<Guest> {
  for (;;) {
    const guest = await join().catch(() => null);
    if (guest) return guest;
  }
}
