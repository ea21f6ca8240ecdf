/** A case's visit to the house: its clients, who are looked at and sent home when it has ended. */
import { Client } from './client.ts';
import { check } from './expect.ts';
import type { Frame } from './frame.ts';
import type { House } from './house.ts';
import { subOf } from './tokens.ts';
import type { Transport } from './transport.ts';

export type Joined = Client & { readonly session: Frame['payload'] };

export class Visit {
  readonly house: House;
  readonly #transport: Transport;
  readonly #clients: Client[] = [];

  constructor(house: House, transport: Transport) {
    this.house = house;
    this.#transport = transport;
  }

  /** A connection that has not joined. */
  async connect(token?: string): Promise<Client> {
    const client = await Client.open(this.#transport, this.house.patience, token);
    this.#clients.push(client);
    return client;
  }

  customerJoin(more: object = {}) {
    return { type: 'CLIENT_JOIN', dealerId: this.house.dealer, user: 'customer', online: true, ...more };
  }

  adminJoin(adminId: string, more: object = {}) {
    return { type: 'ADMIN_JOIN', dealerId: this.house.dealer, adminId, user: 'admin', online: true, ...more };
  }

  serverJoin(more: object = {}) {
    return { type: 'SERVER_JOIN', dealerId: this.house.dealer, ...more };
  }

  async #join(channel: string, payload: object): Promise<Joined> {
    const client = await this.connect();
    client.send(channel, payload);
    const isAnswer = (frame: Frame) => ['session', 'error'].includes(frame.channel);
    const { channel: answer, payload: session } = await client.next(isAnswer, 'session');
    check(answer === 'session', `${channel} was refused: ${JSON.stringify(session)}`);
    return Object.assign(client, { session });
  }

  /** Joins as the customer of a group, by default a new one. */
  customer(groupId = this.house.group(), more: object = {}): Promise<Joined> {
    return this.#join('client_join', this.customerJoin({ groupId, ...more }));
  }

  /** Joins as an admin; where the run was given one token, as its admin. */
  admin(adminId?: string, more: object = {}): Promise<Joined> {
    const token = this.house.adminToken(adminId);
    return this.#join('admin_join', this.adminJoin(subOf(token) ?? '', { token, ...more }));
  }

  server(more: object = {}): Promise<Joined> {
    return this.#join('server_join', this.serverJoin({ token: this.house.serverToken(), ...more }));
  }

  /** Sends everybody home. @throws where somebody was not told each event once, in order */
  end(): void {
    for (const client of this.#clients) client.close();
    for (const client of this.#clients) client.assertInOrder();
  }

  /** Sends everybody home, whatever they were told. */
  abandon(): void {
    for (const client of this.#clients) client.close();
  }
}

/** One promise of the protocol, and how it is seen to be kept. */
export interface Case {
  /** The clause of PROTOCOL.md: `8.4`. */
  readonly clause: string;
  readonly says: string;
  /** It waits for the server's clock, for so many ms at most: it runs beside the others. */
  readonly waits?: number;
  run(visit: Visit): Promise<void>;
}
