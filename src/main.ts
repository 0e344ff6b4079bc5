#!/usr/bin/env node
/** Process entry: the command line, and what its outcome means as an exit code. */
import { createProgram } from './cli/program.js';

await createProgram({ env: process.env, stderr: process.stderr }).parseAsync(process.argv);
