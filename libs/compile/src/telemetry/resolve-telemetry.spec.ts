import { describe, expect, it } from '@jest/globals';
import type { Telemetry, TelemetrySpec } from '@seine/istio';
import { defaultMeshConfig, type MeshConfig, parseMeshConfig } from '@seine/model';
import { resolveTelemetry } from './effective-telemetry.js';
import type { Side } from './levels.js';
import { providerServices } from './providers.js';

const config = parseMeshConfig({
  extensionProviders: [
    { name: 'file', envoyFileAccessLog: { path: '/file' } },
    { name: 'zipkin', zipkin: { service: 'zipkin.tracing.svc.cluster.local', port: 9411 } },
    { name: 'otel', opentelemetry: { service: 'otel.tracing.svc.cluster.local', port: 4317 } },
  ],
}).config;
const withDefaults = (changes: Partial<MeshConfig['defaultProviders']>): MeshConfig => ({
  ...config,
  defaultProviders: { ...config.defaultProviders, ...changes },
});

let age = 0;
const telemetry = (namespace: string, spec: TelemetrySpec): Telemetry => ({
  apiVersion: 'telemetry.istio.io/v1',
  kind: 'Telemetry',
  metadata: { name: `t${age++}`, namespace },
  spec,
});
const root = (spec: TelemetrySpec) => telemetry('istio-system', spec);
const own = (spec: TelemetrySpec) => telemetry('default', spec);
const selecting = (spec: TelemetrySpec) => own({ selector: { matchLabels: { app: 'a' } }, ...spec });
const named = (...names: string[]) => names.map((name) => ({ name }));

describe('access logs', () => {
  const logs = (all: readonly Telemetry[], side: Side = 'CLIENT', mesh = config) =>
    resolveTelemetry(all, mesh, side).accessLogs?.map(({ provider, filter }) =>
      filter === undefined ? provider.name : `${provider.name} if ${filter}`,
    );
  const onlyClient = { match: { mode: 'CLIENT' } } as const;

  it.each<[what: string, all: Telemetry[], client: string[] | undefined, server: string[] | undefined]>([
    ['nothing is said', [], undefined, undefined],
    ['the mesh has some', [root({ accessLogging: [{ providers: named('envoy') }] })], ['envoy'], ['envoy']],
    ['names have another case', [root({ accessLogging: [{ providers: named('ENVOY') }] })], ['envoy'], ['envoy']],
    ['nobody is called so', [root({ accessLogging: [{ providers: named('nobody') }] })], undefined, undefined],
    [
      'one side is meant',
      [root({ accessLogging: [{ ...onlyClient, providers: named('file') }] })],
      ['file'],
      undefined,
    ],
    [
      'the nearest names others',
      [
        root({ accessLogging: [{ providers: named('envoy') }] }),
        own({ accessLogging: [{ providers: named('file') }] }),
      ],
      ['file'],
      ['file'],
    ],
    [
      'the namespace disables them',
      [root({ accessLogging: [{ providers: named('envoy') }] }), own({ accessLogging: [{ disabled: true }] })],
      [],
      [],
    ],
    [
      'the workload disables them on one side',
      [
        root({ accessLogging: [{ providers: named('envoy') }] }),
        selecting({ accessLogging: [{ ...onlyClient, disabled: true }] }),
      ],
      [],
      ['envoy'],
    ],
    [
      'a filter comes with the provider, and another in the namespace',
      [
        root({ accessLogging: [{ providers: named('envoy'), filter: { expression: 'a' } }] }),
        own({ accessLogging: [{ ...onlyClient, filter: { expression: 'b' } }] }),
      ],
      ['envoy if b'],
      ['envoy if a'],
    ],
    [
      'a filter is empty',
      [root({ accessLogging: [{ providers: named('envoy'), filter: { expression: '' } }] })],
      ['envoy'],
      ['envoy'],
    ],
    [
      'the same provider is named without filter',
      [
        root({ accessLogging: [{ providers: named('envoy'), filter: { expression: 'a' } }] }),
        own({ accessLogging: [{ providers: named('envoy') }] }),
      ],
      ['envoy'],
      ['envoy'],
    ],
    [
      'the oldest for the whole namespace counts only',
      [own({ accessLogging: [{ providers: named('file') }] }), own({ accessLogging: [{ providers: named('envoy') }] })],
      ['file'],
      ['file'],
    ],
    [
      'all that select the workload count',
      [
        selecting({ accessLogging: [{ providers: named('file', 'envoy') }] }),
        selecting({ accessLogging: [{ disabled: true }] }),
      ],
      [],
      [],
    ],
  ])('where %s', (_what, all, client, server) => {
    expect(logs(all)).toEqual(client);
    expect(logs(all, 'SERVER')).toEqual(server);
  });

  it('are those of the default providers, which a Telemetry without providers is about', () => {
    const mesh = withDefaults({ accessLogging: ['file'] });
    expect(logs([], 'CLIENT', mesh)).toEqual(['file']);
    expect(logs([own({ accessLogging: [{ filter: { expression: 'a' } }] })], 'CLIENT', mesh)).toEqual(['file if a']);
    expect(logs([own({ accessLogging: [{ disabled: true }] })], 'CLIENT', mesh)).toEqual([]);
  });
});

