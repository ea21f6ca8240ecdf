/**
 * The one table of the protocol: role × channel × type [P-5, P-6] and type × channel × scope [P-7]. It is made of the
 * definitions of `events/`. Validation, permission, routing and the documents are read from here.
 */
import type { TSchema } from '@sinclair/typebox';
import { type AcceptedKind, type Body, type BodySchema, IDENTITY } from './accepted.ts';
import type { Event } from './delivered.ts';
import { EVENTS } from './events/index.ts';
import { type Accepting, DEALER_SCOPE, DESK_SCOPE, type EventKind } from './events/kind.ts';
import type { Role } from './kinds.ts';

export { DEALER_SCOPE, DESK_SCOPE };

/** [P-3.3, P-4] The dealerId of a server that speaks to, and hears, every dealer. */
export const ALL_DEALERS = '*';

/** [P-3] The channel by which each role joins. */
export const JOINS = { client_join: 'customer', admin_join: 'admin', server_join: 'server' } as const;
export type JoinChannel = keyof typeof JOINS;

/** [P-2.6, P-4] Channels of every role that carry no event. */
export const CONTROLS = ['ping', 'refresh'] as const;

/** [P-7] Delivery of each type of event. */
export const DELIVERIES = EVENTS;

interface Sendable extends Accepting {
  readonly by: Readonly<Partial<Record<Role, Readonly<Record<string, BodySchema>>>>>;
  tells?(body: Body): Event['type'];
}

/** The definitions, each as all of them are. */
export const KINDS: Readonly<Record<Event['type'], EventKind & { accepts: Readonly<Record<string, Sendable>> }>> =
  EVENTS;

/** Tells whether a word is the type of an event. */
export const isEventType = (word: string): word is Event['type'] => Object.hasOwn(EVENTS, word);

/** The types of events, in the order of the documents. */
export const EVENT_TYPES: readonly Event['type'][] = Object.keys(EVENTS).filter(isEventType);

interface Accepted extends Sendable {
  /** The type of the event that it becomes, where `tells` does not say. */
  readonly becomes: Event['type'];
  /** The fields that are told as they were sent. */
  readonly carries: readonly string[];
}

const schemasOf = ({ by }: Sendable): BodySchema[] => Object.values(by).flatMap((channels) => Object.values(channels));

function carriedBy(accepting: Sendable): string[] {
  const fields = schemasOf(accepting).flatMap(({ properties }: TSchema) => Object.keys(properties));
  const others: ReadonlySet<string> = new Set([...IDENTITY, ...(accepting.drops ?? [])]);
  return [...new Set(fields)].filter((field) => !others.has(field));
}

/** Definition of everything that may be sent, by its `type`. */
export const ACCEPTED: ReadonlyMap<string, Accepted> = new Map(
  EVENT_TYPES.flatMap((becomes) =>
    Object.entries(KINDS[becomes].accepts).map(([type, accepting]) => [
      type,
      { ...accepting, becomes, carries: carriedBy(accepting) },
    ]),
  ),
);

type SendTable = Readonly<Record<Role, Readonly<Record<string, readonly BodySchema[]>>>>;

function sentBy(role: Role): SendTable[Role] {
  const channels: Record<string, BodySchema[]> = {};
  for (const { by } of ACCEPTED.values()) {
    for (const [channel, schema] of Object.entries(by[role] ?? {})) {
      channels[channel] = [...(channels[channel] ?? []), schema];
    }
  }
  return channels;
}

/** [P-5] Which payloads a role may send on which channel. */
export const SENDS: SendTable = { customer: sentBy('customer'), admin: sentBy('admin'), server: sentBy('server') };

/** Channels of a role, by channel, of each definition. */
type ChannelsOf<R extends Role> = AcceptedKind extends infer A
  ? A extends { readonly by: Readonly<Record<R, infer Channels>> }
    ? Channels
    : never
  : never;
type SchemasOn<Channels, Channel> = Channels extends unknown
  ? Channel extends keyof Channels
    ? Channels[Channel]
    : never
  : never;
type KeyOf<T> = T extends unknown ? keyof T : never;

/** {@link SENDS} channel by channel, for who is typed by it. */
export type Sends = {
  readonly [R in Role]: {
    readonly [Channel in KeyOf<ChannelsOf<R>>]: readonly SchemasOn<ChannelsOf<R>, Channel>[];
  };
};

/** [P-7] The event type that an accepted payload becomes. */
export function eventTypeOf(body: Body): Event['type'] {
  const accepted = ACCEPTED.get(body.type);
  if (!accepted) throw new Error(`no kind of event accepts ${body.type}`);
  return accepted.tells?.(body) ?? accepted.becomes;
}

/** [P-7] The scope whose log an event of this type goes to. */
export function scopeOf(type: Event['type'], groupId: string | undefined): string {
  const { scope } = DELIVERIES[type];
  if (scope === DEALER_SCOPE || scope === DESK_SCOPE) return scope;
  return groupId ?? DESK_SCOPE;
}
