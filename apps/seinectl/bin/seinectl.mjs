#!/usr/bin/env node
// What `npx seinectl` runs inside the repository: the built program, or one sentence on how to build it.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('seinectl is not built yet: run npm run build first\n');
  process.exitCode = 1;
}