describe('metrics', () => {
  const metrics = (all: readonly Telemetry[], side: Side = 'CLIENT', mesh = config) => {
    const found = resolveTelemetry(all, mesh, side).metrics;
    return found && { disabled: [...found.disabled], tags: [...found.tags].map(([name, tags]) => [name, [...tags]]) };
  };
  const overriding = (...overrides: NonNullable<NonNullable<TelemetrySpec['metrics']>[number]['overrides']>) => ({
    metrics: [{ overrides }],
  });

  it('are on by default, without changes', () => {
    expect(metrics([])).toEqual({ disabled: [], tags: [] });
  });

  it('are off where the mesh has no provider, or none for Prometheus is named', () => {
    expect(metrics([], 'CLIENT', withDefaults({ metrics: [] }))).toBeUndefined();
    expect(metrics([root({ metrics: [{ providers: named('file') }] })])).toBeUndefined();
    expect(
      metrics([root({ metrics: [{ providers: named('prometheus') }] })], 'CLIENT', withDefaults({ metrics: [] })),
    ).toEqual({ disabled: [], tags: [] });
  });

  it.each<[what: string, all: Telemetry[], client: unknown, server: unknown]>([
    [
      'one metric is disabled',
      [root(overriding({ match: { metric: 'REQUEST_SIZE' }, disabled: true }))],
      { disabled: ['REQUEST_SIZE'], tags: [] },
      { disabled: ['REQUEST_SIZE'], tags: [] },
    ],
    [
      'the namespace enables it again',
      [
        root(overriding({ match: { metric: 'REQUEST_SIZE' }, disabled: true })),
        own(overriding({ match: { metric: 'REQUEST_SIZE', mode: 'CLIENT' }, disabled: false })),
      ],
      { disabled: [], tags: [] },
      { disabled: ['REQUEST_SIZE'], tags: [] },
    ],
    [
      'all of one side are disabled',
      [root(overriding({ match: { metric: 'ALL_METRICS', mode: 'SERVER' }, disabled: true }))],
      { disabled: [], tags: [] },
      undefined,
    ],
    ['all are disabled without a word of which', [root(overriding({ disabled: true }))], undefined, undefined],
    [
      'one is wanted after all',
      [
        root(overriding({ disabled: true })),
        own(overriding({ match: { customMetric: 'istio_requests_total' }, tagOverrides: { a: { value: 'x' } } })),
      ],
      { disabled: [], tags: [['REQUEST_COUNT', [['a', 'x']]]] },
      { disabled: [], tags: [['REQUEST_COUNT', [['a', 'x']]]] },
    ],
    [
      'a tag has no value',
      [root(overriding({ match: { metric: 'REQUEST_COUNT' }, tagOverrides: { a: {} } }))],
      { disabled: [], tags: [] },
      { disabled: [], tags: [] },
    ],
    [
      'tags add up, the nearest counts',
      [
        root(
          overriding({ match: { metric: 'REQUEST_COUNT' }, tagOverrides: { a: { value: 'x' }, b: { value: 'y' } } }),
        ),
        own(overriding({ match: { metric: 'REQUEST_COUNT' }, tagOverrides: { b: { operation: 'REMOVE' } } })),
      ],
      {
        disabled: [],
        tags: [
          [
            'REQUEST_COUNT',
            [
              ['a', 'x'],
              ['b', null],
            ],
          ],
        ],
      },
      expect.anything(),
    ],
  ])('where %s', (_what, all, client, server) => {
    expect(metrics(all)).toEqual(client);
    expect(metrics(all, 'SERVER')).toEqual(server);
  });
});

