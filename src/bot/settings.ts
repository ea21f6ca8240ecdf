/** Options of a bot, checked, with what they leave open. */
import type { BotOptions } from './types.ts';

const DEFAULTS = { concurrency: 8, timeLimit: 25_000, log: (line: string) => console.error(line) };

export type BotSettings = BotOptions & Required<Pick<BotOptions, 'dealerId' | keyof typeof DEFAULTS>>;

/** The claim `dealer` of a token: it is read, not verified, which is the server's to do. Undefined where there is none. */
function dealerIn(token: string): string | undefined {
  try {
    const { dealer } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof dealer === 'string' && dealer !== '*' ? dealer : undefined;
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 1;

/** Rules of the options, as a sentence ends. They are not left to the types, since many bots are written without. */
const RULES: { readonly [Name in keyof BotSettings]?: readonly [must: string, holds: (value: unknown) => boolean] } = {
  url: ['be the endpoint of a server, such as ws://127.0.0.1:8080/ws', (value) => /^wss?:\/\/\S+$/.test(String(value))],
  token: [
    'be a server token (telle token --role server), or a function that fetches one',
    (value) => ['string', 'function'].includes(typeof value),
  ],
  dealerId: ['be given where the token is a function, or for all dealers', (value) => typeof value === 'string'],
  answer: ['be a function', (value) => typeof value === 'function'],
  concurrency: ['be a whole number from 1', isCount],
  timeLimit: ['be a whole number of milliseconds from 1', isCount],
};

/**
 * Fills in what the options leave open.
 * @throws TypeError where one is not what it must be
 */
export function settingsOf(options: BotOptions): BotSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const dealerId = options.dealerId ?? (typeof options.token === 'string' ? dealerIn(options.token) : undefined);
  const settings = { ...DEFAULTS, ...options, ...given, dealerId: dealerId ?? '' };
  for (const [name, [must, holds]] of Object.entries(RULES)) {
    const value = name === 'dealerId' ? dealerId : Reflect.get(settings, name);
    if (!holds(value)) throw new TypeError(`${name}: must ${must}; it is ${value === null ? 'null' : typeof value}`);
  }
  return settings;
}
