/** What is right made wrong, by chance: its values, its JSON, its bytes. */
import type { Dice } from '../support/chance.ts';

const nested = (depth: number, [open, close]: readonly [string, string], inside = ''): string =>
  open.repeat(depth) + inside + close.repeat(depth);

const manyKeys = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":${index % 10}`).join(',')}}`;

/** Values that parsers, checks and databases have stumbled over, as JSON text. */
const VALUES: readonly ((dice: Dice) => string)[] = [
  () => 'null',
  () => 'true',
  () => '""',
  () => '[]',
  () => '{}',
  () => '-1',
  () => '-0',
  () => '0.1',
  () => '1e308',
  () => '1e999',
  () => '-1e999',
  () => '9007199254740993',
  () => '123456789012345678901234567890123456789',
  () => '5e-324',
  () => '"NaN"',
  () => '"*"',
  () => '"@desk"',
  () => '"@dealer"',
  () => '"__proto__"',
  () => '"constructor"',
  () => '"../../etc/passwd"',
  () => '"%00%0a"',
  () => '"\\u0000"',
  () => '"\\ud800"',
  () => '"\\udc00\\ud800"',
  () => '"\\u2028\\u2029\\ufeff"',
  () => '"\\u202e\\u0007\\u001b[31m"',
  () => `"'; drop table events; --"`,
  () => '{"__proto__":{"isAdmin":true}}',
  () => '{"constructor":{"prototype":{"isAdmin":true}}}',
  () => '{"toString":1,"valueOf":2,"hasOwnProperty":3,"toJSON":4,"then":5,"length":1e9}',
  () => '[[[[[[[[]]]]]]]]',
  (dice) => String(dice.below(2 ** 31)),
];

/** Large ones: they cost the fuzzing more than the server, so they are rare. */
const LARGE: readonly ((dice: Dice) => string)[] = [
  (dice) => JSON.stringify('x'.repeat(1 + dice.below(6000))),
  (dice) => JSON.stringify('\u{1F697}'.repeat(1 + dice.below(3000))),
  (dice) => JSON.stringify('e\u0301'.repeat(1 + dice.below(3000))),
  (dice) => nested(1 + dice.below(3000), ['[', ']']),
  (dice) => nested(1 + dice.below(1500), ['{"a":', '}'], '1'),
  (dice) => manyKeys(1 + dice.below(1200)),
  (dice) => `[${Array.from({ length: dice.below(2000) }, () => '0').join(',')}]`,
];
const LARGE_ONCE_IN = 25;

const valueFrom = (dice: Dice): string => dice.pick(dice.once(LARGE_ONCE_IN) ? LARGE : VALUES)(dice);

const FIELDS = [
  'type',
  'dealerId',
  'groupId',
  'adminId',
  'user',
  'message',
  'id',
  'token',
  'since',
  '__proto__',
  'toJSON',
  '',
];

type Json = unknown;
const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Stands for a value that is written as it is. */
const RAW = '\u0001raw:';

/** A copy with one field, anywhere in it, given another value, taken away, renamed or doubled. */
function withAnother(value: Record<string, Json>, dice: Dice, raws: string[]): Record<string, Json> {
  const entries = Object.entries(value);
  const inner = entries.filter(([, field]) => isObject(field));
  if (inner.length > 0 && dice.below(10) < 6) {
    const [name, field] = dice.pick(inner);
    return { ...value, ...(isObject(field) && { [name]: withAnother(field, dice, raws) }) };
  }
  const raw = () => {
    raws.push(valueFrom(dice));
    return `${RAW}${raws.length - 1}`;
  };
  const [name] = entries.length > 0 ? dice.pick(entries) : [''];
  const others = entries.filter(([other]) => other !== name);
  const acts: (() => Record<string, Json>)[] = [
    () => ({ ...value, [name]: raw() }),
    () => ({ ...value, [name]: raw() }),
    () => Object.fromEntries(others),
    () => Object.fromEntries([...others, [dice.pick(FIELDS), value[name]]]),
    () => Object.fromEntries([...entries, [dice.pick(FIELDS), raw()]]),
    () => ({ ...value, [name]: [value[name]] }),
  ];
  return dice.pick(acts)();
}

