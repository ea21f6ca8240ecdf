import type { FastifyBaseLogger } from 'fastify';
import type { House } from '../conversation/house.ts';
import type { OpenStore } from '../store/store.ts';
import type { RequestLimits } from './http/limit.ts';
import type { Revocations } from './revocations.ts';

/** The room that every door opens into. */
export interface Core extends House {
  readonly store: OpenStore;
  readonly revocations: Revocations;
  readonly limits: RequestLimits;
  readonly log: FastifyBaseLogger;
}
