/** A file of settings: TOML or JSON, by the names that they have in the environment. */
import { readFileSync } from 'node:fs';
import { closestMatch } from 'leven';
import { parse as parseToml, TomlError } from 'smol-toml';
import { isJsonObject } from '../protocol/checker.ts';
import { SOURCE_NAMES, type Source, whyUnread } from './sources.ts';
import { UsageError } from './usage-error.ts';

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = { toml: parseToml, json: JSON.parse };

/** @throws UsageError where it cannot be read, or something in it is no setting */
export function readConfig(file: string): Source {
  const fault = (what: string, cause?: unknown) =>
    new UsageError(`the config file (--config, TELLE_CONFIG) is "${file}", ${what}`, { cause });
  const parse = PARSERS[/\.(toml|json)$/.exec(file)?.[1] ?? ''];
  if (parse === undefined) throw fault('and its name must end in .toml or .json');
  const text = contentsOf(file, fault);
  const read = parsed(parse, text, fault);
  if (!isJsonObject(read)) throw fault('which must hold names and values');
  return Object.fromEntries(Object.entries(read).map(([name, value]) => [name, textOf(name, value, fault)]));
}

type Fault = (what: string, cause?: unknown) => UsageError;

function contentsOf(file: string, fault: Fault): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw fault(`which cannot be read: ${whyUnread(cause)}`, cause);
  }
}

/** Parses a text. What a parser says quotes the text, and so perhaps a password: the place is told alone. */
function parsed(parse: (text: string) => unknown, text: string, fault: Fault): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const line = cause instanceof TomlError ? cause.line : lineOf(text, cause);
    throw fault(
      `which cannot be understood${line === null ? '' : ` in line ${line}`}: is it as in docs/operations.md?`,
    );
  }
}

function lineOf(text: string, cause: unknown): number | null {
  const [, position] = /at position (\d+)/.exec(String(cause)) ?? [];
  return position === undefined ? null : text.slice(0, Number(position)).split('\n').length;
}

function textOf(name: string, value: unknown, fault: Fault): string {
  if (!SOURCE_NAMES.includes(name)) {
    const meant = closestMatch(name.toUpperCase().replaceAll('-', '_'), SOURCE_NAMES);
    throw fault(`in which ${name} is no setting: is ${meant} meant?`);
  }
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw fault(`in which ${name} must be a text, a number, or true or false`);
}
