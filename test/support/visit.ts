/** Conversations over sockets through memory: whoever visits a house says what it likes, and hears what it is told. */
import assert from 'node:assert/strict';
import { secondsFromNow } from '../../src/auth/tokens.ts';
import type { Conversation } from '../../src/conversation/conversation.ts';
import { Conversations } from '../../src/conversation/conversations.ts';
import type { House } from '../../src/conversation/house.ts';
import type { Frame } from './frame.ts';
import { withHouse } from './house.ts';
import { adminJoin, clientJoin } from './joins.ts';
import { MemorySocket } from './memory-socket.ts';
import { DEALER } from './server.ts';
import { until } from './until.ts';

const ADDRESS = '203.0.113.7';

/** Somebody at the other end of a socket through memory. */
export class Guest {
  readonly socket = new MemorySocket();
  readonly #conversation: Conversation | null;
  #hasLeft = false;

  constructor(conversations: Conversations) {
    const visitor = conversations.guard.visitor(ADDRESS);
    const entrance = {
      cause: { connection: 'c1' },
      origin: undefined,
      bearer: undefined,
      address: ADDRESS,
      route: '/memory',
      visitor,
    };
    this.#conversation = conversations.begin(this.socket, entrance);
  }

  say(channel: string, payload: object, id?: string): void {
    this.#conversation?.hear(JSON.stringify({ channel, payload, id }));
  }

  control(): void {
    this.#conversation?.hearControl();
  }

  depart(): void {
    this.#conversation?.depart('service restart');
  }

  /** What was said to it on a channel. */
  heard(channel: string): Frame['payload'][] {
    return this.socket.frames.filter((frame) => frame.channel === channel).map(({ payload }) => payload);
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.socket.isOpen = false;
    this.#conversation?.end(1001);
  }

  /** The first frame of a channel, as soon as there is one. */
  async hears(channel: string, ofId?: string): Promise<Frame> {
    const find = () =>
      this.socket.frames.find((frame) => frame.channel === channel && (!ofId || frame.payload.id === ofId));
    await until(`a frame on ${channel}`, async () => find() !== undefined);
    const frame = find();
    assert.ok(frame);
    return frame;
  }

  async isClosed(): Promise<number> {
    await until('the close', async () => this.socket.closedWith !== null);
    return this.socket.closedWith ?? 0;
  }
}

/** A house, and whoever comes into it: they leave at its end. */
export class Visit {
  readonly house: House;
  readonly #conversations: Conversations;
  readonly #guests: Guest[] = [];

  constructor(house: House) {
    this.house = house;
    this.#conversations = new Conversations(house);
  }

  guest(): Guest {
    const guest = new Guest(this.#conversations);
    this.#guests.push(guest);
    return guest;
  }

  /** All who are here are sent elsewhere. */
  sendAway(): Promise<void> {
    return this.#conversations.sendAway();
  }

  /** An admin's join. @param ttl how long its token holds, in s */
  adminJoin(ttl = 3600): object {
    return adminJoin({ token: this.token(ttl) });
  }

  token(ttl = 3600): string {
    return this.house.tokens.sign({ role: 'admin', dealer: DEALER, sub: 'a1', exp: secondsFromNow(ttl) });
  }

  /** A customer and an admin who have joined. */
  async two(): Promise<{ customer: Guest; admin: Guest }> {
    const [customer, admin] = [this.guest(), this.guest()];
    admin.say('admin_join', this.adminJoin());
    customer.say('client_join', clientJoin({ groupId: 'g1' }), 'j1');
    await Promise.all([admin.hears('session'), customer.hears('ack', 'j1')]);
    return { customer, admin };
  }

  end(): void {
    for (const guest of this.#guests) guest.leave();
  }
}

export const visiting = (options: Parameters<typeof withHouse>[0], use: (visit: Visit) => Promise<void>) => () =>
  withHouse(options, async (house) => {
    const visit = new Visit(house);
    try {
      await use(visit);
    } finally {
      visit.end();
    }
  });

export const said = (message: string) => ({ type: 'UPDATE_MSG', message });
