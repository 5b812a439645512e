import { Type } from '@sinclair/typebox';
import { adapterKind, type CheckVerdict } from '@seine/mixer';

const fine: CheckVerdict = { code: 0, validMs: 1_000_000_000, validUses: 1_000_000_000 };
const yes = (): CheckVerdict => fine;
const nothing = (): void => undefined;

/**
 * Says yes and tells nobody. By its further names handlers of old configs are taken that have nothing to do here: what
 * `kubernetesenv` looked up, mixer knows of every workload.
 */
export const noop = adapterKind({
  name: 'noop',
  aliases: ['bypass', 'kubernetesenv'],
  templates: [
    ...(['checknothing', 'listentry', 'authorization', 'apikey', 'quota'] as const),
    ...(['reportnothing', 'logentry', 'metric', 'tracespan', 'edge'] as const),
  ],
  params: Type.Unsafe<unknown>({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
  make: () => ({
    checknothing: yes,
    listentry: yes,
    authorization: yes,
    apikey: yes,
    quota: (_, { amount }) => ({ granted: amount }),
    reportnothing: nothing,
    logentry: nothing,
    metric: nothing,
    tracespan: nothing,
    edge: nothing,
  }),
});
