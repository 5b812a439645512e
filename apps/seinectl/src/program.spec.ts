import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from './program.js';
import { FakeIo } from './testing/fake-io.js';
import { FakeState } from './testing/fake-state.js';

let io: FakeIo;
let state: FakeState;
beforeEach(async () => {
  io = new FakeIo();
  state = await FakeState.create();
  io.env['SEINE_STATE'] = state.dir;
});
afterEach(() => state.remove());

const nothingRuns = /^error: no mesh is running: start one with npm start\n$/;

describe('run', () => {
  it.each<[string[], number, RegExp, RegExp]>([
    [['--version'], 0, /^0\.1\.0\n$/, /^$/],
    [['version'], 0, /^seinectl 0\.1\.0 \(Node \d+/, /^$/],
    [['version', '-o', 'json'], 0, /^\{\n {2}"seinectl": "0\.1\.0",\n {2}"node": "/, /^$/],
    [['--help'], 0, /proxy-status\|ps/, /^$/],
    [['help', 'apply'], 0, /Usage: seinectl apply/, /^$/],
    [[], 2, /^$/, /Usage: seinectl/],
    [['workload'], 2, /^$/, /unknown command 'workload'\n\(Did you mean workloads\?\)/],
    [['pc', 'cluster'], 2, /^$/, /missing required argument 'workload'/],
    [['pc', 'clusters', 'a', '--port', '70000'], 2, /^$/, /A port is 0 to 65535/],
    [['workloads', '--oops'], 2, /^$/, /unknown option '--oops'/],
    [['workloads', '-o', 'xml'], 2, /^$/, /Allowed choices are table, json, yaml/],
    [['proxy-status', '--wait', '--timeout', 'soon'], 2, /^$/, /--timeout: soon is not a duration/],
    [['apply'], 2, /^$/, /what to apply\? Give -f FILE/],
    [['delete'], 2, /^$/, /what to delete\? Give KIND NAME/],
    [['proxy-status', '--pilot-admin', 'nowhere'], 2, /^$/, /--pilot-admin: nowhere is not host:port/],
    [['workloads'], 1, /^$/, nothingRuns],
    [['status', '-o', 'json'], 1, /^$/, nothingRuns],
    [['down'], 1, /^$/, nothingRuns],
    [['ps'], 1, /^$/, nothingRuns],
    [['pc', 'c', 'productpage'], 1, /^$/, nothingRuns],
  ])('%j exits with %d', async (args, code, stdout, stderr) => {
    expect(await run(args, io)).toBe(code);
    expect(io.stdout).toMatch(stdout);
    expect(io.stderr).toMatch(stderr);
  });

  it('shows a stack only with --debug', async () => {
    await run(['workloads'], io);
    expect(io.stderr).not.toMatch(/ {4}at /);
    await run(['workloads', '--debug'], io);
    expect(io.stderr).toMatch(/ {4}at /);
  });

  it('does not stop a process that is not a mesh', async () => {
    await state.write({});
    expect(await run(['down'], io)).toBe(1);
    expect(io.stderr).toMatch(nothingRuns);
  });
});
