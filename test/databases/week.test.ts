/**
 * [P-12, P-13] A dealer's week in simulated time: two nodes on one database, one of them restarted each night; a bot that fails at times,
 * agents who go home; a holiday, and the night on which the clocks go forward. What is checked is the log alone.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MEMORY } from '../../schemas/settings.ts';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { presenceCommand } from '../../src/commands/command.ts';
import type { Command } from '../../src/domain/state.ts';
import type { Store } from '../../src/store/store.ts';
import { anySeed, chance } from '../support/chance.ts';
import { makeDatabase } from '../support/postgres.ts';
import { TimedNode, type Told } from '../support/timed-node.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const DEALER = 'd1';
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const DAY = 24 * HOUR;
/** Thursday; Friday is a holiday, and on Sunday the clocks of Berlin go forward. */
const BEGIN = Date.parse('2027-03-25T00:00:00+01:00');
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
const SETTINGS = {
  timezone: 'Europe/Berlin',
  hours: [
    { days: [...DAYS], open: '09:00', close: '18:00' },
    { days: ['sat' as const], open: '22:00', close: '04:00' },
  ],
  holidays: ['2027-03-26'],
  bot: true,
};
/** Hours as a calendar has them. Saturday's last until four o'clock of a night that has no hour from two to three. */
const TURNS = [
  '2027-03-25T09:00:00+01:00 open',
  '2027-03-25T18:00:00+01:00 closed',
  '2027-03-27T22:00:00+01:00 open',
  '2027-03-28T04:00:00+02:00 closed',
  ...['29', '30', '31'].flatMap((day) => [
    `2027-03-${day}T09:00:00+02:00 open`,
    `2027-03-${day}T18:00:00+02:00 closed`,
  ]),
];
/** Limits of section 12 where a dealer sets none, and the time that a sweep of this test may be late. */
const [BOT_WITHIN, ADMIN_WITHIN, UNANSWERED, ALONE] = [30 * SECOND, 120 * SECOND, 900 * SECOND, 120 * SECOND];

/** What a conversation looks like to those who take part in it. */
interface Seen {
  waitingFor: unknown;
  muted: boolean;
}

/** The people of the week, who see no more than they are told. */
class Week {
  readonly told: Told[] = [];
  readonly clock = { now: BEGIN };
  readonly #seen = new Map<string, Seen>();
  readonly #chance: () => number;
  #nodes: TimedNode[];
  readonly #stores: readonly Store[];

  constructor(stores: readonly Store[], seed: number) {
    this.#stores = stores;
    this.#chance = chance(seed);
    this.#nodes = stores.map((store) => this.#start(store));
  }

