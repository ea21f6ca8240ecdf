/** The account of what was done, and of who was refused, as it is kept and as the log has it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Audit, changedSettings, recordCommand } from '../../src/journal/audit.ts';

type Kept = Parameters<ConstructorParameters<typeof Audit>[0]['keepActs']>[0][number];

/** An audit, what it keeps, and what it says to the log. */
function audited() {
  const kept: Kept[] = [];
  const lines: object[] = [];
  const store = { keepActs: async (acts: readonly Kept[]) => void kept.push(...acts) };
  const log = { info: (fields: object, msg: string) => void lines.push({ ...fields, msg }) };
  return { kept, lines, store, audit: new Audit(store, log) };
}

const act = { dealerId: 'd1', by: 'admin:a1', action: 'export', route: '/export', address: '192.0.2.1' } as const;

describe('an act', () => {
  it('is told and kept with what is known of it, and when', async () => {
    const { audit, kept, lines } = audited();
    await audit.record(act);
    await audit.record({ ...act, detail: 'claims' }, { requestId: 'r1' });
    const [first, second] = kept;
    assert.ok(first && second);
    const { auditId, at, ...rest } = first;
    assert.deepEqual(rest, { ...act, detail: null });
    assert.match(auditId, /^[0-9a-z]{9}-[0-9a-f]{12}$/);
    assert.ok(Math.abs(Date.now() - at) < 10_000);
    assert.ok(first.auditId.slice(0, 9) <= second.auditId.slice(0, 9), 'ids are in the order of time');
    assert.equal(second.detail, 'claims');
    assert.deepEqual(lines, [
      { ...act, msg: 'done' },
      { ...act, detail: 'claims', requestId: 'r1', msg: 'done' },
    ]);
  });

  it('of a command is of whoever may run it, and told to no log', async () => {
    const { store, kept } = audited();
    await recordCommand(store, 'telle prune', { dealerId: 'd1', action: 'erase_group' });
    const [{ by, route, address, action } = assert.fail('not kept')] = kept;
    assert.deepEqual([by, route, address, action], ['cli', 'telle prune', null, 'erase_group']);
  });
});

describe('a refusal', () => {
  const said = { code: 'unauthorized', address: '192.0.2.1', route: '/ws' };
  const cause = { requestId: 'r1' };
  const refusal = { ...said, cause };
  const line = { ...said, ...cause, msg: 'refused' };

  it('is told once a second of one address with one code, and then how many there were between', async () => {
    const { audit, lines } = audited();
    for (let n = 0; n < 3; n += 1) audit.refused(refusal);
    audit.refused({ ...refusal, code: 'forbidden' });
    audit.refused({ ...refusal, address: '192.0.2.2' });
    assert.deepEqual(lines, [line, { ...line, code: 'forbidden' }, { ...line, address: '192.0.2.2' }]);
    await sleep(1005);
    audit.refused(refusal);
    audit.refused({ ...refusal, code: 'forbidden' });
    assert.deepEqual(lines.slice(3), [
      { ...line, more: 2 },
      { ...line, code: 'forbidden' },
    ]);
  });

  it('is told to nobody where there is no log', () => {
    const { store, kept } = audited();
    new Audit(store, null).refused(refusal);
    assert.deepEqual(kept, []);
  });

  it('is told anew once 10,000 others have been', () => {
    const { audit, lines } = audited();
    const told = (address: string) => {
      const before = lines.length;
      audit.refused({ ...refusal, address });
      return lines.length > before;
    };
    for (let n = 0; n < 10_000; n += 1) told(`address ${n}`);
    assert.equal(told('address 0'), false);
    assert.equal(told('one more'), true);
    assert.equal(told('address 0'), true);
  });
});

describe('a change of a dealer', () => {
  it('names the settings that are no longer what they were, and no values', () => {
    const before = { dealerId: 'd1', name: 'Cars', origins: ['*'], email: 'a@b.c' };
    const changed = (after: object) => changedSettings(before, { dealerId: 'd1', ...after });
    assert.equal(changed({ ...before }), '');
    assert.equal(
      changed({ name: 'Cars', origins: ['*', 'https://a.example'], retentionDays: 7 }),
      'origins email retentionDays',
    );
    assert.equal(changedSettings(null, { dealerId: 'd1', name: 'Cars' }), 'name');
  });
});

describe('a page that is turned away', () => {
  const page = { origin: 'https://cars.example', dealerId: 'd1', code: 'forbidden' } as const;

  it('is told once a minute, whoever asks how often', (t) => {
    t.mock.method(performance, 'now', () => now);
    let now = 100_000;
    const { audit, lines } = audited();
    for (let asked = 0; asked < 5; asked += 1) audit.turnedAway(page);
    audit.turnedAway({ ...page, code: 'unknown_dealer', dealerId: 'd2' });
    const told = [
      { code: 'forbidden', dealerId: 'd1', origin: 'https://cars.example', msg: 'a page was turned away' },
      { code: 'unknown_dealer', dealerId: 'd2', origin: 'https://cars.example', msg: 'a page was turned away' },
    ];
    assert.deepEqual(lines, told);
    now += 61_000;
    audit.turnedAway(page);
    assert.deepEqual(lines, [...told, told[0]]);
  });

  it('fills no log, whatever origins somebody invents', () => {
    const { audit, lines } = audited();
    for (let one = 0; one < 1_000; one += 1)
      audit.turnedAway({ ...page, origin: `https://${one}.${'x'.repeat(5_000)}` });
    assert.equal(lines.length, 20);
    assert.ok(JSON.stringify(lines[0]).length < 400);
  });
});
