#!/usr/bin/env node
/** Process entry: the command line, and what its outcome means as an exit code. */
import { createInterrupts } from './cli/interrupts.js';
import { run } from './cli/run.js';

process.exitCode = await run(process.argv, {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
  interrupts: createInterrupts(process),
});
