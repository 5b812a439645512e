#!/usr/bin/env node
import { processIo } from './io.js';
import { run } from './program.js';

// `seinectl get … | head` closes our output early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), processIo());
