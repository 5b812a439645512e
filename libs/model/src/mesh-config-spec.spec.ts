import { describe, expect, it } from '@jest/globals';
import { defaultMeshConfig, type MeshConfig } from './mesh-config.js';
import { applyMeshConfig, parseMeshConfig } from './mesh-config-spec.js';

describe('applyMeshConfig', () => {
  it.each<[string, Partial<MeshConfig>]>([
    ['', {}],
    ['accessLogFile: /dev/stdout', { accessLogFile: '/dev/stdout' }],
    ['access_log_encoding: JSON', { accessLogEncoding: 'JSON' }],
    ['outboundTrafficPolicy: {mode: REGISTRY_ONLY}', { outboundTrafficPolicy: 'REGISTRY_ONLY' }],
    ['outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}', { outboundTrafficPolicy: 'ALLOW_ANY' }],
    ['connectTimeout: 1m30s', { connectTimeout: 90_000 }],
    ['protocolDetectionTimeout: 100ms', { protocolDetectionTimeout: 100 }],
    ['protocolDetectionTimeout: 0s', { protocolDetectionTimeout: 0 }],
    ['dnsRefreshRate: 5s', { dnsRefreshRate: 5000 }],
    ['rootNamespace: istio-config', { rootNamespace: 'istio-config' }],
    ['trustDomain: ""', {}],
    ['trustDomain: td1\ntrustDomainAliases: [td2]', { trustDomain: 'td1', trustDomainAliases: ['td2'] }],
    ['localityLbSetting: {enabled: false}', { localityLbSetting: { enabled: false } }],
    ['defaultServiceExportTo: ["."]', { defaultServiceExportTo: ['.'] }],
    ['pathNormalization: {normalization: NONE}', { pathNormalization: 'NONE' }],
    ['enableTracing: false', { enableTracing: false }],
    ['defaultConfig: {tracing: {sampling: 10}}', { defaultConfig: { tracing: { sampling: 10 } } }],
    ['defaultHttpRetryPolicy: {attempts: 0}', { defaultHttpRetryAttempts: 0, defaultHttpRetryPolicy: { attempts: 0 } }],
    [
      'defaultProviders: {accessLogging: [envoy]}',
      { defaultProviders: { accessLogging: ['envoy'], metrics: ['prometheus'], tracing: [] } },
    ],
    ['defaultProviders: {metrics: []}', { defaultProviders: { accessLogging: [], metrics: [], tracing: [] } }],
  ])('%s', (yaml, changes) => {
    expect(parseMeshConfig(yaml).config).toEqual({ ...defaultMeshConfig, ...changes });
  });

  it('adds providers to Istio’s own, and replaces those of the same name', () => {
    const { extensionProviders } = applyMeshConfig(defaultMeshConfig, {
      extensionProviders: [
        { name: 'envoy', envoyFileAccessLog: { path: '/x' } },
        { name: 'zipkin', zipkin: { service: 'zipkin.tracing.svc.cluster.local', port: 9411 } },
      ],
    });
    expect(extensionProviders.map(({ name, envoyFileAccessLog }) => [name, envoyFileAccessLog?.path])).toEqual([
      ['prometheus', undefined],
      ['stackdriver', undefined],
      ['envoy', '/x'],
      ['zipkin', undefined],
    ]);
  });
});

