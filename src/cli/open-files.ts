/** Checks that as many files may be open as there may be sockets. */
import { Settings } from '../../schemas/settings.ts';
import { mostFiles, SPARE_FILES } from '../open-files.ts';
import type { Warning } from './warning.ts';

/** Files that are enough for a server whose operator has not said how many sockets it is to hold. */
const ENOUGH = 4_096;

export function warningsOfOpenFiles({ MAX_CONNECTIONS }: Settings): Warning[] {
  const [most, needed] = [mostFiles(), MAX_CONNECTIONS + SPARE_FILES];
  if (most >= needed) return [];
  return [
    {
      found: `${most} files may be open, and MAX_CONNECTIONS ${MAX_CONNECTIONS} needs ${needed}`,
      advice: `raise it (ulimit -Hn, LimitNOFILE) or lower MAX_CONNECTIONS to ${Math.max(1, most - SPARE_FILES)}`,
    },
  ];
}

/** Warnings for the start: not of a default that is more than this machine allows, and than most dealers need. */
export function warningsOfFewFiles(settings: Settings): Warning[] {
  const isAsked = settings.MAX_CONNECTIONS !== Settings.properties.MAX_CONNECTIONS.default;
  return isAsked || mostFiles() < ENOUGH ? warningsOfOpenFiles(settings) : [];
}
