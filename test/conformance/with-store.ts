import type { Store } from '../../src/store/store.ts';

/** Opens an empty store of its own for one test, its tables up to date, and closes it after. */
export type WithStore = (use: (store: Store) => Promise<void>) => () => Promise<void>;
