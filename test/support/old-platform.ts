/** A platform with the services of 2019 beside it, on one Redis. */
import { randomUUID } from 'node:crypto';
import { OldServices } from './old-services.ts';
import { type Platform, withPlatform } from './platform.ts';
import { until } from './until.ts';

type Options = Parameters<typeof withPlatform>[0];

export interface Beside extends Platform {
  readonly old: OldServices;
  /** The settings of the dialect and its Redis, as a command is given them. */
  readonly env: Readonly<Record<string, string>>;
}

/** Payloads whose mark says that Telle has published them, and those of others. */
export const ours = ({ via }: Record<string, unknown>): boolean => via === 'telle';
export const theirs = (said: Record<string, unknown>): boolean => !ours(said);

export async function withOld(options: Options, use: (beside: Beside) => Promise<void>): Promise<void> {
  const name = randomUUID();
  const names = { channel: name, bot: `${name}:bot`, daemon: `${name}:daemon`, notification: `${name}:told` };
  const old = new OldServices(options.redis.url, names);
  const settings = {
    ...{ DIALECT: 'telle2019', DIALECT_CHANNEL: names.channel, DIALECT_BOT_QUEUE: names.bot },
    ...{ DIALECT_DAEMON_QUEUE: names.daemon, DIALECT_NOTIFICATION_QUEUE: names.notification },
    ...options.settings,
  };
  try {
    await withPlatform({ ...options, settings }, async (platform) => {
      await old.start((text) => [{ text: { text: [`You said: ${text}`] } }]);
      await until('every node listens', async () => {
        const [, listening] = await old.redis.pubsub('NUMSUB', names.channel);
        return listening === platform.servers.length + 1;
      });
      await use({ ...platform, old, env: { ...settings, REDIS_URL: options.redis.url } });
    });
  } finally {
    await old.close();
  }
}
