import type { ChainRole, MixerReports } from '@seine/compile';
import { internByKey, memo } from '@seine/memo';
import type { MixerPolicy, PolicyRule } from '@seine/mixer';
import type { Mesh, Proxy } from '@seine/model';
import { policySourceOf } from './mixer-policy.js';

const reportTemplates: ReadonlySet<string> = new Set(['reportnothing', 'logentry', 'metric', 'tracespan', 'edge']);

function reports({ actions }: PolicyRule): boolean {
  return actions.some(({ instances }) => instances.some(({ template }) => reportTemplates.has(template)));
}

/** What each entry has in fields of its own. */
const alwaysLogged: ReadonlySet<string> = new Set([
  ...[':authority', ':method', ':path', 'host', 'referer', 'user-agent', 'x-forwarded-for', 'x-request-id'],
]);
/** Attributes that are made of headers. */
const headersOf: Readonly<Record<string, string>> = { 'request.api_key': 'x-api-key' };

const header = /^(request|response)\.headers\[(".*")\]$/;
const isHeaderName = (name: string): boolean => /^:?[\w!#$%&'*+.^`|~-]+$/.test(name);

const intern = internByKey<MixerReports>(4096);

/** What rules read of what is not always told, as Envoy must be told to tell it. */
function readBy(rules: readonly PolicyRule[], { derived }: MixerPolicy): MixerReports {
  const reads = [
    ...derived.map(({ value }) => value.reads),
    ...rules.flatMap(({ match, actions, sampling }) => [
      match?.reads ?? [],
      sampling?.random?.by?.reads ?? [],
      ...actions.flatMap(({ instances }) => instances.map((instance) => instance.reads)),
    ]),
  ].flat();
  const found = { request: new Set<string>(), response: new Set<string>() };
  for (const read of reads) {
    const [, side, quoted = '""'] = header.exec(read) ?? [];
    const name = side === undefined ? headersOf[read] : (JSON.parse(quoted) as string).toLowerCase();
    if (name !== undefined && isHeaderName(name) && !alwaysLogged.has(name))
      found[side === 'response' ? 'response' : 'request'].add(name);
  }
  const reports: MixerReports = {
    requestHeaders: [...found.request].sort(),
    responseHeaders: [...found.response].sort(),
    responseTrailers: reads.includes('response.grpc_message') ? ['grpc-message'] : [],
  };
  return intern(JSON.stringify(reports), () => Object.freeze(reports));
}

/** What rules are about that report of a namespace; undefined = of all. */
const reportsIn = memo(
  'mixerReports',
  (policy: MixerPolicy, namespace: string | undefined, rootNamespace: string): MixerReports | undefined => {
    const rules = policy.rules.filter(
      (rule) =>
        reports(rule) && (namespace === undefined || rule.namespace === rootNamespace || rule.namespace === namespace),
    );
    return rules.length === 0 ? undefined : readBy(rules, policy);
  },
);

/**
 * What a proxy has to tell mixer for the rules that report: those of its namespace and of the mesh about what comes in; about
 * what it sends those of all namespaces, as it may call into each.
 * @returns undefined where no rule may be about it; the same object as long as it is the same
 */
export function mixerReportsOf(mesh: Mesh, proxy: Proxy, role: ChainRole): MixerReports | undefined {
  const source = policySourceOf(mesh);
  if (!source) return undefined;
  return reportsIn(source.policy, role === 'inbound' ? proxy.namespace : undefined, mesh.config.rootNamespace);
}