  #start(store: Store): TimedNode {
    return new TimedNode(store, this.clock, (told) => {
      this.told.push(told);
      const { waiting, muted } = told.payload;
      const seen = this.#seen.get(told.groupId) ?? { waitingFor: null, muted: false };
      if (waiting !== undefined) seen.waitingFor = Object(waiting).for ?? null;
      if (told.type === 'OVERDUE' && told.payload.for === 'bot') seen.waitingFor = 'admin';
      if (typeof muted === 'boolean') seen.muted = muted;
      this.#seen.set(told.groupId, seen);
    });
  }

  /** Lives so long, in steps of so many ms. */
  async live(length: number, step: number): Promise<void> {
    const end = BEGIN + length;
    for (let at = BEGIN; at < end; at += step) {
      this.clock.now = at;
      await Promise.all(this.#nodes.map((node) => node.look()));
      if ((at - BEGIN) % DAY === 0 && at > BEGIN) await this.#restart();
      await this.#come(at, step);
      if (at < end - HOUR) await this.#customersWrite();
      await this.#botAnswers();
      if (this.#isWorking(at)) await this.#agentsAnswer();
    }
    await Promise.all(this.#nodes.map((node) => node.close()));
  }

  async #restart(): Promise<void> {
    const [first, ...others] = this.#nodes;
    const [store] = this.#stores;
    if (!first || !store) return;
    await first.close();
    this.#nodes = [this.#start(store), ...others];
  }

  /** Agents are here on working days from nine to half past five; the one who has answered last goes as all others do. */
  #isWorking(at: number): boolean {
    const { hour, minute, weekday } = inBerlin(at);
    const isDay = weekday !== 'Sat' && weekday !== 'Sun' && !new Date(at).toISOString().startsWith('2027-03-26');
    return isDay && hour * 60 + minute >= 9 * 60 && hour * 60 + minute < 17 * 60 + 30;
  }

  async #come(at: number, step: number): Promise<void> {
    const [was, is] = [this.#isWorking(at - step) && at > BEGIN, this.#isWorking(at)];
    if (was === is) return;
    for (const adminId of ['a1', 'a2'])
      await this.#do(presenceCommand({ role: 'admin', dealerId: DEALER, adminId }, 'n1', is));
  }

  async #customersWrite(): Promise<void> {
    for (let customer = 1; customer <= 6; customer += 1) {
      if (this.#chance() < 0.03) await this.#say(`c${customer}`, 'server', { user: 'customer' });
    }
  }

  async #botAnswers(): Promise<void> {
    for (const [groupId, { waitingFor, muted }] of this.#seen) {
      if (waitingFor !== 'bot' || muted || this.#chance() < 0.3) continue;
      if (this.#chance() < 0.1)
        await this.#do(of('server', 'server:bot', { type: 'HANDOFF', dealerId: DEALER, groupId, reason: 'a price' }));
      else await this.#say(groupId, 'server', { user: 'bot' });
    }
  }

  async #agentsAnswer(): Promise<void> {
    for (const [groupId, { waitingFor, muted }] of this.#seen) {
      const adminId = this.#chance() < 0.5 ? 'a1' : 'a2';
      if (waitingFor === 'admin' && this.#chance() < 0.3) await this.#say(groupId, 'admin', { user: 'admin', adminId });
      if (muted && this.#chance() < 0.01)
        await this.#do(
          of('admin', `admin:${adminId}`, { type: 'CLOSE_CHAT', dealerId: DEALER, groupId, adminId, user: 'admin' }),
        );
    }
  }

  #say(groupId: string, role: Command['role'], by: object): Promise<void> {
    return this.#do(of(role, `${role}:x`, { type: 'UPDATE_MSG', dealerId: DEALER, groupId, ...by, message: 'Hello' }));
  }

  /** Has either of the nodes do something, some seconds later. */
  async #do(command: Command): Promise<void> {
    this.clock.now += SECOND;
    const node = this.#nodes[this.#chance() < 0.5 ? 0 : 1] ?? assert.fail('no node');
    const outcome = await node.journal.append(command);
    const code = 'refusal' in outcome ? outcome.refusal.code : null;
    assert.ok(code === null || code === 'bot_muted' || code === 'group_closed', `${command.body.type}: ${code}`);
  }
}

const of = (role: Command['role'], sender: string, body: object): Command => ({
  role,
  sender,
  key: null,
  body: body as Command['body'],
});

const BERLIN = new Intl.DateTimeFormat('en-US', {
  ...{ timeZone: 'Europe/Berlin', hourCycle: 'h23' },
  ...{ weekday: 'short', hour: 'numeric', minute: 'numeric' },
});
function inBerlin(at: number) {
  const parts = Object.fromEntries(BERLIN.formatToParts(at).map(({ type, value }) => [type, value]));
  return { weekday: parts.weekday, hour: Number(parts.hour), minute: Number(parts.minute) };
}

const byGroup = (told: readonly Told[]) =>
  Map.groupBy(
    told.filter(({ groupId }) => groupId !== ''),
    ({ groupId }) => groupId,
  );
const isBy = ({ type, payload }: Told, ...users: string[]) =>
  type === 'CHAT_MSG' && users.includes(String(payload.user));

const sinceIn = ({ type, payload }: Told): unknown =>
  type === 'OVERDUE' ? payload.since : type === 'HANDOFF' && Object(payload.waiting).since;

/** Whatever a customer says is answered, or the wait that it is a part of is handed on or told to be overdue. */
function assertNobodyIsLeft(told: readonly Told[]): void {
  told.forEach((each, place) => {
    if (!isBy(each, 'customer')) return;
    const isAnswered = told.slice(place + 1).some((one) => isBy(one, 'bot', 'admin') || one.type === 'CLOSE_CHAT');
    const { since } = Object(each.payload.waiting);
    const isHeard = isAnswered || told.some((one) => sinceIn(one) === since);
    assert.ok(isHeard, `${each.groupId} at ${new Date(each.at).toISOString()}`);
  });
}

