import { MemoryBus } from '../../src/bus/memory.ts';
import { describeBus } from '../conformance/bus.ts';

describeBus('memory', async () => {
  const bus = new MemoryBus();
  return { bus, close: () => bus.close() };
});
