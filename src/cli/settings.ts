/** Settings, made of texts, and checked. */
import { isIP } from 'node:net';
import type { TSchema } from '@sinclair/typebox';
import { type SettingName, Settings } from '../../schemas/settings.ts';
import { takenApart } from '../../schemas/urls.ts';
import { UsageError } from './usage-error.ts';

/** Tells whether this is no developer's: then less is let pass, and no token is printed that nobody asked for. */
export const isProduction = (): boolean => process.env.NODE_ENV === 'production';

export const SETTING_NAMES = Object.keys(Settings.properties) as SettingName[];

/** `MAX_FRAME_BYTES` is `--max-frame-bytes` on the command line. */
export const flagOf = (name: SettingName): string => `--${name.toLowerCase().replaceAll('_', '-')}`;

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads `500ms`, `10s`, `2m`, `12h`, `30d`, or a bare number of seconds. @returns seconds; NaN where it is none */
export function secondsOf(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  return Number(amount) * (UNITS[unit] ?? 1);
}

const WORDS: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  '1': true,
  off: false,
  false: false,
  '0': false,
};

/** Makes the text of an environment variable a value of a setting's kind; undefined where it cannot. */
function read(schema: TSchema, text: string): unknown {
  if (schema['x-unit'] === 'seconds') return secondsOf(text);
  if (schema.type === 'integer') return /^\d+$/.test(text) ? Number(text) : undefined;
  if (schema.type === 'boolean') return WORDS[text.toLowerCase()];
  if (schema['x-of'] === 'url') return text.replace(/^[a-z+]+:/i, (scheme) => scheme.toLowerCase());
  return text;
}

const isWord = (text: string): boolean => /^[a-z]+$/.test(text) && isIP(text) === 0;

/** An address, or one with the length of its network. */
function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/');
  const family = isIP(address);
  return family !== 0 && more.length === 0 && /^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** A host, without the scheme and the port that belong to a URL. */
const isAddress = (text: string): boolean => isIP(text) !== 0 || /^[a-z0-9._-]+$/i.test(text);

/** Further rules for a text that has the pattern. */
const KINDS: Readonly<Record<string, (text: string) => boolean>> = {
  url: (text) => (text.startsWith('sqlite:') ? !/["']$/.test(text) : takenApart(text) !== null),
  address: isAddress,
  networks: (text) => isWord(text) || text.split(',').every((each) => isNetwork(each.trim())),
  desks: (text) =>
    isWord(text) || text.split(',').every((each) => isNetwork(each.split('=')[1] ?? '') && !/\/0+$/.test(each)),
};

function isAllowed(schema: TSchema, value: unknown): boolean {
  if (typeof value === 'number') return value >= schema.minimum && value <= schema.maximum;
  if (typeof value === 'boolean') return true;
  if (typeof value !== 'string') return false;
  if (schema.enum) return schema.enum.includes(value);
  if (value.length < (schema.minLength ?? 0) || !new RegExp(schema.pattern ?? '').test(value)) return false;
  return KINDS[schema['x-of']]?.(value) ?? true;
}

/** Advice on how to write in a name or a password what is special in a URL. */
const ENCODED = 'percent-encoded: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25';

/** Mistakes that a URL may have, and the way out: the first that fits is told. */
const MISTAKES: readonly (readonly [looks: RegExp, advice: string])[] = [
  [/^["'`\u2018-\u201f]|["'`\u2018-\u201f]$/, 'without quotes around it'],
  [/[\r\n]/, 'on one line'],
  [/^(postgres(ql)?|rediss?)\+(?!sentinel:)/, 'with the scheme alone, without a driver behind a +'],
  [
    /^(postgres(ql)?|rediss?|sqlite)(:?\/+|:)/,
    `with :// behind its scheme, and with what is special in its name and password ${ENCODED}`,
  ],
  [/.(postgres(ql)?|rediss?|sqlite):/i, 'beginning with its scheme, without anything before it'],
  [/^[\w ]+=/, 'written as a URL, not as words with = between them'],
];

/** The values that a setting may have, in words. */
function allowed(schema: TSchema, text: string): string {
  if (schema['x-unit'] === 'seconds') {
    const least = schema.minimum < 0.5 ? '500ms, ' : '';
    return `a time from ${schema.minimum}s to ${schema.maximum}s, such as ${least}10s or 2m`;
  }
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return 'on or off';
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  if (text === '' && schema.minLength > 0) return 'not empty';
  const examples = schema.examples.join(', or ');
  if (schema['x-of'] !== 'url') return examples;
  const [, advice] = MISTAKES.find(([looks]) => looks.test(text)) ?? [];
  return advice === undefined ? examples : `${examples}, ${advice}`;
}

/** Says what is wrong. Of a secret nothing is shown: where in it a password stands is not known of what is wrong. */
function sentenceOn(name: SettingName, schema: TSchema, text: string): string {
  if (text === '') return `${name} is empty: it must be ${allowed(schema, text)}`;
  const found = schema['x-secret']
    ? 'is not as it must be, and not shown, since a password may be in it'
    : `is "${text}"`;
  return `${name} ${found}: it must be ${allowed(schema, text)}`;
}

/**
 * @param given settings as text, by name: what is absent has its default, and blanks and line breaks around it are none of it
 * @throws UsageError that names the first setting that is wrong, its value and what is allowed
 */
export function readSettings(given: Readonly<Record<string, string | undefined>>): Settings {
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const schema: TSchema = Settings.properties[name];
    const text = given[name]?.trim();
    const value = text === undefined ? schema.default : read(schema, text);
    if (text !== undefined && !isAllowed(schema, value)) {
      throw new UsageError(sentenceOn(name, schema, text));
    }
    if (value !== undefined) settings[name] = value;
  }
  const { PORT, METRICS_PORT, DIALECT_CHANNEL, REDIS_PREFIX } = settings;
  if (PORT !== 0 && PORT === METRICS_PORT) throw new UsageError(`METRICS_PORT is ${PORT}, as PORT is: set another one`);
  if (DIALECT_CHANNEL === `${REDIS_PREFIX}events`)
    throw new UsageError(`DIALECT_CHANNEL is ${DIALECT_CHANNEL}, which is Telle's own: set that of the other services`);
  return settings as Settings;
}

/**
 * The settings with a database that a command names by itself.
 * @param name what the command calls it, in the place of the setting's name
 */
export function readAs(name: string, url: string): Settings {
  try {
    return readSettings({ DATABASE_URL: url });
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(cause.message.replace(/^DATABASE_URL/, name), { cause });
  }
}