describe('parseMeshConfig', () => {
  it.each([
    ['accessLogEncoding: XML', 'SEINE-SCHEMA', 'accessLogEncoding', 'one of TEXT, JSON'],
    ['extensionProviders: [{name: a, zipkin: {service: z}}]', 'SEINE-SCHEMA', 'extensionProviders[0].zipkin.port', ''],
    ['- a', 'SEINE-SCHEMA', '', 'should be an object of fields'],
    ['a: [', 'SEINE-YAML', '', 'not YAML'],
    ['accessLogFormat: "%NOPE%"', 'SEINE-INVALID', 'accessLogFormat', '%NOPE%, which Envoy does not know'],
    ['accessLogFormat: "%REQ%"', 'SEINE-INVALID', 'accessLogFormat', '%REQ% without an argument'],
    ['accessLogFormat: "100%"', 'SEINE-INVALID', 'accessLogFormat', '%% writes one'],
    ['accessLogFormat: "%CEL(a +)%"', 'SEINE-INVALID', 'accessLogFormat', 'is not a CEL expression'],
    ['{accessLogEncoding: JSON, accessLogFormat: "[]"}', 'SEINE-INVALID', 'accessLogFormat', 'must be a JSON object'],
    [
      '{accessLogEncoding: JSON, accessLogFormat: "{\\"a\\":\\"%NOPE%\\"}"}',
      'SEINE-INVALID',
      'accessLogFormat.a',
      '%NOPE%',
    ],
    ['rootNamespace: a/b', 'SEINE-INVALID', 'rootNamespace', 'name of a namespace'],
    ['extensionProviders: [{name: a}]', 'SEINE-INVALID', 'extensionProviders[0]', 'must say what it is'],
    [
      'extensionProviders: [{name: a, prometheus: {}}, {name: a, prometheus: {}}]',
      'SEINE-INVALID',
      'extensionProviders[1].name',
      'Duplicate',
    ],
    [
      'extensionProviders: [{name: a, prometheus: {}, envoyFileAccessLog: {}}]',
      'SEINE-SCHEMA',
      'extensionProviders[0]',
      'Only one of',
    ],
    [
      'extensionProviders: [{name: a, envoyFileAccessLog: {logFormat: {labels: {x: {y: "%OH_NO%"}}}}}]',
      'SEINE-INVALID',
      'extensionProviders[0].envoyFileAccessLog.logFormat.labels.x.y',
      '%OH_NO%',
    ],
  ])('%s is refused', (yaml, code, path, message) => {
    const { config, diagnostics } = parseMeshConfig(yaml);
    expect(config).toBe(defaultMeshConfig);
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ severity: 'error', code, path, message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ['accessLogFil: x', 'SEINE-UNKNOWN-FIELD', 'accessLogFil'],
    ['ca: {address: x}', 'SEINE-UNSUPPORTED', 'ca'],
    ['defaultConfig: {availabilityZone: z}', 'SEINE-UNSUPPORTED', 'defaultConfig.availabilityZone'],
    [
      'defaultConfig: {tracing: {tlsSettings: {mode: SIMPLE}}}',
      'SEINE-UNSUPPORTED',
      'defaultConfig.tracing.tlsSettings',
    ],
    ['outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}', 'SEINE-UNSUPPORTED', 'outboundTrafficPolicy.mode'],
    [
      'extensionProviders: [{name: a, lightstep: {service: a, port: 1}}]',
      'SEINE-UNSUPPORTED',
      'extensionProviders[0].lightstep',
    ],
    ['defaultProviders: {tracing: [nobody]}', 'SEINE-INVALID', 'defaultProviders.tracing[0]'],
    ['extensionProviders: [{name: mixer, prometheus: {}}]', 'SEINE-INVALID', 'extensionProviders[0].name'],
  ])('%s is taken, with a warning', (yaml, code, path) => {
    expect(parseMeshConfig(yaml).diagnostics).toEqual([expect.objectContaining({ severity: 'warning', code, path })]);
  });

  it('knows the provider mixer, which nobody has to name', () => {
    expect(parseMeshConfig('defaultProviders: {tracing: [mixer], accessLogging: [mixer]}').diagnostics).toEqual([]);
  });

  it('takes what Istio’s chart installs without a word but of what has no effect', () => {
    const { config, diagnostics } = parseMeshConfig(`
defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
defaultProviders:
  metrics:
  - prometheus
enablePrometheusMerge: true
rootNamespace: istio-system
trustDomain: cluster.local
`);
    expect(diagnostics).toEqual([]);
    expect(config).toEqual({ ...defaultMeshConfig, defaultConfig: { discoveryAddress: expect.any(String) } });
  });
});
