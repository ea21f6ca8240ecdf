/** [P-12] What holds of a wait whatever happens, in whatever order, and whenever it is looked at. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IDS } from './deciding.ts';
import { DAY } from './waiting-model.ts';
import { anySteps, Pair, type Step } from './waiting-steps.ts';

const RUNS = { numRuns: 600 };

/** Takes the steps, and looks after each. */
function taking(steps: readonly Step[], look: (pair: Pair) => void): Pair {
  const pair = new Pair();
  for (const step of steps) {
    step(pair);
    look(pair);
  }
  return pair;
}

/** The wait, as the group's row has it. */
function waitingOf({ group: { waitingSince, waitingFor } }: Pair) {
  return waitingSince === null ? null : { since: new Date(waitingSince).toISOString(), for: waitingFor };
}

describe('whatever happens to a wait', () => {
  it('who waits, who must answer, whose it is and who is muted are as the protocol, told again simply, has them', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        taking(steps, (pair) => {
          const { model, group } = pair;
          assert.deepEqual(waitingOf(pair), model.waiting);
          assert.deepEqual([group.mutedBy, group.assignee], [model.mutedBy, model.assignee]);
        });
      }),
      RUNS,
    );
  });

  it('that something is overdue is told once for each side and wait, and never after an answer [P-12.2]', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        let told = new Set<string>();
        for (const [, event] of taking(steps, () => {}).log) {
          if (event.type === 'OVERDUE') {
            assert.ok(!told.has('answered') && !told.has(event.for), `again of ${event.for}`);
            told.add(event.for);
          } else if ('waiting' in event && event.waiting === null) told = new Set(['answered']);
          else if ('waiting' in event) told.delete('answered');
        }
      }),
      RUNS,
    );
  });

  it('whatever falls due is looked at by then, by the conversation’s own due or with its dealer', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        taking(steps, ({ model, at, group, state, isBotElsewhere }) => {
          const due = model.fallsDue(at);
          if (due === null) return;
          const looked = Math.min(
            group.due ?? Number.POSITIVE_INFINITY,
            state.rules.lookAt ?? Number.POSITIVE_INFINITY,
          );
          assert.ok(looked <= Math.max(due, at) + (isBotElsewhere ? DAY : 0), `${looked - due} ms late`);
        });
      }),
      { numRuns: 1500 },
    );
  });

  it('a dealer is told to be open, and an admin to be here, as it is, but while it is to be looked at [P-13.2]', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        taking(steps, ({ model, at, state: { rules }, lastTold }) => {
          if (rules.lookAt !== null && rules.lookAt <= at) return;
          assert.deepEqual(lastTold, { open: model.isOpen(at), admins: model.admins.size > 0 });
        });
      }),
      RUNS,
    );
  });

  it('of an answer and a look at the same time the first wins [P-12.2]', () => {
    const anyAnswer = fc.constantFrom('bot', 'admin', 'close');
    fc.assert(
      fc.property(anySteps, anyAnswer, fc.boolean(), (steps, by, isFirst) => {
        const pair = taking(steps, () => {});
        const answer = () =>
          by === 'close'
            ? pair.ask({ type: 'CLOSE_CHAT', ...IDS, user: 'customer' }, 'customer')
            : pair.ask({ type: 'UPDATE_MSG', ...IDS, user: by as 'admin', adminId: 'a1', message: 'Yes' });
        const from = pair.log.length;
        if (!isFirst) pair.wakes();
        answer();
        if (pair.group.waitingSince !== null) return;
        const answered = pair.log.length;
        pair.at += DAY;
        pair.wakes();
        const overdue = pair.log.slice(from).map(([, { type }], index) => (type === 'OVERDUE' ? from + index : -1));
        assert.ok(overdue.every((index) => index < answered && !(isFirst && index >= 0)));
      }),
      RUNS,
    );
  });
});
