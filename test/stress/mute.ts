/** Once a mute has committed, no bot message is delivered until an unmute has [P-7.3], whoever is first and by which door. */
import { Outside } from '../support/outside.ts';
import type { Guest } from './guest.ts';
import { eventually, type House, inHouse, onTwoNodes, range, says } from './house.ts';
import type { Ledger, Scenarios, Stage } from './scenario.ts';

/** What a bot said, and how it was answered: `ack`, or the error's code; null: its door does not answer. */
interface Said {
  readonly id: string;
  readonly groupId: string;
  readonly answer: string | null;
}

interface Message {
  readonly type: string;
  readonly user?: string;
  readonly muted?: boolean;
}

const botSays = (groupId: string, id: string) => says(groupId, `beep ${id}`, { user: 'bot', id });

/** How many of the bot's messages stand behind a mute, with no unmute between. */
function lateBotMessages(messages: readonly Message[]): number {
  let muted = false;
  let late = 0;
  for (const { type, user, muted: state } of messages) {
    if (type === 'MUTE_STATUS') muted = state === true;
    if (type === 'CHAT_MSG' && user === 'bot' && muted) late += 1;
  }
  return late;
}

/** The payloads that a guest was sent, by scope. */
function seenBy({ frames }: Guest): Map<string, Message[]> {
  const scopes = new Map<string, Message[]>();
  for (const { scope = '', payload } of frames) {
    const seen = scopes.get(scope) ?? [];
    seen.push(payload);
    scopes.set(scope, seen);
  }
  return scopes;
}

/**
 * Checks the logs, what a witness saw, and that each of the bot's messages is stored just where it was acked.
 * @returns how many of them are stored
 */
async function checkSilence(ledger: Ledger, house: House, said: readonly Said[], witness: Guest): Promise<number> {
  const stored = new Set<string>();
  for (const groupId of new Set(said.map((each) => each.groupId))) {
    const log = await house.log(groupId);
    const payloads = log.map(({ payload }): Message => JSON.parse(payload));
    ledger.equal(lateBotMessages(payloads), 0, `bot messages behind a mute in the log of ${groupId}`);
    for (const [index, { id }] of log.entries()) if (payloads[index]?.user === 'bot') stored.add(id);
    await witness.sees(groupId, log.at(-1)?.seq ?? 0);
  }
  for (const [scope, seen] of seenBy(witness)) {
    ledger.equal(lateBotMessages(seen), 0, `bot messages behind a mute that were delivered in ${scope}`);
  }
  for (const { id, answer } of said) {
    if (answer !== null) ledger.equal(stored.has(id), answer === 'ack', `${id}, answered ${answer}, is stored`);
  }
  ledger.equal(witness.faults, [], 'breaks of order');
  return stored.size;
}

/** A human takes over while the bot answers over two doors, in an order by chance; again and again. */
async function race({ ledger, dice }: Stage, [one, other]: readonly [House, House], rounds: number): Promise<void> {
  const [admin, witness, bot] = await Promise.all([one.admin('a1'), other.admin('a2'), other.bot()]);
  const said: Said[] = [];
  const note = (groupId: string, id: string, answer: string) => said.push({ groupId, id, answer });
  const round = async (groupId: string) => {
    const overSocket = (id: string) => async () => {
      const { channel, code } = await bot.ask('event', botSays(groupId, id), id);
      note(groupId, id, code ?? channel);
    };
    const overHttp = async () => {
      const names = [`${groupId}-h0`, `${groupId}-h1`];
      const results = await one.post(
        names.map((id) => botSays(groupId, id)),
        'bot-over-http',
      );
      for (const [index, id] of names.entries()) note(groupId, id, results[index]?.error?.code ?? 'ack');
    };
    const takeOver = () => admin.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'It is me now' });
    const mute = () => admin.ask('mute_bot', { type: 'MUTE_BOT', groupId });
    const acts = dice.shuffled<() => Promise<unknown>>([
      dice.once(2) ? takeOver : mute,
      ...range(3).map((n) => overSocket(`${groupId}-s${n}`)),
      overHttp,
    ]);
    const under = [];
    for (const act of acts) {
      under.push(act());
      // Sometimes in the same batch, sometimes in the next.
      for (let turns = dice.below(4); turns > 0; turns -= 1) await new Promise(setImmediate);
    }
    await Promise.all(under);
  };
  const left = range(rounds).map((n) => `g${n}`);
  await one.post(left.map((groupId) => says(groupId, 'Hello?')));
  await Promise.all(
    range(40).map(async () => {
      for (let groupId = left.pop(); groupId !== undefined; groupId = left.pop()) await round(groupId);
    }),
  );
  await checkSilence(ledger, one, said, witness);
  const codes = [...new Set(said.map(({ answer }) => answer))].sort();
  ledger.equal(codes, ['ack', 'bot_muted'], 'how the bot was answered');
}

