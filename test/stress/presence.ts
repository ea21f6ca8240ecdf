/** Coming and going: who is online is told once, nothing is left behind of who has gone [P-7.5]. */
import { WebSocket } from 'ws';
import { census, leftSince } from '../support/census.ts';
import { DEALER } from '../support/server.ts';
import { Guest } from './guest.ts';
import { eventually, type House, inHouse, onTwoNodes, range } from './house.ts';

import type { Ledger, Scenarios } from './scenario.ts';

/** What the desk was told of who, in order: whether they are online. */
async function told(house: House, field: 'groupId' | 'adminId'): Promise<Map<string, boolean[]>> {
  const tellings = new Map<string, boolean[]>();
  for (const { payload } of await house.log('@desk')) {
    const { type, [field]: who, online } = JSON.parse(payload);
    if ((type !== 'UPDATE_GROUP' && type !== 'UPDATE_CHAT') || who === undefined) continue;
    tellings.set(who, [...(tellings.get(who) ?? []), online]);
  }
  return tellings;
}

/** Resolves when the desk's last word of everybody is that they have gone. */
const allGone = (house: House, field: 'groupId' | 'adminId', count: number) =>
  eventually('everybody is told offline', async () => {
    const tellings = [...(await told(house, field)).values()];
    return tellings.length === count && tellings.every((states) => states.at(-1) === false);
  });

/** Checks that nobody was told to come who was there, or to go who was not. */
function checkTurns(ledger: Ledger, tellings: ReadonlyMap<string, readonly boolean[]>): void {
  for (const [who, states] of tellings) {
    ledger.equal(
      states,
      states.map((_, index) => index % 2 === 0),
      `what the desk was told of ${who}`,
    );
  }
}

const timing = { presenceGrace: 100 };

