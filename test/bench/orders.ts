/** What the generator is told, and what it answers. */
import type { DialectName } from './dialect.ts';

/** Who is there: so many dealers, each with so many customers in a group each, and an admin or none. */
export interface Crew {
  /** Where they connect: customers and admins are spread over them in turns. */
  readonly ports: readonly number[];
  readonly dealers: number;
  readonly groups: number;
  readonly admins: boolean;
}

export interface Open extends Crew {
  readonly do: 'open';
  readonly dialect: DialectName;
}

/** A closed loop: a sender sends again when it is answered. */
export interface Load {
  readonly do: 'load';
  /** An admin's messages go to all customers; a customer's go to its dealer's admin, if there is one. */
  readonly from: 'customer' | 'admin';
  readonly inFlight: number;
  /** Seconds. */
  readonly warmup: number;
  readonly window: number;
  /** The servers' processes. */
  readonly pids: readonly number[];
}

/** An open loop: so many a second, whatever is answered. */
export interface Pace {
  readonly do: 'pace';
  readonly perSecond: number;
  readonly warmup: number;
  readonly window: number;
}

/** Each customer sends so many, as fast as they are acked. */
export interface Fill {
  readonly do: 'fill';
  readonly each: number;
}

/** All customers are cut at once, and rejoin from seq 0 of their group, where they have missed so many. */
export interface Storm {
  readonly do: 'storm';
  readonly missed: number;
}

export type Order = Open | Load | Pace | Fill | Storm;

export interface Opened {
  readonly sockets: number;
  readonly seconds: number;
}

export interface Loaded {
  /** Messages that were acked and delivered within the window. */
  readonly messages: number;
  readonly seconds: number;
  /** CPU seconds of the servers, all threads, within the window. */
  readonly serverCpu: number;
  /** CPU seconds of the generator, for each second of the window. */
  readonly ownShare: number;
}

/** How long each took, in milliseconds. */
export interface Paced {
  readonly acks: readonly number[];
  readonly deliveries: readonly number[];
  /** Of deliveries, those to another port than the sender's. */
  readonly across: readonly number[];
  readonly perSecond: number;
  readonly ownShare: number;
}

export interface Answers {
  readonly open: Opened;
  readonly load: Loaded;
  readonly pace: Paced;
  readonly fill: { readonly seconds: number };
  readonly storm: { readonly seconds: number };
}

export type Answer<O extends Order> = Answers[O['do']];
