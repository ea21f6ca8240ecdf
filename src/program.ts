/** The program, once it is known that this Node.js can run it. */
import { run } from './cli/run.ts';

await run(process.argv.slice(2));
