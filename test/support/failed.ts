/** Names the files in which a test failed, a line each: a reporter of `node --test`. */
import type { TestEvent } from 'node:test/reporters';

export default async function* failed(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const named = new Set<string>();
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || !data.file || named.has(data.file)) continue;
    named.add(data.file);
    yield `${data.file}\n`;
  }
}
