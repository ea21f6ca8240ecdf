/** A dealer's rules for who must answer [P-12, P-13], as the tables have them. */
import type { KeptTogether } from '../../schemas/dealers.ts';
import type { Rules } from '../domain/state.ts';

/** Its columns by their names in the code; settings as JSON text. SQLite has numbers for what is true or false. */
export interface RulesRow extends Omit<Rules, 'settings' | 'isOpen' | 'hasServer'> {
  readonly settings: string;
  readonly isOpen: unknown;
  readonly hasServer: unknown;
}

/** The condition that a row `p` of presences is a server's, as the index of those has it. */
export const IS_SERVER = "p.sender like 'server:%'";

/** Settings that were read, by their text: most batches are of dealers that the last ones were of. */
let read = new Map<string, KeptTogether>();
const MOST_READ = 10_000;

function settingsOf(text: string): KeptTogether {
  const known = read.get(text);
  if (known !== undefined) return known;
  if (read.size >= MOST_READ) read = new Map();
  const settings: KeptTogether = JSON.parse(text);
  read.set(text, settings);
  return settings;
}

export const rulesOfRow = ({ settings, hasServer, botSpokeAt, aloneSince, isOpen, lookAt }: RulesRow): Rules => ({
  settings: settingsOf(settings),
  hasServer: Boolean(hasServer),
  botSpokeAt,
  aloneSince,
  isOpen: Boolean(isOpen),
  lookAt,
});
