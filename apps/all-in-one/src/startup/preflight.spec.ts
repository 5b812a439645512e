import { describe, expect, it } from '@jest/globals';
import type { PlannedWorkload } from '../plan/planned-workload.js';
import { LoopbackHosting } from '../loopback/loopback-hosting.js';
import { checkPorts, type NeededPort } from './preflight.js';
import type { ListenOutcome } from './try-listen.js';

const workload = (fields: Partial<PlannedWorkload>): PlannedWorkload => ({
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'w', namespace: 'default' } },
  name: 'w',
  namespace: 'default',
  type: 'sidecar',
  interceptionMode: 'NONE',
  labels: {},
  serviceAccount: 'default',
  owner: 'reviews-v1',
  service: 'reviews',
  address: '127.20.1.1',
  inboundPort: 9080,
  appPorts: new Map([[9080, 19_100]]),
  adminPort: 15_100,
  httpProxyPort: 15_007,
  outboundCidr: '',
  prometheusPort: 15_090,
  readyPort: 0,
  ...fields,
});

const portsOfWorkloads = (workloads: readonly PlannedWorkload[]): readonly NeededPort[] =>
  new LoopbackHosting(undefined).neededPorts(workloads);
const xds: NeededPort = { host: '127.0.0.1', port: 15_010, who: 'pilot' };
const always =
  (outcome: ListenOutcome, at?: number) =>
  (_host: string, port: number): Promise<ListenOutcome> =>
    Promise.resolve(at === undefined || at === port ? outcome : 'free');

describe('ports of workloads', () => {
  it('are those its Envoy binds', () => {
    const router = workload({
      type: 'router',
      owner: 'gw',
      address: '127.0.0.1',
      inboundPort: 8080,
      appPorts: new Map(),
      httpProxyPort: 0,
      prometheusPort: 0,
    });
    expect(portsOfWorkloads([workload({}), router])).toEqual([
      { host: '127.20.1.1', port: 9080, who: 'the Envoy of reviews-v1' },
      { host: '127.20.1.1', port: 15_007, who: 'the Envoy of reviews-v1' },
      { host: '127.20.1.1', port: 15_090, who: 'the Envoy of reviews-v1' },
      { host: '127.0.0.1', port: 8080, who: 'gateway gw' },
    ]);
  });
});

describe('the preflight', () => {
  it('passes where all is free', async () => {
    await expect(checkPorts([xds], always('free'))).resolves.toBeUndefined();
  });

  it.each<[ListenOutcome, string]>([
    [
      'in-use',
      'Port 15010 on 127.0.0.1 is in use, and pilot needs it: stop the program that has it (lsof -i :15010 names it).',
    ],
    ['no-address', '127.0.0.1 is no address of this machine, and pilot needs it.'],
    ['denied', 'Port 15010 on 127.0.0.1 is not for this user, and pilot needs it.'],
  ])('says of a port that is %s: %s', async (outcome, sentence) => {
    await expect(checkPorts([{ ...xds, port: 1 }, xds], always(outcome, 15_010))).rejects.toThrow(sentence);
  });

  it('names two that want one port', async () => {
    const two = portsOfWorkloads([workload({}), workload({ owner: 'other' })]);
    await expect(checkPorts(two, always('free'))).rejects.toThrow(
      'the Envoy of other and the Envoy of reviews-v1 both want 127.20.1.1:9080',
    );
  });
});
