import type { TlsParametersSchema } from '@seine/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import { isCipherSuite, isEcdhCurve } from '@seine/istio';
import type { MeshConfig } from '@seine/model';
import type { Fragment } from '../../frame/clusters-fragment.js';

/** `MeshConfig.tlsDefaults`: what TLS that is not the mesh's own mutual TLS takes where a rule or Gateway says nothing. */
export type TlsDefaults = MeshConfig['tlsDefaults'];

/** The part of TLS parameters that has a mesh-wide default; what Envoy does not know is left out, as it would refuse all. */
export function emitTlsDefaults(
  defaults: TlsDefaults,
): Pick<Fragment<typeof TlsParametersSchema>, 'ecdhCurves' | 'cipherSuites'> {
  const ecdhCurves = (defaults?.ecdhCurves ?? []).filter(isEcdhCurve);
  const cipherSuites = (defaults?.cipherSuites ?? []).filter(isCipherSuite);
  return {
    ...(ecdhCurves.length > 0 && { ecdhCurves: [...new Set(ecdhCurves)] }),
    ...(cipherSuites.length > 0 && { cipherSuites: [...new Set(cipherSuites)] }),
  };
}