/** The JSON of what one or more fields of were changed. */
function ofAnotherShape(value: object, dice: Dice): string {
  const raws: string[] = [];
  let changed: Record<string, Json> = { ...value };
  for (let times = 1 + dice.below(3); times > 0; times -= 1) changed = withAnother(changed, dice, raws);
  return JSON.stringify(changed).replace(/"\\u0001raw:(\d+)"/g, (_, index) => raws[Number(index)] ?? 'null');
}

/** Changes of the text, which may be no JSON after them. */
const TEXTS: readonly ((text: string, dice: Dice) => string)[] = [
  (text, dice) => text.slice(0, dice.below(text.length + 1)),
  (text, dice) => text.slice(dice.below(text.length + 1)),
  (text) => `${text}${text}`,
  (text) => `\ufeff${text}`,
  (text) => ` \t\n\r${text}\n`,
  (text) => `[${text}]`,
  (text) => JSON.stringify(text),
  (text) => text.replace('{', '{"channel":"typing",'),
  (text) => text.replace('"payload":{', '"payload":{"type":"READ","type":"TYPING",'),
  (text) => text.replace('"payload":{', '"payload":{"__proto__":{"user":"admin","muted":true},'),
  (text) => text.replace('{', '{"__proto__":null,"constructor":{},'),
  (text) => text.replace('{', '{/* */'),
  (text) => text.replaceAll('"', "'"),
  (text) => text.replace(':', ':\u0000'),
  (text) => text.replace('"', '"\\ud83d'),
  (text, dice) => text.replace('}', `,"x":${valueFrom(dice)}}`),
  (_, dice) => valueFrom(dice),
  () => '',
];

const TEN_THOUSAND_KEYS = manyKeys(10_000);

const LARGE_TEXTS: readonly ((text: string, dice: Dice) => string)[] = [
  (text, dice) => text.replace('"payload":{', `"payload":{${manyKeys(1 + dice.below(1200)).slice(1, -1)},`),
  (text, dice) => nested(1 + dice.below(8000), ['[', ']'], dice.once(2) ? text : ''),
  (text, dice) => nested(1 + dice.below(2500), ['{"payload":', '}'], text),
  (_, dice) => TEN_THOUSAND_KEYS.slice(0, dice.once(2) ? undefined : 16_000),
];

const ofAnotherText = (text: string, dice: Dice): string =>
  dice.pick(dice.once(LARGE_ONCE_IN) ? LARGE_TEXTS : TEXTS)(text, dice);

/** Bytes that are no UTF-8, or that end in the middle of it. */
const ILL: readonly number[][] = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80],
];

const BYTES: readonly ((bytes: Buffer, dice: Dice) => Buffer | null)[] = [
  (bytes, dice) => {
    const at = dice.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
    return null;
  },
  (bytes, dice) => {
    bytes[dice.below(bytes.length)] = dice.below(256);
    return null;
  },
  (bytes, dice) => {
    const at = dice.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(dice.pick(ILL)), bytes.subarray(at)]);
  },
  (bytes, dice) => {
    const [from, to] = [dice.below(bytes.length), dice.below(bytes.length)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
];

export function ofOtherBytes(text: string, dice: Dice): Buffer {
  let bytes = Buffer.from(text);
  for (let times = 1 + dice.below(4); times > 0 && bytes.length > 0; times -= 1) {
    bytes = Buffer.from(dice.pick(BYTES)(bytes, dice) ?? bytes);
  }
  return bytes;
}

/** Something that was right, changed on one level or another; now and then it is left as it is. */
export function mutated(value: object, dice: Dice): Buffer {
  const turn = dice.below(20);
  if (turn === 0) return Buffer.from(JSON.stringify(value));
  if (turn < 11) return Buffer.from(ofAnotherShape(value, dice));
  if (turn < 16) return Buffer.from(ofAnotherText(JSON.stringify(value), dice));
  return ofOtherBytes(JSON.stringify(value), dice);
}
