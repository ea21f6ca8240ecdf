/** Another system's language, as the doors speak it: how its words are read, and how events are said in them. The core knows of none. */
import type { Frame } from '../../schemas/story.ts';

type Payload = Readonly<Record<string, unknown>>;

/** A frame that somebody's words stand for. */
export interface Asked {
  readonly channel: string;
  readonly payload: Payload;
  readonly id?: string | undefined;
}

/** An event of Socket.IO. */
export interface Said {
  readonly event: string;
  readonly payload: Payload | string;
}

/** The language on one socket: it may remember how that one speaks. */
export interface Tongue {
  /** @param id by which the answer is asked for. @returns frames in their order, of which the last is answered by that id */
  hear(channel: string, payload: Payload, id: string | undefined): readonly Asked[];
  /** Says a frame in the words of who speaks so. */
  tell(frame: Frame): readonly Said[];
}

/** Lists from which other services take their work. */
export type List = 'bot' | 'daemon' | 'notification';

/** A text for the channel, and for some of the lists. */
export interface Telling {
  readonly text: string;
  readonly lists: readonly List[];
}

/** Other services' side of it, over Redis. */
export interface Services {
  readonly channel: string;
  readonly lists: Readonly<Record<List, string>>;
  /** Name of everybody on the channel, as a sender. */
  readonly name: string;
  /** Tells whether a payload is what Telle has said itself. */
  isOwn(payload: Payload): boolean;
  /** Reads a payload: the ones that it stands for, each with an `id`. @param key by which a repeat is known, where it brings none */
  read(payload: Payload, key?: string): readonly Payload[];
  /** The dealer and the group that a payload names. */
  namesIn(payload: Payload): { readonly dealerId: unknown; readonly groupId: unknown };
  /** Says an event in their words. */
  tell(frame: Frame): readonly Telling[];
}

export interface Dialect {
  /** Told to each socket as soon as it is connected. */
  readonly greeting: Said;
  /** @param address where the socket comes from */
  speak(address: string | null): Tongue;
  readonly services: Services;
}
