/** What is watched with Prometheus: each alert of `deploy/` rises by its own cause, and no name in it or in the dashboard is wrong. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { Metrics } from '../../src/metrics.ts';
import { promtool } from '../support/promtool.ts';
import { inFolder } from '../support/server.ts';

const RULES = resolve('deploy/alerts.yml');
const DASHBOARD = resolve('deploy/grafana.json');

/** A series that an alert rises by, as promtool has it: a first value, and what comes to it each minute. */
const CAUSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  TelleDown: { up: '0x20' },
  TelleDatabaseFails: { 'telle_database_failures_total{asked="commit"}': '0+60x20' },
  TelleRefusesAsUnavailable: { 'telle_refusals_total{code="unavailable"}': '0+600x20' },
  TelleCommitsSlowly: {
    'telle_commit_seconds_bucket{le="0.5"}': '0x20',
    'telle_commit_seconds_bucket{le="1"}': '0+60x20',
    'telle_commit_seconds_bucket{le="+Inf"}': '0+60x20',
  },
  TelleQueueIsLong: { telle_waiting_commands: '6000x20' },
  TelleRedisTrouble: { 'telle_redis_trouble{part="nodes"}': '1x20' },
  TelleIngressWaits: { telle_ingress_entries: '2000x20' },
  TelleDeadLetters: { 'telle_dead_letters_total{code="bad_frame"}': '_x4 1x20' },
  TelleWriteAheadLogIsLarge: { telle_sqlite_wal_bytes: '300000000x20' },
  TelleEventLoopIsLate: { nodejs_eventloop_lag_p99_seconds: '0.5x20' },
  TelleConnectionsAreScarce: { 'telle_pool_waiting{pool="readers"}': '3x20' },
  TelleDealersAreLocked: { telle_locked_dealers: '1x20' },
  TelleErasingStalls: { 'telle_due{work="erasure"}': '1x20' },
  TelleDoesNotPublish: { telle_unpublished_seconds: '90x20' },
  TelleSocketsDoNotRead: { 'telle_memory_bytes{kind="sockets"}': '300000000x20' },
  TelleFilesAreScarce: { process_open_fds: '95x20', process_max_fds: '100x20' },
};

const ofNode = (name: string): string =>
  name.includes('{') ? name.replace('{', '{job="telle",instance="n1",') : `${name}{job="telle",instance="n1"}`;

/** Names of series in queries: what is followed by labels. */
const namesIn = (queries: string): string[] => [
  ...new Set([...queries.matchAll(/\b([a-z][a-z0-9_]*)\{/g)].map(([, name = '']) => name)),
];

/** All that a server may show. */
async function shown(): Promise<Set<string>> {
  const metrics = new Metrics();
  metrics.showBuild('0');
  metrics.showPresence(() => ({}));
  metrics.showTroubles(() => []);
  for (const show of [metrics.showWal, metrics.showMemory, metrics.showIngress]) show.call(metrics, () => 0);
  for (const show of [metrics.showPools, metrics.showWork]) show.call(metrics, () => ({}));
  metrics.showJournal({ waiting: () => 0, locked: () => 0 });
  metrics.showDue(() => ({ work: {}, letterAge: 0 }));
  metrics.showUnpublished(() => ({ dealers: 0, ms: 0 }));
  const text = await metrics.text();
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    families.flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  );
}

describe('the alerts', () => {
  test('are rules that Prometheus takes', () => {
    const { isGood, said } = promtool('check', 'rules', RULES);
    assert.ok(isGood, said);
    assert.match(said, new RegExp(`${Object.keys(CAUSES).length} rules found`));
  });

  for (const [alert, causes] of Object.entries(CAUSES)) {
    test(`${alert} rises by its cause, and by nothing else`, () =>
      inFolder(async (folder) => {
        const file = join(folder, 'case.json');
        const series = Object.entries(causes).map(([name, values]) => ({ series: ofNode(name), values }));
        const query = (expr: string, samples: object[]) => ({ expr, eval_time: '15m', exp_samples: samples });
        const count = (expr: string) => query(`count(count by (alertname) (${expr}))`, [{ labels: '{}', value: 1 }]);
        const promql_expr_test = [
          count('ALERTS{alertstate="firing"}'),
          count(`ALERTS{alertstate="firing",alertname="${alert}"}`),
        ];
        // JSON is YAML.
        const tests = [{ interval: '1m', input_series: series, promql_expr_test }];
        await writeFile(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
        const { isGood, said } = promtool('test', 'rules', file);
        assert.ok(isGood, said);
      }));
  }
});

describe('the dashboard', () => {
  test('shows how many letters of a code there were in an hour, from the first on', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'case.json');
      const expr = JSON.parse(await readFile(DASHBOARD, 'utf8')).panels.find(
        ({ title }: { title: string }) => title === 'Dead letters an hour',
      ).targets[0].expr;
      const letters = (code: string) => ofNode(`telle_dead_letters_total{code="${code}"}`);
      const at = (eval_time: string, counts: Readonly<Record<string, number>>) => ({
        expr: expr.replaceAll('$job', 'telle'),
        eval_time,
        exp_samples: Object.entries(counts).map(([code, value]) => ({ labels: `{code="${code}"}`, value })),
      });
      const promql_expr_test = [
        at('10m', { bad_frame: 1 }),
        at('30m', { bad_frame: 3 }),
        at('100m', { bad_frame: 0, too_large: 2 }),
      ];
      // A series begins with the first letter of its code.
      const input_series = [
        { series: letters('bad_frame'), values: '_x4 1x14 3x100' },
        { series: letters('too_large'), values: '_x89 2x30' },
      ];
      await writeFile(file, JSON.stringify({ tests: [{ interval: '1m', input_series, promql_expr_test }] }));
      const { isGood, said } = promtool('test', 'rules', file);
      assert.ok(isGood, said);
    }));
});

describe('what is asked of Prometheus', () => {
  /** Prometheus makes it itself. */
  const ITS_OWN = ['up'];

  for (const file of [RULES, DASHBOARD]) {
    test(`names only what a server shows: ${file.split('/').slice(-2).join('/')}`, async () => {
      const names = namesIn(await readFile(file, 'utf8'));
      assert.ok(names.length > 5, names.join(', '));
      const known = await shown();
      assert.deepEqual(
        names.filter((name) => !known.has(name) && !ITS_OWN.includes(name)),
        [],
      );
    });
  }
});
