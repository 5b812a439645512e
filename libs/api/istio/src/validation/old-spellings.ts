import { type Fields, isFields } from '../rules/fields.js';

/**
 * Fields that networking.istio.io/v1alpha3 had in its first years and that today's API writes otherwise. Istio drops them;
 * what old tutorials and articles show is meant to work, so they are rewritten. A field in today's spelling goes before its old one.
 */

/** Takes fields out of an object; undefined where it has none of them. */
function split(fields: Fields, names: readonly string[]): { readonly old: Fields; readonly rest: Fields } | undefined {
  if (!names.some((name) => name in fields)) return undefined;
  const entries = Object.entries(fields);
  return {
    old: Object.fromEntries(entries.filter(([name]) => names.includes(name))),
    rest: Object.fromEntries(entries.filter(([name]) => !names.includes(name))),
  };
}

function child(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isFields(value) ? value : {};
}

/** The same fields with one made anew; the same object where nothing changes. */
function edit(fields: Fields, name: string, rewrite: (value: Fields) => Fields): Fields {
  const value = fields[name];
  if (!isFields(value)) return fields;
  const next = rewrite(value);
  return next === value ? fields : { ...fields, [name]: next };
}

function editEach(fields: Fields, name: string, rewrite: (value: Fields) => Fields): Fields {
  const list = fields[name];
  if (!Array.isArray(list)) return fields;
  const items = list as readonly unknown[];
  const next = items.map((item) => (isFields(item) ? rewrite(item) : item));
  return next.some((item, i) => item !== items[i]) ? { ...fields, [name]: next } : fields;
}

const headerFields = [
  'appendHeaders',
  'appendRequestHeaders',
  'removeRequestHeaders',
  'appendResponseHeaders',
  'removeResponseHeaders',
];

function operations(modern: Fields, append: unknown, remove: unknown): Fields {
  // In the very first version what to remove was a map, of which only the names counted.
  const names = isFields(remove) ? Object.keys(remove) : remove;
  return { ...(append !== undefined && { add: append }), ...(names !== undefined && { remove: names }), ...modern };
}

/** `appendHeaders` and the four that followed it, of routes and of their destinations: today `headers`. */
function headerOperations(fields: Fields): Fields {
  const found = split(fields, headerFields);
  if (!found) return fields;
  const { old, rest } = found;
  const headers = child(rest, 'headers');
  const request = operations(
    child(headers, 'request'),
    old['appendRequestHeaders'] ?? old['appendHeaders'],
    old['removeRequestHeaders'],
  );
  const response = operations(child(headers, 'response'), old['appendResponseHeaders'], old['removeResponseHeaders']);
  return {
    ...rest,
    headers: {
      ...headers,
      ...(Object.keys(request).length > 0 && { request }),
      ...(Object.keys(response).length > 0 && { response }),
    },
  };
}

/** `fault.abort.percent`, a whole number: today `percentage`. (That of a delay is still read.) */
function abortPercent(abort: Fields): Fields {
  const found = split(abort, ['percent']);
  if (!found || typeof found.old['percent'] !== 'number') return abort;
  return { percentage: { value: found.old['percent'] }, ...found.rest };
}

/** `websocketUpgrade` asked for what is always done now. */
function httpRoute(route: Fields): Fields {
  const plain = split(route, ['websocketUpgrade'])?.rest ?? route;
  const withFault = edit(plain, 'fault', (fault) => edit(fault, 'abort', abortPercent));
  return headerOperations(editEach(withFault, 'route', headerOperations));
}

function virtualService(spec: Fields): Fields {
  return editEach(spec, 'http', httpRoute);
}

/** `outlierDetection.http`: its fields stand one level higher now. */
function outlierDetection(settings: Fields): Fields {
  const found = split(settings, ['http']);
  return found && isFields(found.old['http']) ? { ...found.old['http'], ...found.rest } : settings;
}

/** `consistentHash.httpHeader`: today `httpHeaderName`. */
function loadBalancer(settings: Fields): Fields {
  return edit(settings, 'consistentHash', (hash) => {
    const found = split(hash, ['httpHeader']);
    return found ? { httpHeaderName: found.old['httpHeader'], ...found.rest } : hash;
  });
}

function trafficPolicy(policy: Fields): Fields {
  const own = edit(edit(policy, 'outlierDetection', outlierDetection), 'loadBalancer', loadBalancer);
  return editEach(own, 'portLevelSettings', (level) =>
    edit(edit(level, 'outlierDetection', outlierDetection), 'loadBalancer', loadBalancer),
  );
}

function destinationRule(spec: Fields): Fields {
  const own = edit(spec, 'trafficPolicy', trafficPolicy);
  return editEach(own, 'subsets', (subset) => edit(subset, 'trafficPolicy', trafficPolicy));
}

const rewrites: Readonly<Record<string, (spec: Fields) => Fields>> = {
  DestinationRule: destinationRule,
  VirtualService: virtualService,
};

/**
 * An object with the old spellings of its spec rewritten; the same object where there are none.
 * @param object of networking.istio.io, its field names in camelCase
 */
export function withoutOldSpellings<T extends Fields>(kind: string, object: T): T {
  const rewrite = rewrites[kind];
  return rewrite ? (edit(object, 'spec', rewrite) as T) : object;
}

/** `- mtls:` among the peers of an old authentication policy, as its tutorials write it: mutual TLS with its defaults, not nothing. */
export function withMutualTls<T extends object>(object: T): T {
  return edit(object as Fields, 'spec', (spec) =>
    editEach(spec, 'peers', (peer) => (peer['mtls'] === null ? { ...peer, mtls: {} } : peer)),
  ) as T;
}
