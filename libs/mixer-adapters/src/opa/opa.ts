import { forms, type Of } from '@seine/istio';
import {
  type AdapterContext,
  adapterKind,
  type AdapterKind,
  type CheckVerdict,
  type ParamsProblem,
  type Templates,
} from '@seine/mixer';
import { Shared } from '../files/shared.js';
import { urlProblems } from '../params/address.js';
import { milliseconds } from '../params/durations.js';
import { reasonOf } from '../rim/reason.js';
import type { AdapterRim } from '../rim/rim.js';
import { jsonMap } from '../values/values.js';
import { OpaClient } from './opa-client.js';

const params = forms.message('Asks an Open Policy Agent.', {
  url: { ...forms.text('Where OPA serves its REST API, as http://opa:8181.'), default: '' },
  checkMethod: { ...forms.text('What is asked, as data.mixerauthz.allow.'), default: '' },
  policy: {
    ...forms.texts('Rego modules that OPA is given; none where it has its policies from elsewhere.'),
    default: [],
  },
  failClose: forms.optionalFlag(
    'Whether a request is refused when OPA fails or has no decision; where left out, the rule’s failure policy says.',
  ),
  timeout: { ...forms.duration('How long a decision may take.'), default: '1s' },
  cachingInterval: { ...forms.durationOrZero('How long a decision may be kept.'), default: '0s' },
  headers: { ...forms.textMap('Headers of requests, as authorization.'), default: {} },
});
type Params = Omit<Required<Of<typeof params>>, 'failClose'> & Pick<Of<typeof params>, 'failClose'>;

const inlineOnly =
  'Rego cannot be run inside mixer. Run OPA (openpolicyagent/opa run --server) and say where it is in url: ' +
  'the modules of policy are then given to it, and checkMethod is asked there.';

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  const { url, checkMethod, policy } = given as Params;
  const found: ParamsProblem[] = [];
  if (url === '') {
    const message = 'Must say where OPA is, as http://opa:8181.';
    found.push(policy.length > 0 ? { path: 'policy', message: inlineOnly } : { path: 'url', message });
  } else found.push(...urlProblems('url', url));
  if (!/^data(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(checkMethod))
    found.push({ path: 'checkMethod', message: `'${checkMethod}' is no rule of OPA, as data.mixerauthz.allow.` });
  return found;
}

type Instance = Templates['authorization'];

const said = (fields: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== ''));

/** What Rego sees as `input`, as Mixer gave it: fields that are empty are left out. */
function inputOf({ instance, subject, action }: Instance, { instances }: AdapterContext): object {
  const maps = instances.get(instance)?.maps;
  const properties = (of: typeof subject.properties, name: string) =>
    of.size > 0 ? { properties: jsonMap(of, maps?.[`${name}.properties`]) } : {};
  const { namespace, service, method, path } = action;
  return {
    subject: {
      ...said({ user: subject.user }),
      ...(subject.groups !== '' && { groups: [subject.groups] }),
      ...properties(subject.properties, 'subject'),
    },
    action: { ...said({ namespace, service, method, path }), ...properties(action.properties, 'action') },
  };
}

interface Decision {
  readonly allow: boolean;
  readonly message?: string;
}

/** A decision is true or false, or an object with `allow` and perhaps a `message`; undefined where it is neither. */
function decisionOf(result: unknown): Decision | undefined {
  if (typeof result === 'boolean') return { allow: result };
  if (typeof result !== 'object' || result === null) return undefined;
  const { allow, message } = result as { readonly allow?: unknown; readonly message?: unknown };
  if (typeof allow !== 'boolean') return undefined;
  return { allow, ...(typeof message === 'string' && message !== '' && { message }) };
}

/** So often OPA is given its policies again: it forgets them when it restarts. */
const repeatMs = 30_000;

/** Gives OPA its policies, and takes them away with the last handler that has them. */
async function givePolicies(
  client: OpaClient,
  given: Params,
  context: AdapterContext,
  held: Shared<() => Promise<void>>,
) {
  const ids = given.policy.map((_, i) => `seine/${context.handler}/${i}`);
  const give = async (): Promise<void> => {
    for (const [i, id] of ids.entries()) await client.putPolicy(id, given.policy[i] ?? '');
  };
  const releases = ids.map((id) => held.use(`${given.url}\0${id}`, () => () => client.deletePolicy(id)).release);
  const close = async (): Promise<void> => {
    for (const release of releases) await release();
  };
  try {
    await give();
  } catch (error) {
    await close();
    throw error;
  }
  let failing = false;
  if (ids.length > 0)
    context.every(repeatMs, async () => {
      try {
        await give();
        failing = false;
      } catch (error) {
        if (!failing) context.warn(`cannot give OPA its policies: ${reasonOf(error)}`);
        failing = true;
      }
    });
  return close;
}

/** Decisions of an Open Policy Agent over its REST API (Istio 1.4's `opa` had it inside). */
export function opa(rim: AdapterRim): AdapterKind {
  const held = new Shared<() => Promise<void>>((remove) => remove().catch(() => undefined));
  return adapterKind<Params>({
    name: 'opa',
    templates: ['authorization'],
    params,
    problems,
    async make(given, context) {
      const { failClose } = given;
      const timeoutMs = milliseconds(given.timeout);
      const client = new OpaClient({ fetch: rim.fetch, url: given.url, headers: given.headers, timeoutMs });
      const close = await givePolicies(client, given, context, held);
      const validMs = milliseconds(given.cachingInterval);
      const rule = given.checkMethod.split('.').slice(1);
      let warned = false;

      /** Nobody decided: by the handler's `failClose`; where it says nothing, the rule says what follows. */
      const undecided = (error: Error): CheckVerdict => {
        if (failClose === undefined) throw error;
        if (!warned)
          context.warn(
            `OPA does not decide: ${reasonOf(error)}; requests are ${failClose ? 'refused' : 'let through'}`,
          );
        warned = true;
        return failClose ? { code: 7, message: 'opa: request was rejected' } : { code: 0 };
      };

      return {
        async authorization(instance) {
          let result: unknown;
          try {
            result = await client.decide(rule, inputOf(instance, context));
          } catch (error) {
            return undecided(error as Error);
          }
          const decision = decisionOf(result);
          if (!decision)
            return undecided(
              new Error(`${given.checkMethod} is ${result === undefined ? 'undefined' : JSON.stringify(result)}`),
            );
          warned = false;
          if (decision.allow) return { code: 0, validMs };
          return { code: 7, message: decision.message ?? 'opa: request was rejected', validMs };
        },
        close,
      };
    },
  });
}
