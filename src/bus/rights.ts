/** Rights that the user of Redis must have: each right is tried by what changes nothing, and what is missing is named. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { patternsOf } from './wire.ts';

interface Right {
  /** Purpose. */
  readonly what: string;
  /** Commands that are tried, given the names' prefix and a name of its own. */
  readonly tries: (prefix: string, own: string) => readonly (readonly string[])[];
  /** On a Redis Cluster alone. */
  readonly isCluster?: true;
}

const RIGHTS: readonly Right[] = [
  { what: 'scripts', tries: () => [['EVAL', 'return 1', '0']] },
  {
    what: 'what nodes say to each other',
    tries: (prefix, own) => [
      ['SET', `${prefix}pulse:${own}`, '', 'PX', '1'],
      ['PUBLISH', `${prefix}pulse:${own}`, ''],
      ['SUBSCRIBE', `${prefix}pulse:${own}`],
      ['PSUBSCRIBE', ...patternsOf(prefix)],
      ['UNSUBSCRIBE', `${prefix}pulse:${own}`],
      ['PUNSUBSCRIBE', ...patternsOf(prefix)],
    ],
  },
  {
    what: 'what nodes say to each other',
    isCluster: true,
    tries: (prefix, own) => [
      ['SPUBLISH', `${prefix}pulse:${own}`, ''],
      ['SSUBSCRIBE', `${prefix}pulse:${own}`],
      ['SUNSUBSCRIBE', `${prefix}pulse:${own}`],
      ['CLUSTER', 'SLOTS'],
      ['CLUSTER', 'INFO'],
    ],
  },
  {
    what: 'events of other servers',
    tries: (prefix, own) => [
      ['TIME'],
      ['HGET', `${prefix}heard:${own}`, 'taken'],
      // So many fields are none: it is refused before anything is made.
      ['HSET', `${prefix}heard:${own}`, 'taken', '0', 'odd'],
      ['PEXPIRE', `${prefix}heard:${own}`, '1'],
      ['SUBSCRIBE', `${prefix}events`],
      ['UNSUBSCRIBE', `${prefix}events`],
    ],
  },
  {
    what: 'the stream of other servers',
    tries: (prefix, own) => [
      ['XREADGROUP', 'GROUP', own, own, 'STREAMS', `${prefix}ingress`, '>'],
      ['XAUTOCLAIM', `${prefix}ingress`, own, own, '0', '0'],
      ['XINFO', 'CONSUMERS', `${prefix}ingress`, own],
      ['XLEN', `${prefix}ingress`],
      ['XACK', `${prefix}ingress`, own, '0-0'],
      ['XDEL', `${prefix}ingress`, '0-0'],
      // No entry has such a number: it is refused before a group is made.
      ['XGROUP', 'CREATE', `${prefix}ingress`, own, 'none'],
      ['XGROUP', 'DELCONSUMER', `${prefix}ingress`, own, own],
    ],
  },
  { what: 'a look at what it is', tries: () => [['INFO', 'server'], ['PING']] },
];

/** @returns each right that the user lacks, in words; rejects where the server is away */
export async function missingRights(redis: Redis, prefix: string, isCluster: boolean): Promise<string[]> {
  const own = `probe:${randomUUID()}`;
  const missing: string[] = [];
  for (const { what, tries } of RIGHTS.filter((right) => isCluster || !right.isCluster)) {
    for (const [name = '', ...args] of tries(prefix, own)) {
      const reason = await redis.call(name.toLowerCase(), ...args).then(
        () => '',
        (error: Error) => error.message,
      );
      if (reason.startsWith('NOPERM')) missing.push(`${[name, ...args.slice(0, 1)].join(' ')} (${what})`);
      else if (redis.status !== 'ready') throw new Error(reason);
    }
  }
  return missing;
}

/** The line that gives a user of Redis all rights that Telle needs. */
export function aclLine(prefix: string): string {
  const escaped = prefix.replace(/[\\[\]*?]/g, '\\$&');
  const commands = RIGHTS.flatMap(({ tries }) => tries('', '')).map(([name = '', sub = '']) =>
    `+${name === 'CLUSTER' ? `${name}|${sub}` : name}`.toLowerCase(),
  );
  const all = [...new Set(commands)].join(' ');
  const patterns = patternsOf(prefix).map((pattern) => `&${pattern}`);
  return `ACL SETUSER <user> ~${escaped}* &${escaped}* ${patterns.join(' ')} +@connection ${all}`;
}

/** Says which rights are missing, with the way out. */
export const faultOfRights = (missing: readonly string[]): string =>
  `the user of REDIS_URL may not do all that Telle must: ${missing.join(', ')}`;
