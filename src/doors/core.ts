import type { FastifyBaseLogger } from 'fastify';
import type { Link } from '../bus/link.ts';
import type { House } from '../conversation/house.ts';
import type { Clock } from '../journal/clock.ts';
import type { Epoch } from '../journal/epoch.ts';
import type { Eraser } from '../journal/eraser.ts';
import type { OpenStore } from '../store/store.ts';
import type { Dialect } from './dialect.ts';
import type { Drain } from './drain.ts';
import type { RequestLimits } from './http/limit.ts';
import type { Revocations } from './revocations.ts';

/** [P-8.5] Why a node that has lost what the others have lets nobody in. */
export const AWAY = 'this node has lost Redis or the database, which others have: try another';

/** The room that every door opens into. */
export interface Core extends House {
  /** The program's, as `telle --version` says it. */
  readonly version: string;
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly eraser: Eraser;
  readonly epoch: Epoch;
  /** To Redis and the database, where there is a Redis. */
  readonly link: Link | null;
  readonly drain: Drain;
  readonly revocations: Revocations;
  readonly limits: RequestLimits;
  /** Another system's language, where one is spoken beside Telle's. */
  readonly dialect: Dialect | null;
  readonly log: FastifyBaseLogger;
}
