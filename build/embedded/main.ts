/** The entry of the one executable: who has nothing but it, and starts it, gets a server. */
import { run } from '../../src/cli/run.ts';

const args = process.argv.slice(2);
// Not awaited: inside, all is CommonJS. It never rejects.
void run(args.length === 0 ? ['serve'] : args);
