/** [P-4] Claims of a token. */
import { type Static, Type } from '@sinclair/typebox';
import { DealerOrAll, GroupId, Id, Role } from './kinds.ts';

/** In seconds since 1970; at most the last of the year 9999, which RFC 3339 can still say. */
const exp = Type.Integer({ minimum: 0, maximum: 253_402_300_799 });

/** The generation that a token is of; one that does not say so is of generation 0, unless `iat` tells when it was signed. */
const gen = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));

/** The claims of each role; `sub` is the groupId, the adminId, or the server's name. */
export const Claims = Type.Union([
  Type.Object({ role: Type.Literal('customer'), dealer: Id, sub: GroupId, exp, gen }),
  Type.Object({ role: Type.Literal('admin'), dealer: Id, sub: Id, exp, gen }),
  Type.Object({ role: Type.Literal('server'), dealer: DealerOrAll, sub: Id, exp, gen }),
]);
export type Claims = Static<typeof Claims>;

/** [P-4] The subject whose tokens are taken back, or where none is named the whole dealer. */
export const RevocationRequest = Type.Union(
  [Type.Object({ role: Role, sub: Id }), Type.Object({}, { maxProperties: 0 })],
  { description: 'Whose tokens are taken back: those of one role and `sub`; of everybody, where it is empty.' },
);

/** Subject of a revocation, and the least generation of tokens that are taken from now on. */
export const Revocation = Type.Object(
  {
    dealerId: DealerOrAll,
    role: Type.Optional(Role),
    sub: Type.Optional(Id),
    generation: Type.Integer({ minimum: 1 }),
  },
  { description: 'Whose tokens were taken back, and of which generation tokens must be from now on.' },
);
