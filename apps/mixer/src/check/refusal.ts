import type { CheckDispatch, CheckVerdict, Outcome, PolicyHandler, QuotaDispatch, QuotaVerdict } from '@seine/mixer';
import type { Refusal } from './answers.js';
import { RpcCode } from './rpc-code.js';

/** What one verdict means; `RpcCode.OK` = nothing against it. */
interface Judged {
  readonly code: number;
  readonly message: string;
}
type Judge<D, V> = (verdict: V, dispatch: D) => Judged | undefined;

/**
 * The first refusal, in the order of the rules; what others refused as well is told behind it, as Mixer did. Where nobody
 * has refused: the first failure whose rule does not say that requests pass then.
 */
function refusalOf<D extends CheckDispatch | QuotaDispatch, V>(
  dispatches: readonly D[],
  outcomes: readonly Outcome<V>[],
  judge: Judge<D, V>,
): Refusal | undefined {
  let refused: Judged | undefined;
  let failed: Refusal | undefined;
  for (const [i, dispatch] of dispatches.entries()) {
    const outcome = outcomes[i];
    if (outcome?.verdict === undefined) {
      if (dispatch.rule.failOpen !== true) failed ??= failureOf(dispatch);
      continue;
    }
    const judged = judge(outcome.verdict, dispatch);
    if (judged) refused = refused ? { ...refused, message: `${refused.message}, ${judged.message}` } : judged;
  }
  return refused ? { ...refused, decided: true } : failed;
}

export function refusalOfChecks(
  dispatches: readonly CheckDispatch[],
  outcomes: readonly Outcome<CheckVerdict>[],
): Refusal | undefined {
  return refusalOf(dispatches, outcomes, ({ code, message = '' }, { handler }) =>
    code === RpcCode.OK ? undefined : { code, message: `${shortName(handler)}:${message}` },
  );
}

export function refusalOfQuotas(
  dispatches: readonly QuotaDispatch[],
  outcomes: readonly Outcome<QuotaVerdict>[],
): Refusal | undefined {
  return refusalOf(dispatches, outcomes, ({ granted }, { amount, instance }) =>
    granted >= amount
      ? undefined
      : {
          code: RpcCode.RESOURCE_EXHAUSTED,
          message: `Quota is exhausted for: ${instance.name.split('.', 1)[0] ?? ''}`,
        },
  );
}

/** What went wrong stands in mixer's log and in the handler's status: clients are not told of what is behind it. */
function failureOf({ handler, rule }: CheckDispatch | QuotaDispatch): Refusal {
  const message = `${shortName(handler)}:the policy could not be checked`;
  return { code: RpcCode.INTERNAL, message, decided: rule.failOpen === false };
}

/** As Mixer named handlers to clients: `whitelistip.istio-system`, and of an old kind `handler.denier.default`. */
function shortName({ name }: PolicyHandler): string {
  return name.replace('.handler.', '.');
}
