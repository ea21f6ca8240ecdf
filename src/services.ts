/** [P-19.2] Ties to the services of a dialect over Redis: what they say, and what they are told. A part of the composition root. */
import type { Cluster, Redis } from 'ioredis';
import { connectCluster, connectRedis } from './bus/connection.ts';
import { Line } from './bus/line.ts';
import { pulseChannel, type WireOptions } from './bus/wire.ts';
import type { Core } from './doors/core.ts';
import type { Services } from './doors/dialect.ts';
import { ChannelDoor } from './doors/redis/channel.ts';
import { Herald } from './doors/redis/herald.ts';
import { dialectWay } from './doors/redis/take.ts';

type FoundRedis = WireOptions & { readonly isCluster: boolean };
type Heralding = Pick<Core, 'settings' | 'dialect' | 'log'>;

/** [P-19.2] Tells other services what happens, where there is a dialect and a Redis. */
export function openHerald(redis: FoundRedis | null, { settings, dialect, log }: Heralding): Herald | null {
  if (redis === null || dialect === null) return null;
  const commands = (redis.isCluster ? connectCluster : connectRedis)(redis, 'herald');
  return new Herald({ services: dialect.services, prefix: settings.REDIS_PREFIX, log }, commands);
}

/** [P-19.2] Opens the door for the services of a dialect, on their channel. What Telle has said there itself is not taken. */
export function openServices(core: Core, services: Services, redis: WireOptions, commands: Redis | Cluster) {
  const channel = new ChannelDoor(core, commands, dialectWay(services));
  const line = new Line(redis, 'whole', {
    onMessage: (_, body) => {
      const text = body.toString();
      if (!isOwn(services, text)) channel.hear(text);
    },
    onReadable: () => line.subscribe(services.channel).catch(() => line.subscriber.disconnect(true)),
    onWritable: () => {},
    onMoved: () => {},
    onUnproven: () => {},
  });
  line.pulse = pulseChannel(redis.prefix);
  return {
    get isProven() {
      return line.isProven;
    },
    close(): Promise<void> {
      line.close();
      return channel.close();
    },
  };
}

function isOwn(services: Services, text: string): boolean {
  try {
    return services.isOwn(Object(JSON.parse(text)));
  } catch {
    return false;
  }
}
