/** How it is run: what the unit, the manifests, the compose file and the image say of Telle is what Telle has. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { sqliteFile } from '../../schemas/settings.ts';
import { DRAIN_LIMIT } from '../../src/cli/serve.ts';
import { readSettings, secondsOf } from '../../src/cli/settings.ts';
import { SOURCE_NAMES } from '../../src/cli/sources.ts';
import { timingOf } from '../../src/timing.ts';
import { withRoutes } from '../support/routes.ts';
import { inFolder, startServer } from '../support/server.ts';
import { systemdAnalyze } from '../support/systemd.ts';

type Environment = Readonly<Record<string, string>>;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface Container {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: object;
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly secret: { readonly secretName: string } }[];
  readonly securityContext: object;
}
interface Deployment {
  readonly spec: {
    readonly selector: { readonly matchLabels: object };
    readonly strategy: { readonly rollingUpdate: object };
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: Pod };
  };
}
interface Budget {
  readonly spec: { readonly selector: { readonly matchLabels: object } };
}
interface Service {
  readonly spec: { readonly selector: object; readonly ports: readonly { readonly targetPort: string }[] };
}
interface Compose {
  readonly services: { readonly node1: { readonly environment: Environment; readonly stop_grace_period: string } };
}

const read = (path: string): string => readFileSync(path, 'utf8');

const UNIT = read('deploy/telle.service');
/** What the unit says by a name, in each line that has it. */
const inUnit = (name: string): string[] =>
  [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);

const DOCKERFILE = read('Dockerfile');
const COMPOSE: Compose = parse(read('compose.yaml'));
const { node1 } = COMPOSE.services;
const MANIFESTS = parseAllDocuments(read('deploy/kubernetes.yaml')).map((document) => document.toJS());
const manifest = (kind: string) => MANIFESTS.find((each) => each.kind === kind);
const deployment: Deployment = manifest('Deployment');
const budget: Budget = manifest('PodDisruptionBudget');
const service: Service = manifest('Service');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const PROBES = [container.startupProbe, container.livenessProbe, container.readinessProbe];

/** Words of the form NAME=value. */
const assigned = (text: string): Environment =>
  Object.fromEntries([...text.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]));

/** As compose puts in what it is given. */
const filledIn = (text: string): string =>
  text.replace(/\$\{\w+(:[-?])([^}]*)\}/g, (_, how, words) => (how === ':-' ? words : 'given'));

const ENVIRONMENTS: Readonly<Record<string, Environment>> = {
  Dockerfile: assigned(/^ENV ((?:.*\\\n)*.*)$/m.exec(DOCKERFILE)?.[1] ?? ''),
  'compose.yaml': Object.fromEntries(Object.entries(node1.environment).map(([name, value]) => [name, filledIn(value)])),
  'deploy/kubernetes.yaml': Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
  'deploy/telle.service': assigned(inUnit('Environment').join(' ')),
};
/** Variables that are no setting: they are Node.js's, or the system's. */
const OTHERS = ['NODE_ENV', 'XDG_CACHE_HOME'];

/** Seconds after which a node is killed that was asked to end. */
const GRACES: Readonly<Record<string, number>> = {
  'compose.yaml': secondsOf(node1.stop_grace_period),
  'deploy/kubernetes.yaml': pod.terminationGracePeriodSeconds,
  'deploy/telle.service': secondsOf(inUnit('TimeoutStopSec').join()),
};

const PROBED: Readonly<Record<string, readonly (string | undefined)[]>> = {
  Dockerfile: [/^HEALTHCHECK.*\n.* path: '([^']+)'/m.exec(DOCKERFILE)?.[1]],
  'deploy/Caddyfile': [/health_uri (\S+)/.exec(read('deploy/Caddyfile'))?.[1]],
  'deploy/haproxy.cfg': [/option httpchk GET (\S+)/.exec(read('deploy/haproxy.cfg'))?.[1]],
  'deploy/kubernetes.yaml': PROBES.map(({ httpGet }) => httpGet.path),
};

/** Durations of a node among others, with what a file sets of them. */
const timingIn = (file: string) =>
  timingOf(
    readSettings({ ...ENVIRONMENTS[file], REDIS_URL: 'redis://redis', DATABASE_URL: 'postgres://u:p@postgres/telle' }),
  );