describe('tracing', () => {
  const tracing = (all: readonly Telemetry[], side: Side = 'CLIENT', mesh = config) => {
    const found = resolveTelemetry(all, mesh, side).tracing;
    return found && { ...found, provider: found.provider.name };
  };
  const base = {
    provider: 'zipkin',
    sampling: 1,
    customTags: {},
    istioTags: true,
    sampleByRequestId: true,
    maxPathTagLength: 0,
  };
  const byZipkin = root({ tracing: [{ providers: named('zipkin') }] });

  it.each<[what: string, all: Telemetry[], client: object | undefined, server: object | undefined]>([
    ['nothing is said', [], undefined, undefined],
    ['no provider is named', [root({ tracing: [{ randomSamplingPercentage: 50 }] })], undefined, undefined],
    ['a provider is named', [byZipkin], base, base],
    [
      'several are named',
      [root({ tracing: [{ providers: named('otel', 'zipkin') }] })],
      { ...base, provider: 'otel' },
      { ...base, provider: 'otel' },
    ],
    [
      'the sides differ',
      [
        byZipkin,
        own({
          tracing: [
            { match: { mode: 'CLIENT' }, randomSamplingPercentage: 5 },
            { match: { mode: 'SERVER' }, disableSpanReporting: true },
          ],
        }),
      ],
      { ...base, sampling: 5 },
      undefined,
    ],
    [
      'the workload says otherwise',
      [
        byZipkin,
        own({ tracing: [{ customTags: { a: { literal: { value: 'x' } } }, enableIstioTags: false }] }),
        selecting({
          tracing: [{ customTags: { b: { literal: { value: 'y' } } }, useRequestIdForTraceSampling: false }],
        }),
      ],
      { ...base, customTags: { b: { literal: { value: 'y' } } }, istioTags: false, sampleByRequestId: false },
      { ...base, customTags: { b: { literal: { value: 'y' } } }, istioTags: false, sampleByRequestId: false },
    ],
    [
      'it is enabled again',
      [
        root({ tracing: [{ providers: named('zipkin'), disableSpanReporting: true }] }),
        own({ tracing: [{ disableSpanReporting: false }] }),
      ],
      base,
      base,
    ],
  ])('where %s', (_what, all, client, server) => {
    expect(tracing(all)).toEqual(client);
    expect(tracing(all, 'SERVER')).toEqual(server);
  });

  it.each([
    [undefined, 1],
    [0, 1],
    [25, 25],
    [200, 1],
  ])('takes the sampling %s of the mesh config as %s', (sampling, expected) => {
    const mesh = { ...config, defaultConfig: { tracing: sampling === undefined ? {} : { sampling } } };
    expect(tracing([byZipkin], 'CLIENT', mesh)?.sampling).toBe(expected);
  });

  it.each([
    ['zipkin', { zipkin: { address: 'zipkin.istio-system:9411' } }],
    ['datadog', { datadog: { address: 'agent.datadog:8126' } }],
  ])('is that of defaultConfig.tracing.%s where nothing else says', (kind, settings) => {
    const mesh = { ...defaultMeshConfig, defaultConfig: { tracing: { ...settings, sampling: 10 } } };
    expect(tracing([], 'CLIENT', mesh)).toEqual({ ...base, provider: `defaultConfig.tracing.${kind}`, sampling: 10 });
    expect(tracing([], 'CLIENT', { ...mesh, enableTracing: false })).toBeUndefined();
    // And mixer, which is always one.
    expect(providerServices(mesh)).toHaveLength(2);
  });
});

