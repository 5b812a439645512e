import { describe, expect, it } from '@jest/globals';
import type { ConfigObject } from '@seine/k8s';
import { analyzeReferences } from './frame/analyze-references.js';

function istio(kind: string, name: string, spec: object): ConfigObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' }, spec };
}
const core = (
  kind: string,
  name: string,
  rest: object,
  labels: Readonly<Record<string, string>> = {},
): ConfigObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'default', labels },
  ...rest,
});

const known = [
  core('Service', 'reviews', { spec: { ports: [{ port: 80 }] } }),
  istio('ServiceEntry', 'wiki', { hosts: ['*.wikipedia.org'] }),
  istio('DestinationRule', 'reviews', { host: 'reviews', subsets: [{ name: 'v1' }] }),
  istio('Gateway', 'front', { selector: { istio: 'ingressgateway' } }),
  core('Pod', 'gw', { status: { podIP: '10.0.0.1' } }, { istio: 'ingressgateway' }),
];

describe('analyzeReferences', () => {
  const route = (destination: object) => ({ http: [{ route: [{ destination }] }] });
  it.each<[string, ConfigObject, readonly (readonly [string, string])[]]>([
    ['a known host', istio('VirtualService', 'a', route({ host: 'reviews' })), []],
    ['a full host', istio('VirtualService', 'a', route({ host: 'reviews.default.svc.cluster.local' })), []],
    ['a host under a wildcard', istio('VirtualService', 'a', route({ host: 'en.wikipedia.org' })), []],
    [
      'an unknown host',
      istio('VirtualService', 'a', route({ host: 'nobody' })),
      [['IST0101', 'spec.http[0].route[0].destination.host']],
    ],
    ['a known subset', istio('VirtualService', 'a', route({ host: 'reviews', subset: 'v1' })), []],
    [
      'an unknown subset',
      istio('VirtualService', 'a', route({ host: 'reviews', subset: 'v9' })),
      [['IST0101', 'spec.http[0].route[0].destination.subset']],
    ],
    [
      'tcp, tls and mirrors',
      istio('VirtualService', 'a', {
        http: [{ mirror: { host: 'm1' }, mirrors: [{ destination: { host: 'm2' } }] }],
        tls: [{ route: [{ destination: { host: 't1' } }] }],
        tcp: [{ route: [{ destination: { host: 't2' } }, { destination: { host: 'reviews' } }] }],
      }),
      [
        ['IST0101', 'spec.http[0].mirror.host'],
        ['IST0101', 'spec.http[0].mirrors[0].destination.host'],
        ['IST0101', 'spec.tls[0].route[0].destination.host'],
        ['IST0101', 'spec.tcp[0].route[0].destination.host'],
      ],
    ],
    [
      'a credential that is not there',
      istio('Gateway', 'a', {
        selector: { istio: 'ingressgateway' },
        servers: [
          {
            port: { number: 443, name: 'https', protocol: 'HTTPS' },
            hosts: ['*'],
            tls: { mode: 'SIMPLE', credentialName: 'nobody' },
          },
        ],
      }),
      [['IST0101', 'spec.servers[0].tls.credentialName']],
    ],
    ['known gateways', istio('VirtualService', 'a', { gateways: ['mesh', 'front', 'default/front', './front'] }), []],
    [
      'an unknown gateway',
      istio('VirtualService', 'a', { gateways: ['mesh', 'back'] }),
      [['IST0101', 'spec.gateways[1]']],
    ],
    ['a rule for nobody', istio('DestinationRule', 'a', { host: 'nobody' }), [['IST0174', 'spec.host']]],
    ['a rule for all of a namespace', istio('DestinationRule', 'a', { host: '*.default.svc.cluster.local' }), []],
    [
      'a gateway that nobody is',
      istio('Gateway', 'a', { selector: { istio: 'egress' } }),
      [['IST0101', 'spec.selector']],
    ],
    ['fields of the wrong type', istio('VirtualService', 'a', { http: 5, tls: [5], gateways: {} }), []],
  ])('judges %s', (_, object, expected) => {
    const found = analyzeReferences([...known, object]);
    expect(found.map(({ code, path }) => [code, path]).sort()).toEqual([...expected].sort());
    for (const { severity, object: ref } of found)
      expect([severity, ref]).toEqual(['warning', { kind: object.kind, namespace: 'default', name: 'a' }]);
  });
});
