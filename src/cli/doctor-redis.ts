import type { Redis } from 'ioredis';
import type { Settings } from '../../schemas/settings.ts';
import { clientOf } from '../bus/connection.ts';
import { isCluster, NoRedisError } from '../bus/probe.ts';
import { aclLine, faultOfRights, missingRights } from '../bus/rights.ts';
import { type Finding, fault, ok, skewOf, warning } from './finding.ts';
import { reasonOf } from './reason.ts';

/** Checks that Redis answers, and keeps what it is told. */
export async function checkRedis({ REDIS_URL: url, REDIS_PREFIX: prefix }: Settings): Promise<Finding[]> {
  if (url === undefined) return [ok('none is set: this node is alone')];
  const redis = clientOf(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 3_000 });
  let reason: unknown;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    const isOfCluster = await isCluster({ url, onFault: () => {} });
    await redis.connect();
    const missing = await missingRights(redis, prefix, isOfCluster);
    if (missing.length > 0) return [fault(faultOfRights(missing), aclLine(prefix))];
    const [, version = '?'] = /redis_version:(\S+)/.exec(await redis.info('server')) ?? [];
    const clock = async () => {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    return [ok(`Redis ${version} answers`), ...(await skewOf('Redis', clock)), ...(await keepingOf(redis))];
  } catch (error) {
    if (error instanceof NoRedisError) return [fault(error.message, 'Telle does not start with it')];
    return [
      fault(
        `Redis does not answer: ${reasonOf(reason ?? error)}`,
        'is it running, and does REDIS_URL fit? Telle starts without it',
      ),
    ];
  } finally {
    redis.disconnect();
  }
}

/** Checks that Redis keeps what other servers put into its stream. */
async function keepingOf(redis: Redis): Promise<Finding[]> {
  const info = `${await redis.info('persistence')}${await redis.info('memory')}`;
  const findings: Finding[] = [];
  if (/aof_enabled:0/.test(info)) {
    findings.push(
      warning('Redis keeps no append-only file', 'appendonly yes: else what is in the stream is lost with it'),
    );
  }
  if (!/maxmemory_policy:noeviction/.test(info)) {
    findings.push(warning('Redis may evict keys', 'maxmemory-policy noeviction: else the stream may be thrown away'));
  }
  return findings;
}