/** OVERDUE is told once of each side and wait, when it is time and not long after, and never behind an answer. */
function assertOverdue(told: readonly Told[], lateness: number): number {
  const all = told.filter(({ type }) => type === 'OVERDUE');
  const names = all.map(({ payload }) => `${payload.since} ${payload.for}`);
  assert.equal(new Set(names).size, names.length, 'once for each side and wait');
  for (const { at, payload } of all) {
    const since = Date.parse(String(payload.since));
    const [within, side] = payload.for === 'bot' ? [BOT_WITHIN, ['bot']] : [ADMIN_WITHIN, ['admin']];
    const between = told.filter((one) => one.at >= since && one.at < at);
    assert.ok(at >= since + within, 'not before its time');
    assert.ok(!between.some((one) => isBy(one, ...side)), 'never behind an answer');
    const turned = between.findLast(
      (one) =>
        one.type === 'MUTE_STATUS' || one.type === 'HANDOFF' || (one.type === 'OVERDUE' && one.payload.for === 'bot'),
    );
    const from = Math.max(since, payload.for === 'bot' && turned?.type === 'OVERDUE' ? 0 : (turned?.at ?? 0));
    assert.ok(at <= from + within + lateness, `${(at - from) / SECOND} s after it was theirs`);
  }
  return all.length;
}

/** No mute outlasts the agent who holds it. */
function assertLeases(told: readonly Told[], lateness: number): Map<unknown, number> {
  const reasons = new Map<unknown, number>();
  let [muted, acted] = [false, 0];
  for (const each of told) {
    if (muted)
      assert.ok(
        each.at <= acted + UNANSWERED + lateness || isBy(each, 'admin') || each.type === 'CLOSE_CHAT',
        'a mute that nobody holds',
      );
    if (isBy(each, 'admin')) acted = each.at;
    if (each.type === 'CLOSE_CHAT') muted = false;
    if (each.type !== 'MUTE_STATUS') continue;
    const { reason } = each.payload;
    muted = each.payload.muted === true;
    if (muted) acted = each.at;
    if (reason === undefined) continue;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    assert.ok(each.at >= acted + (reason === 'unanswered' ? UNANSWERED : ALONE), `${reason} too early`);
  }
  assert.equal(muted, false, 'muted in the end');
  return reasons;
}

const DATABASES = {
  SQLite: {
    days: 7,
    step: MINUTE,
    open: async () => {
      const store = openStore(readSettings({ DATABASE_URL: `sqlite:${MEMORY}` }));
      return [store, store];
    },
  },
  Postgres: {
    days: 4,
    step: 5 * MINUTE,
    open: async () => {
      const settings = readSettings({ DATABASE_URL: await makeDatabase(postgres) });
      return [openStore(settings), openStore(settings)];
    },
  },
} as const;

describe('[P-12, P-13] a week', { timeout: 300_000 }, () => {
  for (const [database, { days, step, open }] of Object.entries(DATABASES)) {
    it(`leaves no customer in silence: ${database}, ${days} days`, async () => {
      const seed = Number(process.env.WEEK_SEED ?? anySeed());
      console.log({ WEEK_SEED: seed });
      const stores = await open();
      const [store = assert.fail('no store')] = stores;
      try {
        await store.migrate();
        await store.putDealer(DEALER, SETTINGS);
        const week = new Week(stores, seed);
        await week.live(days * DAY, step);
        const turns = week.told
          .filter(({ type }) => type === 'AVAILABILITY')
          .map(({ at, payload }) => ({ at, open: payload.open }));
        const hours = turns.filter(({ open }, place) => open !== (turns[place - 1]?.open ?? false));
        const expected = TURNS.map((turn) => turn.split(' ')).filter(
          ([at = '']) => Date.parse(at) < BEGIN + days * DAY,
        );
        const late = hours.map(({ at }, place) => at - Date.parse(expected[place]?.[0] ?? ''));
        assert.deepEqual(
          hours.map(({ open }) => (open ? 'open' : 'closed')),
          expected.map(([, what]) => what),
        );
        assert.ok(
          late.every((ms) => ms >= 0 && ms < step),
          `hours turned late by ${late} ms`,
        );
        const reasons = new Map<unknown, number>();
        let overdue = 0;
        for (const told of byGroup(week.told).values()) {
          assertNobodyIsLeft(told);
          overdue += assertOverdue(told, step + MINUTE);
          for (const [reason, count] of assertLeases(told, step + MINUTE))
            reasons.set(reason, (reasons.get(reason) ?? 0) + count);
        }
        const said = week.told.filter((each) => isBy(each, 'customer', 'bot', 'admin')).length;
        console.log({ database, said, overdue, handedBack: Object.fromEntries(reasons) });
        assert.ok(said > 100 && overdue > 10 && reasons.size >= 1, 'days in which all of it happens');
      } finally {
        await Promise.all([...new Set(stores)].map((each) => each.close()));
      }
    });
  }
});
