/** All conversations of a node, whatever doors they come by: they share its turns and its bounds. */
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
  #count = 0;

  constructor(house: House) {
    const { settings, timing } = house;
    this.guard = new Guard(settings);
    this.#house = house;
    this.#shared = {
      house,
      arrivals: new Arrivals(),
      joins: new Deadlines(settings.JOIN_TIMEOUT * 1000, (conversation) => conversation.mustHaveJoined()),
      expiries: new Expiries(timing.pingInterval),
      ended: () => {
        this.#count -= 1;
      },
    };
  }

  /** Begins one over a socket that has just been opened. @returns null where the node is full, and the socket closed */
  begin(socket: Socket, entrance: Entrance): Conversation | null {
    const { settings, room } = this.#house;
    if (this.#count >= settings.MAX_CONNECTIONS || room.isFull()) {
      socket.close(CLOSE.full, 'this node is full');
      return null;
    }
    this.#count += 1;
    return new Conversation(this.#shared, socket, entrance);
  }
}
