/** [P-11.8] Answer to a page whose visitor has said nothing yet: is somebody here? */
import { Type } from '@sinclair/typebox';
import { CLAIMS } from './dealers.ts';
import { OneOf } from './kinds.ts';

export const Reception = Type.Object(
  {
    /** True where an admin of the dealer is here. */
    online: Type.Boolean(),
    claims: OneOf(CLAIMS),
  },
  { description: 'Whether an admin of the dealer is here, and which groups customers may claim.' },
);
