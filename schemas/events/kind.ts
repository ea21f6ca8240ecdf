/**
 * The one definition of a kind of event: what may be sent for it, what is delivered, and what becomes of it. Everything
 * else is made of this: validation, permission, routing, storing, erasing, documents and the client's types.
 */
import type { Static, TSchema } from '@sinclair/typebox';
import type { Role } from '../kinds.ts';

/** [P-1] The two scopes that are not a group's. */
export const DEALER_SCOPE = '@dealer';
export const DESK_SCOPE = '@desk';

/** Author of an event of the desk's log, once its customer is forgotten. */
export const ERASED = 'erased';

/** [P-11.4] The erasure's rule of what names no group: no customer's erasure comes to it. */
export const OF_NO_GROUP = 'of no group';

/** A payload by its `type`, as far as every definition knows it. */
interface Typed {
  readonly type: string;
}
type PayloadSchema = TSchema & { readonly static: Typed };

/** Rows that a payload reads or writes besides its dealer's and its group's: by table, the parts of the key within the dealer. */
export type Rows = Readonly<
  Partial<Record<'openChats' | 'users' | 'leads' | 'intents' | 'intentCounts', readonly string[]>>
>;

/** One `type` that may be sent. The functions are told a payload of that type. */
export interface Accepting {
  /** Effect of sending it, in a sentence. */
  readonly summary: string;
  /** [P-5, P-6] The payload, by the role that sends it and the channel. */
  readonly by: Readonly<Partial<Record<Role, Readonly<Record<string, PayloadSchema>>>>>;
  /** Fields that are taken and not told on: the server knows better. */
  readonly drops?: readonly string[];
  /** True where it merges into a record, all of which is then read, merged and written: it weighs as much. */
  readonly merges?: true;
  rows?(body: Typed): Rows;
  /** [P-7] The type of its event, where that is not always the one of the definition. */
  tells?(body: Typed): string;
}

/** A kind of event. The functions are told an event of that kind. */
export interface EventKind {
  /** [P-7] Payload that is delivered. */
  readonly payload: PayloadSchema;
  readonly channel: string;
  /** `either`: the group's where the payload names one, else `@desk`. */
  readonly scope: 'group' | typeof DEALER_SCOPE | typeof DESK_SCOPE | 'either';
  /** True where the event is stored and numbered; false where it is only passed on to those who are connected. */
  readonly stored: boolean;
  /** Meaning, in a sentence. */
  readonly summary: string;
  /** It, for people who read a transcript or a terminal. */
  inWords(event: Typed): string;
  /** By `type`, what may be sent for it. */
  readonly accepts: Readonly<Record<string, Accepting>>;
  /** Fields that an erasure leaves: {@link ErasureOf}. */
  readonly erased?: object | typeof OF_NO_GROUP;
}

type Values<T> = T[keyof T];
type FieldsOf<T> = T extends unknown ? keyof T & string : never;
type Of<S> = S extends TSchema ? Static<S> : never;

/** The payloads of every role and channel. */
export type PayloadOf<A extends Accepting> = Of<Values<{ [R in keyof A['by']]: Values<A['by'][R]> }>>;
/** The fields that are declared as not told on. */
export type DroppedBy<A extends Accepting> = A extends { readonly drops: readonly (infer Field)[] } ? Field : never;

/**
 * [P-11.4] The rest of an event after an erasure. One of the group's own log goes with that log. One that another log keeps, whose
 * seqs must have no gap [P-8.2], keeps its type and time, and these fields in place of what it said. In the log of all of
 * the dealer's customers nothing can name one of them.
 */
type ErasureOf<K extends EventKind> = K extends { readonly stored: false } | { readonly scope: 'group' }
  ? { readonly erased?: never }
  : K extends { readonly scope: 'either' }
    ? { readonly erased: typeof OF_NO_GROUP }
    : 'groupId' extends FieldsOf<Of<K['payload']>>
      ? { readonly erased: K extends { readonly scope: typeof DESK_SCOPE } ? Blank<Of<K['payload']>> : never }
      : { readonly erased: typeof OF_NO_GROUP };
type Blank<Payload> = Readonly<Omit<Payload, 'type' | 'dealerId' | 'groupId'>>;

/** Fields that are taken, and neither told on nor declared as dropped. */
type Lost<K extends EventKind, A extends Accepting> = Exclude<
  FieldsOf<PayloadOf<A>>,
  FieldsOf<Of<K['payload']>> | DroppedBy<A>
>;
type Telling<K extends EventKind> = {
  readonly accepts: {
    readonly [Type in keyof K['accepts']]: [Lost<K, K['accepts'][Type]>] extends [never]
      ? unknown
      : { readonly drops: readonly Lost<K, K['accepts'][Type]>[] };
  };
};

/** A kind of event. It does not compile without a rule for its erasure, nor where a field is taken and lost. */
export const event = <const K extends EventKind>(kind: K & ErasureOf<K> & Telling<K>): K => kind;

/** Kinds of events by their types. */
export const kindsOf = <
  const Kinds extends {
    readonly [Type in keyof Kinds]: EventKind & { readonly payload: { readonly static: { readonly type: Type } } };
  },
>(
  kinds: Kinds,
): Kinds => kinds;
