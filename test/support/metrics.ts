/** Reads what `GET /metrics` answers, as Prometheus does: strictly, by its text format 0.0.4. */
import assert from 'node:assert/strict';
import { ask } from './ask.ts';
import type { TestServer } from './server.ts';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?[0-9.e+-]+|N[aA][nN]|[+-]Inf)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** One reading of all metrics. */
export class Reading {
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.samples = read(text);
  }

  /** The value of the samples with these labels, summed; 0 where there are none, as Prometheus has it of a counter. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.#of(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  /** What there is of a label, and the value of each. */
  by(name: string, label: string): Record<string, number> {
    return Object.fromEntries(this.#of(name, {}).map(({ labels, value }) => [labels[label] ?? '', value]));
  }

  #of(name: string, wanted: Readonly<Record<string, string>>): Sample[] {
    return this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(wanted).every(([label, value]) => sample.labels[label] === value),
    );
  }
}

function read(text: string): Sample[] {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, helpOf] = HELP.exec(line) ?? [];
    const [, typeOf, type] = TYPE.exec(line) ?? [];
    if (helpOf !== undefined) helped.add(helpOf);
    else if (typeOf !== undefined && type !== undefined) {
      assert.ok(helped.has(typeOf) && !types.has(typeOf), `${typeOf} is explained once`);
      types.set(typeOf, type);
    } else {
      const sample = sampleIn(line);
      const family = types.has(sample.name) ? sample.name : sample.name.replace(/_(bucket|sum|count)$/, '');
      assert.ok(types.has(family), `${line}: of which type?`);
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).toSorted()]);
      assert.ok(!seen.has(key), `${line}: a second time`);
      seen.add(key);
      samples.push(sample);
    }
  }
  for (const [name, type] of types) if (type === 'histogram') assertHistogram(name, samples);
  return samples;
}

function sampleIn(line: string): Sample {
  const [, name = '', inner = '', number = ''] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inner.length) {
    const [, label = '', value = ''] = LABEL.exec(inner) ?? assert.fail(`no labels: ${line}`);
    labels[label] = value.replace(/\\[\\"n]/g, (escaped) => ESCAPES[escaped] ?? '');
  }
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) };
}

/** Buckets hold what those before them hold, and the last one everything. */
function assertHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, Sample[]>();
  for (const sample of samples.filter((each) => each.name === `${name}_bucket`)) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).toSorted());
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, buckets] of series) {
    const values = buckets.map(({ value }) => value);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
      `${name} ${key} is cumulative`,
    );
    const count = samples.find((each) => {
      return each.name === `${name}_count` && JSON.stringify(Object.entries(each.labels).toSorted()) === key;
    });
    assert.deepEqual([buckets.at(-1)?.labels.le, values.at(-1)], ['+Inf', count?.value], `${name} ${key}`);
  }
}

/** What a server shows now. */
export async function readMetrics(server: TestServer): Promise<Reading> {
  const { status, headers, text } = await ask(server, '/metrics');
  assert.deepEqual([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8']);
  return new Reading(text);
}
