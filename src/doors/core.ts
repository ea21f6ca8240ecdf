import type { FastifyBaseLogger } from 'fastify';
import type { Link } from '../bus/link.ts';
import type { House } from '../conversation/house.ts';
import type { Epoch } from '../journal/epoch.ts';
import type { OpenStore } from '../store/store.ts';
import type { Drain } from './drain.ts';
import type { RequestLimits } from './http/limit.ts';
import type { Revocations } from './revocations.ts';

/** [P-8.5] Why a node that has lost the others lets nobody in. */
export const AWAY = 'this node hears nothing of the others over Redis: try another';

/** The room that every door opens into. */
export interface Core extends House {
  /** The program's, as `telle --version` says it. */
  readonly version: string;
  readonly store: OpenStore;
  readonly epoch: Epoch;
  /** To Redis, where there is one. */
  readonly link: Link | null;
  readonly drain: Drain;
  readonly revocations: Revocations;
  readonly limits: RequestLimits;
  readonly log: FastifyBaseLogger;
}
