/** What customers, agents and servers may do with sockets. */
import type { WebSocket } from 'ws';
import { type Act, asCustomer, atFullRate, enter, enterAll, frame, letGo, open, range, sleep } from './means.ts';

/** The longest message, in bytes too [P-2.5]. */
const LONGEST = '\u{1F697}'.repeat(4000);
/** As many sockets of a group as may be. */
const OF_A_GROUP = 20;
/** How long sockets that read again may take to say that they were closed, in ms. */
const TO_CLOSE = 1000;

const says = (message: string, id?: string) => frame('customer_message', { type: 'UPDATE_MSG', message }, id);

/** Joins, asks for a whole log, and reads nothing of it; unasked pongs say that it lives. */
export const silentRecovery: Act = async (means, tally) => {
  const sockets: WebSocket[] = [];
  const come = async ({ groupId, token }: (typeof means.customers)[number]) => {
    const socket = await open(means, tally);
    if (!socket) return;
    socket.pause();
    sockets.push(socket);
    socket.send(asCustomer(means, { groupId, token, since: { [groupId]: 0 } }));
  };
  await Promise.all(means.customers.flatMap((customer) => range(OF_A_GROUP).map(() => come(customer))));
  await atFullRate(means.time, () => {
    for (const socket of sockets) socket.pong();
  });
  for (const socket of sockets) socket.resume();
  await sleep(TO_CLOSE);
  letGo(sockets, tally);
};

/** Each customer changes one field of its record, over and over. */
export const tinyUpdates: Act = async (means, tally) => {
  const sockets = await enterAll(
    means,
    tally,
    means.customers.map((customer) => asCustomer(means, customer)),
  );
  await atFullRate(means.time, (n) => {
    const update = frame('customer_update', { type: 'UPDATE_LEAD', message: { a: n % 10 } }, `u${n}`);
    for (const socket of sockets) socket.send(update);
  });
  letGo(sockets, tally);
};

/** Fifty strangers write what is longest. */
export const writing: Act = async (means, tally) => {
  const strangers = range(50).map(() => asCustomer(means, {}));
  const sockets = await enterAll(means, tally, strangers);
  await atFullRate(means.time, (n) => {
    for (const socket of sockets) socket.send(says(LONGEST, `m${n}`));
  });
  letGo(sockets, tally);
};

/** What the sockets of a group say in turn. */
const TALK = [
  says('Hello'),
  frame('typing', { type: 'TYPING', typing: true }),
  frame('read', { type: 'READ', seq: 1 }),
  frame('typing', { type: 'TYPING', typing: false }),
];

/** Comes to one group as often as it can, and talks with all that it has. */
export const oneGroup: Act = async (means, tally) => {
  const [customer = {}] = means.customers;
  const joins = range(5 * OF_A_GROUP).map(() => asCustomer(means, customer));
  const sockets = await enterAll(means, tally, joins);
  await atFullRate(means.time, (n) => {
    const text = TALK[n % TALK.length] ?? '';
    tally.count('sent', text.length * sockets.length);
    for (const socket of sockets) socket.send(text);
  });
  letGo(sockets, tally);
};

/** What an agent says in turn: what changes something, and what goes to everybody of the dealer. */
const deskTalk = (groupId: string): readonly string[] => [
  frame('admin_message', { type: 'UPDATE_MSG', groupId, message: LONGEST }),
  frame('mute_bot', { type: 'UNMUTE_BOT', groupId }),
  frame('sys_message', { type: 'SYS_MSG', message: LONGEST }),
  frame('chat_state', { type: 'UPDATE_CHAT', groupId, online: true }),
  frame('admin_update', { type: 'UPDATE_LEAD', groupId, message: { comments: LONGEST.slice(0, 3000) } }),
  frame('chat_state', { type: 'UPDATE_CHAT', groupId, online: false }),
];

/** An agent works without a pause. */
export const deskFrames: Act = async (means, tally) => {
  const { dealerId, agent: token } = means;
  const join = frame('admin_join', { type: 'ADMIN_JOIN', dealerId, adminId: 'agent', token });
  const socket = await enter(means, tally, join);
  const talk = deskTalk(means.customers[0]?.groupId ?? '');
  await atFullRate(means.time, (n) => socket?.send(talk[n % talk.length] ?? ''));
  if (socket) letGo([socket], tally);
};

/** Bytes that a server hands to its socket before it waits for them to leave; and frames in all. */
const WINDOW = 256 * 1024;
const MOST_FRAMES = 100_000;

/** A server sends as fast as its socket takes it: it is exempt from the rate [P-9]. */
export const serverFrames: Act = async (means, tally) => {
  const { dealerId, server: token } = means;
  const socket = await enter(means, tally, frame('server_join', { type: 'SERVER_JOIN', dealerId, token }));
  if (!socket) return;
  const until = performance.now() + means.time;
  for (let n = 0; n < MOST_FRAMES && performance.now() < until; await sleep(0)) {
    for (; socket.bufferedAmount < WINDOW && n < MOST_FRAMES; n += 1) {
      const message = n % 10 === 0 ? LONGEST : 'Hello';
      socket.send(frame('event', { type: 'UPDATE_MSG', groupId: `s${n % 50}`, user: 'bot', message }, `s${n}`));
    }
  }
  letGo([socket], tally);
};

/** Claims the name of a group that there is, again and again: each is refused. */
export const takenNames: Act = async (means, tally) => {
  const groupId = means.customers[0]?.groupId;
  for (const _ of range(15)) {
    const joins = range(10).map(() => asCustomer(means, { groupId }));
    letGo(await enterAll(means, tally, joins), tally);
  }
};

/** In turn: says nothing, brings a token that is none, claims a group and stays, claims a group and goes. */
const MANNERS: readonly Act[] = [
  async (means, tally) => {
    const socket = await open(means, tally);
    await sleep(means.time);
    if (socket) letGo([socket], tally);
  },
  async (means, tally) => {
    await enter(means, tally, asCustomer(means, { groupId: 'g', token: 'x'.repeat(5000) }));
  },
  async (means, tally) => {
    const socket = await enter(means, tally, asCustomer(means, {}));
    await sleep(means.time);
    if (socket) letGo([socket], tally);
  },
  async (means, tally) => {
    const socket = await enter(means, tally, asCustomer(means, {}));
    socket?.terminate();
  },
];
/** How many sockets it asks for in a second. */
const KNOCKS = 300;

/** Uses up all handshakes, claims, refusals and connections that an address has. */
export const everything: Act = async (means, tally) => {
  const from = performance.now();
  const under: Promise<void>[] = [];
  for (let left = means.time; left > 0; left = means.time - (performance.now() - from)) {
    const due = ((performance.now() - from) / 1000) * KNOCKS;
    while (under.length < due) {
      const manner = MANNERS[under.length % MANNERS.length];
      if (manner) under.push(manner({ ...means, time: left }, tally));
    }
    await sleep(10);
  }
  await Promise.all(under);
};
