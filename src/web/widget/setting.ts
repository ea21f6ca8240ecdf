/** The setting of a conversation. */
import type { SessionPayload, Token } from '../../client/index.ts';
import type { LaterLoader } from './later.ts';
import type { Entry } from './log.ts';
import type { Memory } from './memory.ts';
import type { Options } from './options.ts';
import type { Trouble } from './reasons.ts';
import type { Visit } from './records.ts';

/** Author of answers, and whether that is a person. */
export interface Author {
  readonly kind: 'admin' | 'bot';
  readonly name?: string | undefined;
}

/** Somebody who is writing. */
export interface Writer extends Author {
  /** Answer of a bot so far [P-18.2]. */
  readonly text?: string | undefined;
}

export type Availability = NonNullable<SessionPayload['availability']>;

/** Things that a conversation needs to know, and whom to tell. */
export interface Setting {
  readonly options: Options;
  readonly memory: Memory;
  readonly visit: Visit;
  readonly later: LaterLoader;
  /** Of a customer who is logged in. */
  readonly token?: Token | undefined;
  /** Is called after each change of what is seen. */
  readonly changed: () => void;
  /** Is called where it does not work, for reasons that the page's makers can mend. */
  readonly failed: (trouble: Trouble) => void;
  /** Is called with what somebody else has just said. */
  readonly heard: (entry: Entry) => void;
}
