/** Rereading on SIGHUP: settings are read again, and those that are limits are heeded from then on. */
import type { FastifyBaseLogger } from 'fastify';
import { type SettingName, Settings } from '../../schemas/settings.ts';
import { SETTING_NAMES } from './settings.ts';
import { UsageError } from './usage-error.ts';

const isLimit = (name: SettingName): boolean => 'x-reread' in Settings.properties[name];

/**
 * Takes limits over into the settings that the server looks into, and says in the log which.
 * @param read where one is wrong it throws, and all stay as they are
 */
export function rereadLimits(settings: Settings, read: () => Settings, log: FastifyBaseLogger): void {
  const next = readOrTell(read, log);
  if (next === null) return;
  const changed = SETTING_NAMES.filter((name) => next[name] !== settings[name]);
  const [limits, others] = [changed.filter(isLimit), changed.filter((name) => !isLimit(name))];
  const changes = Object.fromEntries(limits.map((name) => [name, { from: settings[name], to: next[name] }]));
  Object.assign(settings, Object.fromEntries(limits.map((name) => [name, next[name]])));
  log.info(
    { changes },
    limits.length === 0 ? 'settings were read again, and no limit is another' : 'limits are others now',
  );
  if (others.length > 0) log.warn(`${others.join(', ')} changed, too: a restart takes what is no limit`);
}

function readOrTell(read: () => Settings, log: FastifyBaseLogger): Settings | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    log.error(`settings stay as they are: ${error.message}`);
    return null;
  }
}