export const presence: Scenarios = {
  /** 120 customers come and go, 10 times each: everybody is told online and offline in turn, and nothing is left. */
  'join-and-leave-churn': ({ ledger, dice }) =>
    inHouse({ timing }, async (house) => {
      const before = await census();
      const come = async (groupId: string) => {
        for (const _ of range(10)) {
          const guest = await house.customer(groupId);
          if (dice.once(2)) await guest.cut();
          else {
            guest.socket.close();
            await guest.closed;
          }
        }
        ledger.count(10);
      };
      await Promise.all(range(120).map((n) => come(`g${n}`)));
      await allGone(house, 'groupId', 120);
      checkTurns(ledger, await told(house, 'groupId'));
      ledger.equal(await leftSince(before), [], 'left behind');
    }),

  /** Sockets that break off at any moment of their joining leave nothing behind. */
  'cut-while-joining': ({ ledger, dice }) =>
    inHouse({ timing }, async (house) => {
      const before = await census();
      const one = async (n: number) => {
        const groupId = `g${n % 100}`;
        const token = await house.server.token('customer', groupId);
        const guest = new Guest(new WebSocket(`ws://${house.at}/ws`));
        const payload = { type: 'CLIENT_JOIN', dealerId: DEALER, groupId, token, since: { [groupId]: 0 } };
        guest.socket.on('open', () => guest.send('client_join', payload));
        for (let turns = dice.below(12); turns > 0; turns -= 1) await new Promise(setImmediate);
        await guest.cut();
        ledger.count(1);
      };
      for (let wave = 0; wave < 10; wave += 1) await Promise.all(range(150, wave * 150).map(one));
      // Whoever was seen at all is told gone in the end.
      const seen = (await told(house, 'groupId')).size;
      const certain = await house.customer('certain');
      await certain.cut();
      await eventually('everybody is told offline', async () => {
        const tellings = [...(await told(house, 'groupId')).values()];
        return tellings.length > seen && tellings.every((states) => states.at(-1) === false);
      });
      checkTurns(ledger, await told(house, 'groupId'));
      ledger.equal(await leftSince(before), [], 'left behind');
    }),

  /** A hundred strangers claim one group at once: one has it, the others are refused, and hear nothing of it. */
  'claiming-one-group': ({ ledger }) =>
    inHouse({}, async (house) => {
      for (const groupId of range(5).map((n) => `g${n}`)) {
        const strangers = await Promise.all(range(100).map(() => house.dial()));
        const answers = await Promise.all(
          strangers.map((guest) => guest.ask('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId })),
        );
        const won = strangers.filter((_, index) => answers[index]?.channel === 'ack');
        ledger.count(100);
        ledger.equal(won.length, 1, `who has ${groupId}`);
        ledger.equal(
          answers.filter(({ code }) => code === 'unauthorized').length,
          99,
          'who was refused as unauthorized',
        );
        await won[0]?.ask('customer_message', { type: 'UPDATE_MSG', message: 'It is mine' });
        const losers = strangers.filter((guest) => !won.includes(guest));
        const codes = await Promise.all(losers.map(({ closed }) => closed));
        ledger.equal([...new Set(codes)], [4401], 'how they were closed');
        ledger.equal(losers.flatMap((guest) => guest.of('CHAT_MESSAGE')).length, 0, 'messages that others heard');
        ledger.equal(losers.flatMap((guest) => guest.of('session')).length, 0, 'sessions of others');
      }
    }),

  /** The same where the claims come to two nodes. */
  'claiming-one-group-on-two-nodes': (stage) =>
    onTwoNodes(stage, async (one, other) => {
      const { ledger } = stage;
      for (const groupId of range(15).map((n) => `g${n}`)) {
        const strangers = await Promise.all(range(20).map((n) => (n % 2 ? one : other).dial()));
        const answers = await Promise.all(
          strangers.map((guest) => guest.ask('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId })),
        );
        ledger.count(20);
        ledger.equal(answers.filter(({ channel }) => channel === 'ack').length, 1, `who has ${groupId}`);
        await Promise.all(strangers.map((guest) => guest.cut()));
      }
    }),

  /** Pages that are changed within the grace do not flap: each customer comes once and goes once. */
  'page-changes': ({ ledger }) =>
    inHouse({ timing: { presenceGrace: 2000 } }, async (house) => {
      const browse = async (groupId: string) => {
        for (const _ of range(10)) await (await house.customer(groupId)).cut();
        ledger.count(10);
      };
      await Promise.all(range(40).map((n) => browse(`g${n}`)));
      await allGone(house, 'groupId', 40);
      for (const [who, states] of await told(house, 'groupId')) {
        ledger.equal(states, [true, false], `what the desk was told of ${who}`);
      }
    }),

  /** Admins open chats on both nodes and go: whoever goes has left every chat, and a second socket elsewhere keeps them. */
  'admins-come-and-go': (stage) =>
    onTwoNodes(
      stage,
      async (one, other) => {
        const { ledger } = stage;
        const groups = range(10).map((n) => `g${n}`);
        await one.post(groups.map((groupId) => ({ type: 'UPDATE_GROUP', dealerId: DEALER, groupId, online: true })));
        const ids = range(8).map((n) => `a${n}`);
        const stays = new Set(ids.slice(0, 4));
        const here = await Promise.all(
          ids.map(async (id) => {
            const [admin, second] = await Promise.all([one.admin(id), stays.has(id) ? other.admin(id) : null]);
            for (const groupId of groups) {
              await admin.ask('chat_state', { type: 'UPDATE_CHAT', groupId, online: true });
            }
            return { admin, second };
          }),
        );
        ledger.count(ids.length * groups.length);
        await Promise.all(here.map(({ admin }) => admin.cut()));
        const lastWords = async (groupId: string) => {
          const last = new Map<string, boolean>();
          for (const { type, payload } of await one.log(groupId)) {
            const { adminId, online } = JSON.parse(payload);
            if (type === 'UPDATE_CHAT') last.set(adminId, online);
          }
          return last;
        };
        const gone = ids.filter((id) => !stays.has(id));
        await eventually('who has gone has left every chat', async () => {
          const words = await Promise.all(groups.map(lastWords));
          return words.every((last) => gone.every((id) => last.get(id) === false));
        });
        for (const groupId of groups) {
          const last = await lastWords(groupId);
          for (const id of ids) ledger.equal(last.get(id), stays.has(id), `${id} in ${groupId}`);
        }
        await Promise.all(here.map(({ second }) => second?.cut()));
        await allGone(other, 'adminId', ids.length);
      },
      { timing },
    ),
};
