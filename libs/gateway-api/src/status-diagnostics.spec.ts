import { describe, expect, it } from '@jest/globals';
import { formatDiagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { statusDiagnostics } from './status-diagnostics.js';
import { translateGatewayApi } from './translate.js';

function an(kind: string, name: string, spec: object, status?: object): ConfigObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata: { name, namespace: 'default' },
    spec,
    ...(status && { status }),
  };
}

describe('what statuses say is wrong', () => {
  it('is told of each object once, with the field to look at', () => {
    const http = { name: 'http', port: 80, protocol: 'HTTP' };
    const rules = [{ backendRefs: [{ name: 'lost', port: 80 }] }];
    const objects = [
      an('Gateway', 'shop', {
        gatewayClassName: 'istio',
        listeners: [http, { ...http, name: 'again' }, { ...http, name: 'other', protocol: 'http', port: 81 }],
      }),
      an('HTTPRoute', 'fine', { parentRefs: [{ name: 'shop' }], rules: [] }),
      an('HTTPRoute', 'lost', { parentRefs: [{ name: 'shop', sectionName: 'http' }], rules }),
      an('HTTPRoute', 'astray', { parentRefs: [{ name: 'shop', sectionName: 'none' }], rules: [] }),
    ];
    const { statuses } = translateGatewayApi(objects, { clusterDomain: 'cluster.local', now: '' });
    expect(statusDiagnostics(objects, statuses).map(formatDiagnostic)).toEqual([
      'warning SEINE-GATEWAY-API Gateway default/shop spec.listeners[1]: Listener has a conflict with another listener attached to the same Gateway (HostnameConflict).',
      'warning SEINE-GATEWAY-API Gateway default/shop spec.listeners[2]: protocol "http" is unsupported. hint: "HTTP" (uppercase) may be supported (UnsupportedProtocol).',
      'warning SEINE-GATEWAY-API HTTPRoute default/lost spec.rules: backend(lost.default.svc.cluster.local) not found (BackendNotFound).',
      'warning SEINE-GATEWAY-API HTTPRoute default/astray spec.parentRefs: sectionName "none" not found; sectionName "none" not found (NoMatchingParent).',
    ]);
  });

  it('leaves out what other controllers say', () => {
    const conditions = [{ type: 'Accepted', status: 'False', reason: 'No', message: 'no', lastTransitionTime: '' }];
    const parents = [{ parentRef: { name: 'other' }, controllerName: 'example.com/other', conditions }];
    const object = an('HTTPRoute', 'shop', { parentRefs: [{ name: 'other' }] }, { parents });
    const { statuses } = translateGatewayApi([object], { clusterDomain: 'cluster.local', now: '' });
    expect(statusDiagnostics([object], statuses)).toEqual([]);
  });
});
