/** Where the text of a setting is found: in flags, then in the environment, then in a file; a secret also in a file of its own. */
import { readFileSync } from 'node:fs';
import { type SettingName, Settings } from '../../schemas/settings.ts';
import { reasonOf } from './reason.ts';
import { SETTING_NAMES } from './settings.ts';
import { UsageError } from './usage-error.ts';

/** Texts by the names of settings. */
export type Source = Readonly<Record<string, string | undefined>>;

/** `AUTH_SECRET_FILE` names the file that holds `AUTH_SECRET`. */
const fileOf = (name: SettingName): string => `${name}_FILE`;

const isSecret = (name: SettingName): boolean => 'x-secret' in Settings.properties[name];

/** Names that a source may have. */
export const SOURCE_NAMES: readonly string[] = [...SETTING_NAMES, ...SETTING_NAMES.filter(isSecret).map(fileOf)];

/** Says why a file cannot be read, without its name: in place of a name, somebody may have given the secret itself. */
export function whyUnread(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (code === 'ENOENT') return 'there is none of that name';
  if (code === 'EACCES') return 'let this user read it';
  return typeof code === 'string' ? code : reasonOf(cause);
}

/**
 * @param sources the first that says something of a setting is heeded
 * @throws UsageError where one says it in two ways, or names a file that cannot be read
 */
export function gather(names: readonly SettingName[], sources: readonly Source[]): Source {
  return Object.fromEntries(names.map((name) => [name, textOf(name, sources)]));
}

function textOf(name: SettingName, sources: readonly Source[]): string | undefined {
  for (const source of sources) {
    const text = textIn(source, name);
    if (text !== undefined) return text;
  }
  return undefined;
}

function textIn(source: Source, name: SettingName): string | undefined {
  const [text, file] = [source[name], isSecret(name) ? source[fileOf(name)] : undefined];
  if (file === undefined) return text;
  if (text !== undefined) throw new UsageError(`${name} and ${fileOf(name)} are both set: set one of them`);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`${fileOf(name)} names a file that cannot be read: ${whyUnread(cause)}`, { cause });
  }
}