export const mute: Scenarios = {
  'mute-race-sqlite': (stage) => inHouse({}, (house) => race(stage, [house, house], 600)),

  'mute-race-postgres': (stage) => onTwoNodes(stage, (one, other) => race(stage, [one, other], 150)),

  /** The bot speaks over Redis, by the stream and by the channel; what comes too late becomes a dead letter. */
  'mute-race-over-redis': (stage) =>
    onTwoNodes(stage, async (one, other, prefix) => {
      const { ledger, dice, redis } = stage;
      const outside = new Outside(redis, prefix);
      try {
        await outside.nodesListen(2);
        const [admin, witness] = await Promise.all([one.admin('a1'), other.admin('a2')]);
        const groups = range(150).map((n) => `g${n}`);
        await one.post(groups.map((groupId) => says(groupId, 'Hello?')));
        const said = groups.flatMap((groupId) =>
          range(4).map((n): Said => ({ groupId, id: `${groupId}-${n}`, answer: null })),
        );
        await Promise.all([
          ...dice.shuffled(said).map(({ groupId, id }, index) => {
            const event = botSays(groupId, id);
            return index % 2 === 0 ? outside.add(event) : outside.publish(event);
          }),
          ...dice
            .shuffled(groups)
            .map((groupId) => admin.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'It is me' })),
        ]);
        const letters = () => one.server.store.deadLetters('', { limit: 10_000 });
        const stored = async () => {
          const logs = await Promise.all(groups.map((groupId) => one.log(groupId)));
          return logs.flat().filter(({ payload }) => JSON.parse(payload).user === 'bot').length;
        };
        await eventually(
          'all are stored or refused',
          async () => (await letters()).length + (await stored()) >= said.length,
        );
        const count = await checkSilence(ledger, one, said, witness);
        const refused = await letters();
        ledger.equal(count + refused.length, said.length, 'stored, and kept as dead letters');
        ledger.equal([...new Set(refused.map(({ code }) => code))], ['bot_muted'], 'why they were refused');
      } finally {
        outside.close();
      }
    }),

  /** Muted, unmuted, muted: the bot is heard between an unmute and a mute, and never between a mute and an unmute. */
  'mute-flapping': (stage) =>
    inHouse({}, async (house) => {
      const { ledger } = stage;
      const [admin, witness, bot] = await Promise.all([house.admin('a1'), house.admin('a2'), house.bot()]);
      const groups = range(20).map((n) => `g${n}`);
      await house.post(groups.map((groupId) => says(groupId, 'Hello?')));
      const said: Said[] = [];
      const speak = async (groupId: string) => {
        for (const n of range(40)) {
          const id = `${groupId}-${n}`;
          const { channel, code } = await bot.ask('event', botSays(groupId, id), id);
          said.push({ groupId, id, answer: code ?? channel });
        }
      };
      const flap = async (groupId: string) => {
        for (const n of range(40)) await admin.ask('mute_bot', { type: n % 2 ? 'UNMUTE_BOT' : 'MUTE_BOT', groupId });
      };
      await Promise.all(groups.flatMap((groupId) => [speak(groupId), flap(groupId)]));
      await checkSilence(ledger, house, said, witness);
    }),

  /** The chat is closed while the bot answers: nothing of the bot's stands behind the closing [P-7.4]. */
  'closing-while-the-bot-answers': ({ ledger }) =>
    inHouse({}, async (house) => {
      const bot = await house.bot();
      const round = async (groupId: string) => {
        const customer = await house.customer(groupId);
        await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'Hello' });
        const answers = await Promise.all([
          ...range(3).map((n) => bot.ask('event', botSays(groupId, `${groupId}-${n}`), `${groupId}-${n}`)),
          customer.ask('close_chat', { type: 'CLOSE_CHAT' }),
          ...range(3, 3).map((n) => bot.ask('event', botSays(groupId, `${groupId}-${n}`), `${groupId}-${n}`)),
        ]);
        const log = await house.log(groupId);
        const closedAt = log.findIndex(({ type }) => type === 'CLOSE_CHAT');
        ledger.equal(log.length, 1 + answers.filter(({ channel }) => channel === 'ack').length, 'stored and acked');
        ledger.equal(
          log.slice(closedAt + 1).map(({ type }) => type),
          [],
          'behind the closing',
        );
        const late = answers.filter(({ channel }) => channel === 'error').map(({ code }) => code);
        ledger.equal(new Set([...late, 'group_closed']).size, 1, 'how the late ones were refused');
        const again = await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'One more thing' });
        ledger.equal(again.seq, log.length + 1, 'the customer opens it again, unmuted');
      };
      await Promise.all(range(100).map((n) => round(`g${n}`)));
    }),
};
