// Runs one part of the tests (unit or e2e) in Jest's ESM mode and ends with the line "N passed, N failed".
// Further arguments go to Jest: `npm test -- libs/compile`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const [part, ...rest] = process.argv.slice(2);
const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'seine-jest-')), 'report.json');
// ES modules of finished suites stay in a worker's memory: one that holds too much makes way for a new one.
const workers = part === 'e2e' ? ['--runInBand'] : ['--maxWorkers=2', '--workerIdleMemoryLimit=1500MB'];
const jest = ['--selectProjects', part, '--json', `--outputFile=${report}`, ...workers];
const run = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...jest, ...rest],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
if (!fs.existsSync(report)) {
  console.log('0 passed, 1 failed');
  process.exit(run.status || 1);
}
const result = JSON.parse(fs.readFileSync(report, 'utf8'));
// A suite that did not even load counts as one failure; a skipped test is a test that did not pass.
const failed = result.numFailedTests + result.numRuntimeErrorTestSuites + result.numPendingTests;
console.log(`${result.numPassedTests} passed, ${failed} failed`);
process.exit(failed > 0 || result.numTotalTests === 0 ? 1 : 0);
