import type { FastifyBaseLogger } from 'fastify';
import type { Settings } from '../../schemas/settings.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Feed } from '../bus/feed.ts';
import type { Hub } from '../hub/hub.ts';
import type { Presence } from '../hub/presence.ts';
import type { Audit } from '../journal/audit.ts';
import type { Journal } from '../journal/journal.ts';
import type { Store } from '../journal/store.ts';
import type { Metrics } from '../metrics.ts';
import type { Timing } from '../timing.ts';
import type { Budgets } from './budgets.ts';
import type { RequestLimits } from './http/limit.ts';
import type { Revocations } from './revocations.ts';

/** The room that every door opens into. */
export interface Core {
  /** This node's name among those that serve the database. */
  readonly nodeId: string;
  readonly journal: Journal;
  readonly store: Store;
  readonly hub: Hub;
  readonly feed: Feed;
  readonly presence: Presence;
  readonly tokens: Tokens;
  readonly settings: Settings;
  readonly timing: Timing;
  readonly metrics: Metrics;
  readonly revocations: Revocations;
  readonly limits: RequestLimits;
  readonly budgets: Budgets;
  readonly audit: Audit;
  readonly log: FastifyBaseLogger;
}
