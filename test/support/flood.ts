/**
 * Customers who talk as fast as they are acked, in a process of their own, so that they outlive a server that is killed.
 * What is not acked when a socket breaks is sent again, under the same ids, by the next socket of that customer.
 */
import { WebSocket } from 'ws';

/** What the parent asks for: a round on one server. */
export interface Round {
  readonly url: string;
  readonly dealerId: string;
  /** A customer's group and its token. */
  readonly customers: readonly { readonly groupId: string; readonly token: string }[];
  /** How many frames each customer sends before it waits for an ack. */
  readonly window: number;
  /** Says `reached` after so many acks; 0: sends nothing new, and ends when everything is acked. */
  readonly acks: number;
}

/** A frame that a customer sent, and what its ack said. */
export interface Sent {
  readonly id: string;
  readonly groupId: string;
  readonly text: string;
  ack: { readonly scope: string; readonly seq: number } | null;
}

/** What the parent is told: that enough was acked, and at the end of a round everything sent so far. */
export type Told = 'reached' | { readonly sent: readonly Sent[]; readonly errors: readonly string[] };

const sent = new Map<string, Sent>();
const errors: string[] = [];
let acks = 0;

const tell = (message: Told) => process.send?.(message);

/** One customer's socket for one round. Every fifth frame is a page view, the others are messages. */
async function talk(round: Round, { groupId, token }: Round['customers'][number]): Promise<void> {
  const { url, dealerId, window } = round;
  const mine = () => [...sent.values()].filter((frame) => frame.groupId === groupId);
  const unacked = new Map(mine().flatMap((frame) => (frame.ack ? [] : [[frame.id, frame]])));
  let count = mine().length;
  const socket = new WebSocket(url);
  const put = (channel: string, payload: object, id?: string) => socket.send(JSON.stringify({ channel, payload, id }));
  const say = ({ id, text }: Sent) =>
    text.startsWith('https:')
      ? put('customer_update', { type: 'UPDATE_PAGEVIEW', message: { url: text } }, id)
      : put('customer_message', { type: 'UPDATE_MSG', message: text }, id);
  const sayMore = () => {
    while (round.acks > 0 && unacked.size < window) {
      count += 1;
      const id = `${groupId}-${count}`;
      const frame: Sent = { id, groupId, text: count % 5 === 0 ? `https://x.example/${id}` : `says ${id}`, ack: null };
      sent.set(id, frame);
      unacked.set(id, frame);
      say(frame);
    }
    if (unacked.size === 0) socket.close();
  };
  socket.on('error', () => {}); // the server was killed
  socket.on('open', () => put('client_join', { type: 'CLIENT_JOIN', dealerId, groupId, token }));
  socket.on('message', (data) => {
    const { channel, payload } = JSON.parse(data.toString());
    if (channel === 'session') for (const frame of unacked.values()) say(frame);
    if (channel === 'error') errors.push(JSON.stringify(payload));
    const frame = channel === 'ack' ? unacked.get(payload.id) : undefined;
    if (frame) {
      frame.ack = { scope: payload.scope, seq: payload.seq };
      unacked.delete(frame.id);
      acks += 1;
      if (acks === round.acks) tell('reached');
    }
    if (channel === 'session' || channel === 'ack') sayMore();
  });
  // `once` would reject: a connection that is reset has an error first.
  await new Promise((resolve) => socket.on('close', resolve));
}

process.on('message', async (round: Round) => {
  acks = 0;
  await Promise.all(round.customers.map((customer) => talk(round, customer)));
  tell({ sent: [...sent.values()], errors });
});
process.on('disconnect', () => process.exit());
