/** A journal on a store alone: what it stores is told to no socket, unless a bus is given. */
import assert from 'node:assert/strict';
import { MemoryBus } from '../../src/bus/memory.ts';
import { Journal } from '../../src/journal/journal.ts';

type Options = ConstructorParameters<typeof Journal>[0];

/** @param more what is different: by default a fault fails the test that met it */
export const journalOn = (store: Options['store'], more: Partial<Options> = {}): Journal =>
  new Journal({
    store,
    bus: new MemoryBus(),
    policy: { autoMute: true },
    now: Date.now,
    onCommit: () => {},
    onLocked: () => {},
    onFault: (fault) => assert.fail(String(fault)),
    ...more,
  });
