// Formatter, then linter. The rule on module boundaries needs Nx's project graph, which is made first: without it the rule would pass unseen.
import { spawnSync } from 'node:child_process';

process.env.NX_DAEMON = 'false';
const steps = [
  ['prettier', '--check', '--log-level', 'warn', '.'],
  ['nx', 'show', 'projects'],
  ['eslint', '.', ...process.argv.slice(2)],
];
for (const [tool, ...args] of steps) {
  const quiet = tool === 'nx';
  const { status, stdout } = spawnSync('npx', ['--no-install', tool, ...args], {
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', 'inherit'],
  });
  if (status !== 0) {
    if (quiet) process.stdout.write(stdout);
    process.exit(status ?? 1);
  }
}
