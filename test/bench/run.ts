/**
 * `npm run bench`: every shape, every peer, in turns, and one table of ratios each. `--quick` only sees that all of it
 * works; `--shape dealers,busy`, `--peer telle,bare` and `--rounds 1` take less; `--write docs/benchmarks.md` keeps it,
 * beside what stands there of shapes that were not measured.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { documentOf, type Measured } from './document.ts';
import type { Figures } from './metrics.ts';
import { type Outcome, targetLines, targetsTold, told } from './report.ts';
import { type Contest, SHAPES, type Shape } from './shapes.ts';
import { FULL, QUICK } from './sizes.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    shape: { type: 'string' },
    peer: { type: 'string' },
    rounds: { type: 'string' },
    write: { type: 'string' },
  },
});
const preset = values.quick ? QUICK : FULL;
const sizes = { ...preset, rounds: Number(values.rounds ?? preset.rounds) };
const shapes = values.shape?.split(',');
const peers = values.peer?.split(',');

/** Rotates, so that nobody is always the first. */
const turned = <T>(items: readonly T[], by: number): T[] => [...items.slice(by), ...items.slice(0, by)];

async function held(contest: Contest): Promise<Outcome> {
  const names = Object.keys(contest.contestants).filter((name) => peers?.includes(name) ?? true);
  const rounds: Record<string, Figures[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < sizes.rounds; round += 1) {
    const under = new Map(names.map((name) => [name, contest.contestants[name]?.()]));
    for (let turn = round; under.size > 0; turn += 1) {
      for (const [name, measurement] of turned([...under], turn % under.size)) {
        const { done, value } = (await measurement?.next()) ?? { done: true };
        if (done) under.delete(name);
        if (value) rounds[name]?.push(value);
      }
    }
  }
  return { contest, rounds };
}

const measured = new Map<string, Measured>();
for (const [name, shape] of Object.entries<Shape>(SHAPES)) {
  if (!(shapes?.includes(name) ?? true)) continue;
  const heading = `## ${name}\n\n${shape.what} ${sizes.rounds === 1 ? 'One round' : `${sizes.rounds} rounds`}.\n`;
  console.log(heading);
  const sections = [heading];
  const targets: string[] = [];
  for (const contest of shape.contests(sizes)) {
    const outcome = await held(contest);
    targets.push(...targetLines(name, outcome));
    sections.push(told(outcome));
    console.log(told(outcome));
  }
  measured.set(name, { section: sections.join('\n'), targets });
}
console.log(targetsTold([...measured.values()].flatMap(({ targets }) => targets)));
if (values.write !== undefined) await writeFile(values.write, documentOf(sizes, measured));
process.exit(0);
