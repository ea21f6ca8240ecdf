/** All conversations of a node, whatever doors they come by: they share its turns and its bounds. */
import { setTimeout as pause } from 'node:timers/promises';
import { CLOSE } from '../../schemas/errors.ts';
import type { Entrance } from './admission.ts';
import { Arrivals } from './arrivals.ts';
import { Conversation, type Shared } from './conversation.ts';
import { Deadlines } from './deadlines.ts';
import { Expiries } from './expiries.ts';
import { Guard } from './guard.ts';
import type { House } from './house.ts';
import type { Socket } from './socket.ts';

export class Conversations {
  readonly guard: Guard;
  readonly #shared: Shared;
  readonly #house: House;
  readonly #all = new Set<Conversation>();

  constructor(house: House) {
    const { settings, timing } = house;
    this.guard = new Guard(settings);
    this.#house = house;
    this.#shared = {
      house,
      arrivals: new Arrivals(),
      joins: new Deadlines(settings.JOIN_TIMEOUT * 1000, (conversation) => conversation.mustHaveJoined()),
      expiries: new Expiries(timing.pingInterval),
      ended: (conversation) => this.#all.delete(conversation),
    };
  }

  /** Begins one over a socket that has just been opened. @returns null where the node is full, and the socket closed */
  begin(socket: Socket, entrance: Entrance): Conversation | null {
    const { settings, room } = this.#house;
    if (this.#all.size >= settings.MAX_CONNECTIONS || room.isFull()) {
      socket.close(CLOSE.full, 'this node is full');
      return null;
    }
    const conversation = new Conversation(this.#shared, socket, entrance);
    this.#all.add(conversation);
    return conversation;
  }

  /** Bytes that were sent and have not left this process, of all sockets. */
  get unsent(): number {
    let bytes = 0;
    for (const { unsent } of this.#all) bytes += unsent;
    return bytes;
  }

  /** [P-9] Has everybody who is here go elsewhere, one after the other. Resolves when the last has been told. */
  async sendAway(): Promise<void> {
    const { drainSpread, returnWithin } = this.#house.timing;
    const all = [...this.#all];
    const began = performance.now();
    for (const [index, conversation] of all.entries()) {
      const early = began + (drainSpread * index) / all.length - performance.now();
      if (early >= 1) await pause(early);
      conversation.depart(comeBack(returnWithin));
    }
  }
}

/** [P-9] Reason of a close with 1012, which tells each another time: thousands who come back at once would wait for each other. */
export const comeBack = (within: number): string =>
  `service restart, come back in ${Math.floor(Math.random() * within)} ms`;
