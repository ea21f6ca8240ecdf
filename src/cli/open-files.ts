/** Checks that as many files may be open as there may be sockets. */
import type { Settings } from '../../schemas/settings.ts';
import { mostFiles, SPARE_FILES } from '../open-files.ts';
import type { Warning } from './warning.ts';

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