it('gives one object for the same resources, config and side', () => {
  const all = [root({ accessLogging: [{ providers: named('envoy') }] })];
  expect(resolveTelemetry(all, config, 'CLIENT')).toBe(resolveTelemetry(all, config, 'CLIENT'));
  expect(resolveTelemetry(all, config, 'SERVER')).not.toBe(resolveTelemetry(all, config, 'CLIENT'));
});

describe('mixer', () => {
  const told = (all: readonly Telemetry[], side: Side = 'CLIENT', mesh = config) => {
    const { accessLogs, mixer } = resolveTelemetry(all, mesh, side);
    const records = mixer?.records && (mixer.records.filter ?? 'all');
    return { files: accessLogs?.map(({ provider }) => provider.name), records };
  };
  const logging = (...entries: NonNullable<TelemetrySpec['accessLogging']>) => ({ accessLogging: entries });
  const byDefault = withDefaults({ accessLogging: ['mixer'] });

  it.each<[what: string, all: Telemetry[], mesh: MeshConfig, expected: ReturnType<typeof told>]>([
    ['nobody names it', [], config, { files: undefined, records: undefined }],
    ['it is named', [root(logging({ providers: named('mixer') }))], config, { files: [], records: 'all' }],
    [
      'its name has another case',
      [root(logging({ providers: named('Mixer') }))],
      config,
      { files: [], records: 'all' },
    ],
    [
      'it is one of two',
      [root(logging({ providers: named('mixer', 'envoy'), filter: { expression: 'x' } }))],
      config,
      { files: ['envoy'], records: 'x' },
    ],
    [
      'the namespace names another',
      [root(logging({ providers: named('mixer') })), own(logging({ providers: named('envoy') }))],
      config,
      { files: ['envoy'], records: undefined },
    ],
    [
      'the namespace disables it',
      [root(logging({ providers: named('mixer') })), own(logging({ disabled: true }))],
      config,
      { files: [], records: undefined },
    ],
    [
      'the namespace filters it',
      [root(logging({ providers: named('mixer') })), own(logging({ filter: { expression: 'y' } }))],
      config,
      { files: [], records: 'y' },
    ],
    [
      'the other side is meant',
      [root(logging({ match: { mode: 'SERVER' }, providers: named('mixer') }))],
      config,
      { files: undefined, records: undefined },
    ],
    ['it is a default', [], byDefault, { files: undefined, records: 'all' }],
    [
      'it is a default, and others are named',
      [root(logging({ providers: named('envoy') }))],
      byDefault,
      { files: ['envoy'], records: 'all' },
    ],
    [
      'it is a default, and disabled by name',
      [root(logging({ providers: named('mixer'), disabled: true })), own(logging({ providers: named('envoy') }))],
      byDefault,
      { files: ['envoy'], records: undefined },
    ],
    [
      'it is a default, and all are disabled',
      [root(logging({ disabled: true }))],
      byDefault,
      { files: [], records: undefined },
    ],
  ])('takes records where %s', (_, all, mesh, expected) => {
    expect(told(all, 'CLIENT', mesh)).toEqual(expected);
  });

  it('counts where it is named, besides others or alone', () => {
    const metrics = [{ match: { metric: 'REQUEST_SIZE' as const }, disabled: true }];
    const both = root({
      metrics: [{ providers: named('prometheus', 'mixer'), overrides: metrics, reportingInterval: '7s' }],
    });
    const counted = resolveTelemetry([both], config, 'CLIENT');
    expect(counted.mixer?.metrics).toEqual(counted.metrics);
    expect([...(counted.mixer?.metrics?.disabled ?? [])]).toEqual(['REQUEST_SIZE']);
    expect(counted.mixer?.reportingInterval).toBe(7000);
    const alone = resolveTelemetry([root({ metrics: [{ providers: named('mixer') }] })], config, 'SERVER');
    expect(alone.metrics).toBeUndefined();
    expect(alone.mixer).toMatchObject({ metrics: { disabled: new Set() }, reportingInterval: undefined });
    expect(resolveTelemetry([], config, 'SERVER').mixer).toBeUndefined();
  });
});
