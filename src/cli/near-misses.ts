/** Variables that are no setting, and look as if one was meant. */
import { closestMatch } from 'leven';
import { SOURCE_NAMES, type Source } from './sources.ts';
import type { Warning } from './warning.ts';

/** So many letters may be wrong at most; in a short name fewer, since other programs have short names too. */
const MOST_WRONG = 2;
const LETTERS_FOR_ONE = 5;

/** The setting that a variable’s name is nearly, where that is not set itself. (Kubernetes sets a `TELLE_PORT` for a service of that name.) */
function meantBy(variable: string, environment: Source): string | null {
  const name = variable.toUpperCase().replace(/^TELLE_(?=.{5})/, '');
  const meant = closestMatch(name, SOURCE_NAMES, { maxDistance: MOST_WRONG });
  if (meant === undefined || environment[meant] !== undefined) return null;
  const wrong = Math.min(MOST_WRONG, Math.floor(meant.length / LETTERS_FOR_ONE));
  return closestMatch(name, [meant], { maxDistance: wrong }) === undefined ? null : meant;
}

export function nearMisses(environment: Source): Warning[] {
  return Object.keys(environment).flatMap((variable) => {
    const meant = SOURCE_NAMES.includes(variable) ? null : meantBy(variable, environment);
    return meant === null ? [] : [{ found: `${variable} is set, which is no setting`, advice: `is ${meant} meant?` }];
  });
}
