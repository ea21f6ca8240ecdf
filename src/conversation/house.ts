import type { Settings } from '../../schemas/settings.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Feed } from '../bus/feed.ts';
import type { Budgets } from '../commands/budgets.ts';
import type { Hub } from '../hub/hub.ts';
import type { Presence } from '../hub/presence.ts';
import type { Audit } from '../journal/audit.ts';
import type { Clock } from '../journal/clock.ts';
import type { Epoch } from '../journal/epoch.ts';
import type { Journal } from '../journal/journal.ts';
import type { Metrics } from '../metrics.ts';
import type { Room } from '../open-files.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { GroupStore } from '../store/groups.ts';
import type { LogStore } from '../store/log.ts';
import type { Timing } from '../timing.ts';

/** As much of a log as is needed. */
interface Log {
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/** The parts of the server that conversations need. */
export interface House {
  /** This node's name among those that serve the database. */
  readonly nodeId: string;
  readonly journal: Journal;
  readonly epoch: Pick<Epoch, 'now'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly store: LogStore & GroupStore & DealerStore & CredentialStore;
  readonly hub: Hub;
  readonly feed: Feed;
  readonly presence: Presence;
  readonly tokens: Tokens;
  readonly settings: Settings;
  /** The files that are left for one more connection that stays. */
  readonly room: Room;
  readonly timing: Timing;
  readonly metrics: Metrics;
  readonly budgets: Budgets;
  readonly audit: Audit;
  readonly log: Log;
}
