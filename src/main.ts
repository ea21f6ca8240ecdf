#!/usr/bin/env node
import { run } from './cli/run.ts';

// Not awaited: the one executable is CommonJS, which cannot. `run` never rejects.
void run(process.argv.slice(2));
