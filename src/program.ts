/** The program, once it is known that this Node.js can run it. */
import { setFlagsFromString } from 'node:v8';
import { run } from './cli/run.ts';

// What is read from sockets is garbage at once, whatever V8 makes of how long it lasted while a process was young:
// docs/decisions/0014-garbage-stays-young.md.
setFlagsFromString('--no-allocation-site-pretenuring');

await run(process.argv.slice(2));
