/** Somebody who has joined, and tries what is not allowed: again and again, over a real socket. */
import type { Role } from '../../schemas/kinds.ts';
import type { Claims } from '../../schemas/tokens.ts';
import type { Client } from './client.ts';
import { genuine } from './forge.ts';
import type { Frame } from './frame.ts';
import type { TestServer } from './server.ts';

export type Party = Claims;

/** The fields by which a payload says who speaks, and of what. */
export const IDENTITY_FIELDS = ['dealerId', 'groupId', 'adminId', 'user'] as const;
export type IdentityField = (typeof IDENTITY_FIELDS)[number];

const JOIN_OF = {
  customer: { channel: 'client_join', type: 'CLIENT_JOIN' },
  admin: { channel: 'admin_join', type: 'ADMIN_JOIN' },
  server: { channel: 'server_join', type: 'SERVER_JOIN' },
} as const satisfies Record<Role, { channel: string; type: string }>;

/** The channel and the payload by which a party joins, with any token. */
export function joinOf({ role, dealer, sub }: Party, token: string | undefined, more: object = {}) {
  const { channel, type } = JOIN_OF[role];
  const own = { customer: { groupId: sub, user: role }, admin: { adminId: sub, user: role }, server: {} }[role];
  return { channel, payload: { type, dealerId: dealer, ...own, ...(token !== undefined && { token }), ...more } };
}

/** What an answer says, but for what is different each time. */
export type Answer = Readonly<Record<string, unknown>> & { readonly channel: string; readonly code?: string };

/** An `ack` or `error` as an answer. */
function answerOf({ channel, payload }: Frame): Answer {
  const { id: _, seq: __, at: ___, scope: ____, ...rest } = payload;
  return { channel, ...rest };
}

/** [P-9] What counts towards 4400: with the twentieth the socket would be closed. */
const BAD: ReadonlySet<unknown> = new Set(['bad_frame', 'unknown_channel', 'invalid_payload']);
const MAX_BAD = 18;

let ids = 0;

/** One socket, which is made anew before it has sent so much that it would be closed. */
export class Attacker {
  readonly party: Party;
  readonly #server: TestServer;
  readonly #at: string;
  #client: Client | undefined;
  #bad = 0;

  constructor(server: TestServer, at: string, party: Party) {
    this.#server = server;
    this.#at = at;
    this.party = party;
  }

  /** The socket that it has now, joined. */
  async joined(): Promise<Client> {
    if (this.#client && this.#bad < MAX_BAD) return this.#client;
    await this.#client?.close();
    const client = await this.#server.dial(this.#at);
    const { channel, payload } = joinOf(this.party, genuine(this.party));
    const { code } = await client.ask(channel, payload);
    if (code !== undefined) throw new Error(`${this.party.role} may not join: ${code}`);
    this.#client = client;
    this.#bad = 0;
    return client;
  }

  ask(channel: string, payload: unknown, more: object = {}): Promise<Answer> {
    const id = this.#newId();
    return this.askText(JSON.stringify({ channel, payload, id, ...more }), id);
  }

  /** Sends text as it is: it must hold this `id`. */
  async askText(text: string, id: string): Promise<Answer> {
    const client = await this.joined();
    client.socket.send(text);
    const frame = await client.next(({ channel, payload }) => {
      return (channel === 'ack' || channel === 'error') && payload.id === id;
    });
    if (BAD.has(frame.payload.code)) this.#bad += 1;
    return answerOf(frame);
  }

  /** Sends many frames at once, and answers with the frame that answers each: an `ack` or an `error`. */
  async askAll(sends: readonly { channel: string; payload: unknown }[]): Promise<{ id: string; answer: Answer }[]> {
    const client = await this.joined();
    const ids = sends.map(() => this.#newId());
    sends.forEach(({ channel, payload }, index) => {
      client.socket.send(JSON.stringify({ channel, payload, id: ids[index] }));
    });
    const answers: { id: string; answer: Answer }[] = [];
    for (const id of ids) {
      const isIt = ({ channel, payload }: Frame) => (channel === 'ack' || channel === 'error') && payload.id === id;
      answers.push({ id, answer: answerOf(client.frames.find(isIt) ?? (await client.next(isIt))) });
    }
    return answers;
  }

  /** Sends a payload that is JSON text, as no serializer would write it. */
  askRaw(channel: string, payload: string): Promise<Answer> {
    const id = this.#newId();
    return this.askText(`{"channel":"${channel}","payload":${payload},"id":"${id}"}`, id);
  }

  #newId(): string {
    ids += 1;
    return `attack-${ids}`;
  }
}
