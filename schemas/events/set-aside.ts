/** [P-3.1] A claimed name is a customer's whose token its dealer minted. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id } from '../kinds.ts';
import { event } from './kind.ts';

/** [P-3.1] The name is a customer's now whose token its dealer minted: who had claimed it goes on under another. */
export const NameSetAside = Type.Object({
  type: Type.Literal('SET_ASIDE'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('customer'),
  setAside: GroupId,
});

export const nameSetAside = event({
  payload: NameSetAside,
  channel: 'CHAT_STATE',
  scope: 'group',
  stored: true,
  summary:
    'The name is that of a customer with a minted token now: the conversation that was claimed goes on as `setAside`.',
  inWords: ({ setAside }: Static<typeof NameSetAside>) =>
    `-- a customer with a token of the dealer has this name now; what was claimed goes on as ${setAside}`,
  accepts: {},
});
