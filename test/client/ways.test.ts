/** [P-22.3] When a client goes by a stream, and when it tries a WebSocket again. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import type { Socket } from '../../src/client/types.ts';
import { Ways } from '../../src/client/ways.ts';

/** A class that is only looked at. */
const named = () =>
  class implements Socket {
    onopen: unknown;
    onmessage: unknown;
    onclose: unknown;
    onerror: unknown;
    send(): void {}
    close(): void {}
  };
const [webSocket, Stream] = [named(), named()];
let servers = 0;

const MINUTE = 60_000;

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 }));
afterEach(() => mock.timers.reset());

/** Ways to a server, by default one that nobody has asked for before. */
function ways(url = `ws://server-${++servers}/ws`) {
  const own = new Ways(url, webSocket, async () => ({ Stream }));
  const isStream = async () => (await own.next()) === Stream;
  return {
    url,
    isStream,
    /** Tries so many times in vain. @returns which of them were by a stream */
    async inVain(times: number, isHung = false): Promise<boolean[]> {
      const tried: boolean[] = [];
      for (let time = 0; time < times; time += 1) {
        tried.push(await isStream());
        own.broke(isHung);
      }
      return tried;
    },
    worked: () => own.worked(),
  };
}

describe('[P-22.3] the way of a client', () => {
  test('is a stream after two WebSockets in vain, and where that is in vain, too, they take turns', async () => {
    assert.deepEqual(await ways().inVain(6), [false, false, true, false, true, false]);
  });

  test('is a stream after one WebSocket that was not answered', async () => {
    assert.deepEqual(await ways().inVain(2, true), [false, true]);
  });

  test('stays a stream for ten minutes where that has worked, for every client of that server', async () => {
    const own = ways();
    await own.inVain(2);
    assert.equal(await own.isStream(), true);
    own.worked();
    mock.timers.tick(9 * MINUTE);
    assert.equal(await own.isStream(), true);
    own.worked();
    assert.equal(await ways(own.url).isStream(), true);
    assert.equal(await ways().isStream(), false);
    mock.timers.tick(2 * MINUTE);
    assert.equal(await own.isStream(), false);
  });

  test('is a WebSocket for 30 s where one has worked, however many are in vain', async () => {
    const own = ways();
    await own.isStream();
    own.worked();
    assert.ok(!(await own.inVain(50)).includes(true));
    mock.timers.tick(30_000);
    assert.equal(await own.isStream(), true);
  });
});
