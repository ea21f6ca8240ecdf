/**
 * `npm run stress`: every scenario against real servers, several at once, and one table at the end.
 * `--only recovery,mute` takes those whose names begin so; `--seed 1` repeats a run; `--list` names them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { anySeed } from '../support/chance.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { conclude, type Verdict } from '../support/verdict.ts';
import { range } from './house.ts';
import { ALONE, SCENARIOS } from './scenarios.ts';
import type { Order } from './worker.ts';

/** A scenario that takes longer, in ms, hangs: its process is killed. */
const PATIENCE = 60_000;

const { values } = parseArgs({
  options: { seed: { type: 'string' }, only: { type: 'string' }, list: { type: 'boolean', default: false } },
});
const seed = Number(values.seed ?? anySeed());
const wanted = values.only?.split(',');
const names = Object.keys(SCENARIOS).filter((name) => wanted?.some((word) => name.startsWith(word)) ?? true);

/** A process that runs one scenario at a time. One that ends, or hangs, is replaced. */
class Worker {
  #child = this.#start();

  #start(): ChildProcess {
    const script = fileURLToPath(new URL('worker.ts', import.meta.url));
    return fork(script, { execArgv: ['--expose-gc'] });
  }

  run(order: Order): Promise<Verdict> {
    const child = this.#child;
    const from = performance.now();
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    child.send(order);
    return new Promise((resolve) => {
      const end = (verdict: Verdict) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(verdict);
      };
      child.once('message', end);
      child.once('exit', () => {
        this.#child = this.#start();
        const seconds = (performance.now() - from) / 1000;
        end({ scenario: order.name, tried: 0, through: ['its process ended, or was killed for hanging'], seconds });
      });
    });
  }

  /** It removes what it has made, and ends. */
  end(): void {
    this.#child.disconnect();
  }
}

interface Servers {
  readonly postgres: string;
  readonly redis: string;
}

/** Runs scenarios; each worker takes the next as soon as it is free. */
async function runAll(some: readonly string[], workers: readonly Worker[], servers: Servers): Promise<Verdict[]> {
  const left = [...some];
  const verdicts: Verdict[] = [];
  const work = async (worker: Worker) => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const verdict = await worker.run({ name, seed, ...servers });
      verdicts.push(verdict);
      const { tried, through, seconds } = verdict;
      console.log(
        `${through.length === 0 ? 'ok' : 'NOT OK'}  ${name}  ${tried.toLocaleString('en')} tried, ${seconds.toFixed(1)} s`,
      );
    }
  };
  await Promise.all(workers.map(work));
  return verdicts;
}

/** Whatever ends this process ends its servers too. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.list) {
  for (const name of names) console.log(name);
} else {
  const from = performance.now();
  console.log(`seed ${seed}  (npm run stress -- --seed ${seed})`);
  const workers = range(availableParallelism() + 1).map(() => new Worker());
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const servers = { postgres: postgres.url, redis: redis.url };
  const rows = ALONE.map((row) => names.filter((name) => row.includes(name)));
  const together = names.filter((name) => !rows.flat().includes(name));
  const verdicts = await runAll(together, workers, servers);
  const alone = rows.map((row, index) => runAll(row, workers.slice(index, index + 1), servers));
  verdicts.push(...(await Promise.all(alone)).flat());
  for (const worker of workers) worker.end();
  await Promise.all([postgres.stop(), redis.stop()]);
  process.exitCode = conclude(
    verdicts.sort((one, other) => names.indexOf(one.scenario) - names.indexOf(other.scenario)),
    seed,
  );
  console.log(`${((performance.now() - from) / 1000).toFixed(0)} s in all`);
}