describe('what is set', () => {
  for (const [file, environment] of Object.entries(ENVIRONMENTS)) {
    test(`is a setting, with a value that it takes: ${file}`, () => {
      const names = Object.keys(environment);
      assert.ok(names.length > 3, names.join());
      assert.deepEqual(
        names.filter((name) => ![...SOURCE_NAMES, ...OTHERS].includes(name)),
        [],
      );
      readSettings(environment);
    });
  }
});

describe('what is probed', () => {
  let routes: ReadonlySet<string>;
  before(async () => {
    const { built, routes: all } = await withRoutes(() => startServer());
    await built.close();
    routes = new Set(all.filter(({ method }) => method === 'GET').map(({ url }) => url));
  });

  for (const [file, paths] of Object.entries(PROBED)) {
    test(`is a route: ${file}`, () => {
      for (const path of paths) assert.ok(path !== undefined && routes.has(path), path);
    });
  }
});

describe('a node that is asked to end', () => {
  for (const [file, grace] of Object.entries(GRACES)) {
    test(`has longer than a drain takes before it is killed: ${file}`, () => {
      const { drainPause, drainSpread } = timingIn(file);
      assert.ok(grace * 1000 > drainPause + drainSpread + DRAIN_LIMIT, `${grace} s`);
    });
  }

  test('is seen to do so by Kubernetes before its sockets are closed', () => {
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    assert.ok(periodSeconds * failureThreshold * 1000 <= timingIn('deploy/kubernetes.yaml').drainPause);
  });
});

describe('the unit of systemd', () => {
  /** For this machine, which has no Telle. */
  const withUnit = (use: (file: string) => void) =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.service');
      await writeFile(file, UNIT.replace('/usr/local/bin/telle', process.execPath));
      use(file);
    });

  test('is one that systemd takes', () =>
    withUnit((file) => {
      assert.deepEqual(systemdAnalyze('verify', '--man=no', file), { isGood: true, said: '' });
    }));

  test('leaves the service hardly anything to harm', () =>
    withUnit((file) => {
      // Of 100.
      const { isGood, said } = systemdAnalyze('security', '--offline=yes', '--no-pager', '--threshold=20', file);
      assert.ok(isGood, said);
      assert.match(said, /Overall exposure level for telle\.service: 1\.\d/);
    }));

  test('lets it write where it is told to', () => {
    const { DATABASE_URL = '', XDG_CACHE_HOME } = ENVIRONMENTS['deploy/telle.service'] ?? {};
    assert.equal(sqliteFile({ DATABASE_URL }), `/var/lib/${inUnit('StateDirectory').join()}/telle.db`);
    assert.equal(`${XDG_CACHE_HOME}/${inUnit('CacheDirectory').join()}`, '/var/cache/telle');
  });
});

describe('the manifests of Kubernetes', () => {
  test('mean the same pods', () => {
    const { labels } = deployment.spec.template.metadata;
    for (const selected of [
      deployment.spec.selector.matchLabels,
      budget.spec.selector.matchLabels,
      service.spec.selector,
    ])
      assert.deepEqual(selected, labels);
  });

  test('lead clients and probes to where the image listens, and nobody to the metrics', () => {
    const ports = new Map(container.ports.map(({ name, containerPort }) => [name, String(containerPort)]));
    const asked = [
      ...PROBES.map(({ httpGet }) => httpGet.port),
      ...service.spec.ports.map(({ targetPort }) => targetPort),
    ];
    for (const port of asked) assert.equal(ports.get(port), ENVIRONMENTS.Dockerfile?.PORT);
    assert.equal(ports.get('metrics'), ENVIRONMENTS['deploy/kubernetes.yaml']?.METRICS_PORT);
  });

  test('mount the secret where its files are looked for', () => {
    const files = container.env.filter(({ name }) => name.endsWith('_FILE'));
    assert.equal(files.length, 3);
    const [mount] = container.volumeMounts;
    for (const { value } of files) assert.match(value, new RegExp(`^${mount?.mountPath}/[a-z-]+$`));
    assert.deepEqual(pod.volumes, [{ name: mount?.name, secret: { secretName: 'telle' } }]);
  });

  test('start new nodes before old ones end', () => {
    assert.deepEqual(deployment.spec.strategy.rollingUpdate, { maxSurge: '100%', maxUnavailable: 0 });
  });

  test('let a pod do nothing but serve', () => {
    assert.deepEqual(pod.securityContext, {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });
});
