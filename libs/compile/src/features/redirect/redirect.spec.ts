import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { RedirectActionSchema } from '@seine/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HTTPRedirect } from '@seine/istio';
import { emitRedirect } from './emit-redirect.js';

describe('emitRedirect', () => {
  it.each<[HTTPRedirect, object]>([
    [
      { uri: '/v1', authority: 'new.example.com' },
      { path_redirect: '/v1', host_redirect: 'new.example.com' },
    ],
    [
      { prefixRewrite: '/v2', redirectCode: 308 },
      { prefix_rewrite: '/v2', response_code: 'PERMANENT_REDIRECT' },
    ],
    [
      { authority: 'a', redirectCode: 302 },
      { host_redirect: 'a', response_code: 'FOUND' },
    ],
    [
      { authority: 'a', redirectCode: 303 },
      { host_redirect: 'a', response_code: 'SEE_OTHER' },
    ],
    [
      { authority: 'a', redirectCode: 307 },
      { host_redirect: 'a', response_code: 'TEMPORARY_REDIRECT' },
    ],
    [{ authority: 'a', redirectCode: 301 }, { host_redirect: 'a' }],
    [
      { scheme: 'https', port: 8443 },
      { scheme_redirect: 'https', port_redirect: 8443 },
    ],
    [{ scheme: 'https', port: 443 }, { scheme_redirect: 'https' }],
    [{ port: 80 }, {}],
    [{ port: 443 }, { port_redirect: 443 }],
    [{ derivePort: 'FROM_REQUEST_PORT' }, { port_redirect: 9080 }],
    [{ derivePort: 'FROM_PROTOCOL_DEFAULT', scheme: 'https' }, { scheme_redirect: 'https' }],
  ])('%p', (redirect, expected) => {
    expect(toEnvoyJson(RedirectActionSchema, emitRedirect(redirect, { port: 9080, tls: false }))).toEqual(expected);
  });

  it('knows the scheme of a TLS listener', () => {
    expect(emitRedirect({ derivePort: 'FROM_REQUEST_PORT' }, { port: 443, tls: true }).portRedirect).toBe(0);
  });
});
