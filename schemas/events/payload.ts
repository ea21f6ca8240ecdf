/** Parts of payloads. What is sent is the full form that other servers use: a socket's session fills in its own. */
import { type Static, type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { Author, GroupId, Id, requiredWhere } from '../kinds.ts';

export const inDealer = <Name extends string, Fields extends TProperties>(type: Name, fields: Fields, options = {}) =>
  Type.Object({ type: Type.Literal(type), dealerId: Id, ...fields }, options);

export const inGroup = <Name extends string, Fields extends TProperties>(type: Name, fields: Fields, options = {}) =>
  inDealer(type, { groupId: GroupId, ...fields }, options);

const ignored = Type.Optional(Type.Unknown({ description: 'whatever it is, it is not believed' }));

/** [P-5] Sent by the seeds' clients and not believed: the server fills in the true ones. */
export const notBelieved = { muted: ignored, unread: ignored };
export const NOT_BELIEVED = ['muted', 'unread'] as const satisfies readonly (keyof typeof notBelieved)[];

export const adminId = Type.Optional(Id);

/** Says nothing that the type does not say already, so that any value is ignored but the one that contradicts the type. */
export const notContrary = (value: boolean, why: string) =>
  Type.Optional(Type.Not(Type.Literal(value), { description: `anything but ${value}: ${why}` }));

/** [P-7.2] Fields that say whose word it is: in a customer's or an admin's frame the session; a server names them, or speaks for itself. */
export const authored = { adminId, user: Type.Optional(Author) };

/** Rules of an `allOf`: an `admin` is named, and a `customer`'s group. */
export const adminIsNamed = requiredWhere('user', 'admin', 'adminId');
export const customerIsNamed = requiredWhere('user', 'customer', 'groupId');

/** A payload with the rules of its `allOf` said in its type: an `admin` is named, and so on. */
export const narrowed = <T>(schema: TSchema) => Type.Unsafe<T>(schema);
export type Base<S extends TSchema> = Static<S>;
