import type { SocketClass } from '../../client/index.ts';
import type { readBefore } from './history.ts';
import type { lookIn } from './reception.ts';

/** Parts that few conversations need, and that come with the file that is loaded later. */
export interface Later {
  /** [P-22.3] For where WebSockets are blocked. */
  readonly Stream: SocketClass;
  readonly lookIn: typeof lookIn;
  readonly readBefore: typeof readBefore;
}

export type LaterLoader = () => Promise<Later>;
