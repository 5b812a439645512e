import { Type } from '@sinclair/typebox';
import { adapterKind } from '@seine/mixer';

const replacement =
  'adapter rbac is not here: proxies decide by ServiceRole and ServiceRoleBinding themselves. ' +
  'Leave the handler and its rule out, and write a ClusterRbacConfig or RbacConfig, or an AuthorizationPolicy.';

/** Refuses to work: what Mixer's `rbac` did proxies do without being asked. */
export const rbac = adapterKind({
  name: 'rbac',
  templates: ['authorization'],
  params: Type.Unsafe<unknown>({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
  problems: () => [{ path: '', message: replacement }],
  make() {
    throw new Error(replacement);
  },
});
