/** What a good engineer writes in a day: `ws`, better-sqlite3, a transaction for each turn of the event loop. */
import { serve } from './rooms.ts';
import { microBatched } from './store.ts';

serve(microBatched());
