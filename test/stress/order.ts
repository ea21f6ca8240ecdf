/** Many who speak and many who listen: one order for all, each event once [P-8.2, P-8.3]. */
import { DEALER } from '../support/server.ts';
import type { Guest } from './guest.ts';
import { type House, inHouse, onTwoNodes, range, says } from './house.ts';
import type { Ledger, Scenarios } from './scenario.ts';

const talk = (guest: Guest, count: number, word: string) =>
  Promise.all(
    range(count).map((n) =>
      guest.ask('customer_message', { type: 'UPDATE_MSG', message: `${word} ${n}` }, `${word}-${n}`),
    ),
  );

/** Checks that a scope's log is numbered without gaps, and that everybody has seen it to its end, in order. */
async function checkScope(ledger: Ledger, house: House, scope: string, length: number, guests: readonly Guest[]) {
  const log = await house.log(scope);
  ledger.equal(
    log.map(({ seq }) => seq),
    range(length).map((index) => index + 1),
    `the log of ${scope}`,
  );
  ledger.count(length * guests.length);
  for (const guest of guests) {
    await guest.sees(scope, length);
    ledger.equal(guest.faults, [], `breaks of order in ${scope}`);
  }
}

export const order: Scenarios = {
  /** Ten tabs of one customer, all of which write. */
  'multi-tab': ({ ledger }) =>
    inHouse({}, async (house) => {
      const tabs = await Promise.all(range(10).map(() => house.customer('g1')));
      await Promise.all(tabs.map((tab, n) => talk(tab, 200, `tab${n}`)));
      await checkScope(ledger, house, 'g1', 2000, tabs);
      for (const [index, tab] of tabs.entries()) {
        const messages = tab.of('CHAT_MESSAGE').map(({ message }) => String(message));
        ledger.equal(messages.length, 1800, 'what the other tabs said');
        ledger.equal(
          messages.filter((message) => message.startsWith(`tab${index} `)),
          [],
          'its own, which came as acks',
        );
        ledger.equal(
          [...tab.answers].filter(([id, { channel }]) => id.startsWith('tab') && channel === 'ack').length,
          200,
          'acks',
        );
      }
    }),

  /** Two admins answer the same customers at once: both are heard, one takes over, and everybody agrees which. */
  'two-admins-at-once': ({ ledger }) =>
    inHouse({}, async (house) => {
      const rounds = 500;
      const [one, other, witness] = await Promise.all(['a1', 'a2', 'a3'].map((id) => house.admin(id)));
      if (!one || !other || !witness) throw new Error('no admins');
      await house.post(range(rounds).map((n) => says(`g${n}`, 'Anybody here?')));
      const answers = await Promise.all(
        range(rounds).flatMap((n) =>
          [one, other].map((admin) =>
            admin.ask('admin_message', { type: 'UPDATE_MSG', groupId: `g${n}`, message: 'I am' }, `answer-${n}`),
          ),
        ),
      );
      ledger.equal(answers.filter(({ channel }) => channel === 'ack').length, 2 * rounds, 'both answers acked');
      for (const n of range(rounds)) {
        const log = await house.log(`g${n}`);
        const types = log.map(({ type }) => type);
        ledger.equal(types, ['CHAT_MSG', 'MUTE_STATUS', 'CHAT_MSG', 'CHAT_MSG'], `the log of g${n}`);
        const [, mute, first] = log.map(({ payload }) => JSON.parse(payload));
        ledger.equal(mute?.adminId, first?.adminId, 'who muted is who answered first');
        for (const admin of [one, other, witness]) await admin.sees(`g${n}`, 4);
      }
      for (const admin of [one, other, witness]) ledger.equal(admin.faults, [], 'breaks of order');
      ledger.equal(witness.of('MUTE_STATE').length, rounds, 'takeovers told to the witness');
    }),

  /** 100 sockets write into one group as fast as they can. */
  'hundred-in-one-group': ({ ledger }) =>
    inHouse({}, async (house) => {
      const guests = await Promise.all(range(100).map(() => house.customer('g1')));
      const acks = (await Promise.all(guests.map((guest, n) => talk(guest, 10, `c${n}`)))).flat();
      ledger.equal(new Set(acks.map(({ seq }) => seq)).size, 1000, 'seqs that were acked');
      await checkScope(ledger, house, 'g1', 1000, guests);
    }),

  /** Every receiver of an event gets the same bytes, whatever its role. */
  'same-bytes': ({ ledger }) =>
    inHouse({}, async (house) => {
      const guests = await Promise.all([
        ...range(100).map(() => house.customer('g1')),
        ...range(50).map((n) => house.admin(`a${n}`)),
        ...range(20).map((n) => house.bot(`s${n}`)),
      ]);
      await house.post(range(100).map((n) => says('g1', `\u{1F697} ${'é'.repeat(n)} \u2028 ${n}`)));
      const texts = new Map<number, Set<string>>(range(100).map((n) => [n + 1, new Set()]));
      for (const guest of guests) {
        await guest.sees('g1', 100);
        guest.frames.forEach(({ scope, seq }, index) => {
          if (scope === 'g1' && seq !== undefined) texts.get(seq)?.add(guest.texts[index] ?? '');
        });
        ledger.count(100);
      }
      for (const [seq, variants] of texts) ledger.equal(variants.size, 1, `variants of ${seq}`);
    }),

  /** Announcements to a thousand customers: each hears each once, in order. */
  'announcement-to-a-thousand': ({ ledger }) =>
    inHouse({}, async (house) => {
      const guests = await Promise.all(range(1000).map((n) => house.customer(`g${n}`)));
      const admin = await house.admin();
      const payload = (n: number) => ({ type: 'SYS_MSG', message: `We close at ${n}` });
      await Promise.all(range(10).map((n) => admin.ask('sys_message', payload(n))));
      for (const guest of guests) {
        await guest.sees('@dealer', 10);
        ledger.equal(guest.of('SYS_MESSAGE').length, 10, 'announcements');
        ledger.equal(guest.faults, [], 'breaks of order');
      }
      await checkScope(ledger, house, '@dealer', 10, [admin]);
    }),

  /** Both nodes write into the same groups; everybody on both sees one order. */
  'order-over-two-nodes': (stage) =>
    onTwoNodes(stage, async (one, other) => {
      const { ledger } = stage;
      const groups = range(10).map((n) => `g${n}`);
      const guests = await Promise.all(
        groups.flatMap((groupId) =>
          [one, other].map(async (house) => ({ groupId, guest: await house.customer(groupId) })),
        ),
      );
      const admins = await Promise.all([one.admin('a1'), other.admin('a2')]);
      await Promise.all(guests.map(({ guest }, n) => talk(guest, 60, `c${n}`)));
      for (const groupId of groups) {
        const here = guests.filter((each) => each.groupId === groupId).map(({ guest }) => guest);
        await checkScope(ledger, one, groupId, 120, [...here, ...admins]);
      }
      const orders = admins.map(({ frames }) =>
        groups.map((groupId) => frames.flatMap((frame) => (frame.scope === groupId ? [frame.id] : []))),
      );
      ledger.equal(orders[0], orders[1], 'the order that both admins saw');
    }),

  /** Everything at once, by chance, on one server: no order breaks and nothing is answered with a fault. */
  chaos: ({ ledger, dice }) =>
    inHouse({}, async (house) => {
      const groups = range(20).map((n) => `g${n}`);
      await house.post(groups.map((groupId) => says(groupId, 'Hello')));
      const admins = await Promise.all(range(5).map((n) => house.admin(`a${n}`)));
      const customers = await Promise.all(groups.map((groupId) => house.customer(groupId)));
      const asked: Promise<unknown>[] = [];
      const codes: string[] = [];
      const ask = (guest: Guest, channel: string, payload: object) =>
        asked.push(guest.ask(channel, payload).then(({ channel: kind, code }) => codes.push(code ?? kind)));
      for (let n = 0; n < 4000; n += 1) {
        const groupId = dice.pick(groups);
        const [admin, customer] = [dice.pick(admins), customers[groups.indexOf(groupId)]];
        if (!customer) continue;
        const acts: (() => void)[] = [
          () => ask(customer, 'customer_message', { type: 'UPDATE_MSG', message: `c ${n}` }),
          () => ask(admin, 'admin_message', { type: 'UPDATE_MSG', groupId, message: `a ${n}` }),
          () => ask(admin, 'mute_bot', { type: dice.once(2) ? 'MUTE_BOT' : 'UNMUTE_BOT', groupId }),
          () => ask(customer, 'typing', { type: 'TYPING', groupId, typing: dice.once(2) }),
          () => ask(admin, 'chat_state', { type: 'UPDATE_CHAT', groupId, online: dice.once(2) }),
          () => ask(customer, 'customer_update', { type: 'UPDATE_LEAD', message: { status: `s${n}` } }),
          () => ask(customer, 'close_chat', { type: 'CLOSE_CHAT' }),
          () => ask(customer, 'read', { type: 'READ', groupId, seq: 1 }),
        ];
        dice.pick(acts)();
      }
      await Promise.all(asked);
      ledger.count(asked.length);
      ledger.equal([...new Set(codes)], ['ack'], 'what everything was answered with');
      for (const groupId of groups) {
        const { length } = await house.log(groupId);
        await checkScope(ledger, house, groupId, length, admins);
      }
      ledger.equal(
        customers.flatMap(({ faults }) => faults),
        [],
        'breaks of order',
      );
      const desk = await house.server.store.tails(DEALER, ['@desk']);
      for (const admin of admins) await admin.sees('@desk', desk.get('@desk') ?? 0);
    }),
};
