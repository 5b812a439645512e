import type { ConfigObject } from '@seine/k8s';
import {
  type AttributeBag,
  type CheckDispatch,
  compilePolicy,
  normalizeIp,
  rpcStatus,
  RuleDispatcher,
  type Value,
} from '@seine/mixer';
import { parseCidr, parseIpv4 } from '@seine/model';
import type { Asked } from '../authorization/reference.js';
import type { MixerObject } from './random-rules.js';

/** What a client gets that may not go on. */
export interface Refused {
  readonly status: number;
  readonly body: string;
}

/** What mixer decides: whoever refuses, in the order of the rules, and whether some handler cannot be asked at all. */
export interface Verdict {
  readonly refused: readonly Refused[];
  readonly fails: boolean;
}

/** What mixer knows of a request. @param constants attributes that are the same for all requests to the workload */
export function bagOf(asked: Asked, constants: ReadonlyMap<string, Value | undefined>): AttributeBag {
  const { method, target, host, headers, sourceIp, identity, claims } = asked;
  const [, namespace, account] = /\/ns\/([^/]+)\/sa\/(.+)$/.exec(identity ?? '') ?? [];
  const token = claims as Readonly<Record<string, unknown>> | undefined;
  const claim = (name: string) => textOf(token?.[name]);
  const own: readonly (readonly [string, Value | undefined])[] = [
    ['request.method', method],
    ['request.path', target],
    ['request.url_path', target.split('?', 1)[0]],
    ['request.host', host],
    ['request.headers', new Map(Object.entries(headers))],
    ['source.ip', normalizeIp(sourceIp)],
    ['source.principal', identity],
    // Of who has no certificate, by the address.
    ['source.namespace', namespace ?? 'prod'],
    ['source.serviceAccount', account ?? 'b'],
    ['source.labels', new Map([['version', 'v3']])],
    ['source.workload.name', 'sleep'],
    ['connection.mtls', identity !== undefined],
    ['context.protocol', 'http'],
    ['request.auth.principal', token && `${String(token['iss'])}/${String(token['sub'])}`],
    ['request.auth.audiences', claim('aud')],
    ['request.auth.presenter', claim('azp')],
    ['request.auth.claims', token && new Map(Object.keys(token).map((name) => [name, claim(name) ?? ''] as const))],
  ];
  const all = new Map([...constants, ...own]);
  return { get: (name) => all.get(name) };
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.map(String).join(',') : typeof value === 'string' ? value : undefined;
}

const dispatcher = new RuleDispatcher({ rootNamespace: 'istio-system', now: () => 0, random: () => 0 });

/** Mixer's own evaluation of rules, with the two adapters that they may have. */
export function checkByMixer(objects: readonly MixerObject[], bag: AttributeBag): Verdict {
  const policy = compilePolicy(objects as readonly ConfigObject[]);
  if (policy.problems.length > 0) throw new Error(JSON.stringify(policy.problems));
  const answers = dispatcher.resolveCheck(policy, bag).map((dispatch) => answerOf(dispatch, bag));
  return {
    refused: answers.flatMap((answer) => (typeof answer === 'object' ? [answer] : [])),
    fails: answers.includes('fails'),
  };
}

interface Params {
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly overrides?: readonly string[];
  readonly blacklist?: boolean;
  readonly entryType?: string;
}

function answerOf({ handler, instance }: CheckDispatch, bag: AttributeBag): Refused | 'passes' | 'fails' {
  const made = instance.make(bag);
  if (!made) return 'fails';
  const { status = {}, overrides = [], blacklist = false, entryType } = handler.params as Params;
  const refuse = (code: number, message: string): Refused => {
    const { name, http } = rpcStatus(code);
    return { status: http, body: `${name}:${handler.name.replace('.handler.', '.')}:${message}` };
  };
  if (handler.adapter === 'denier') return refuse(status.code ?? 7, status.message ?? '');
  const { value } = made as unknown as { readonly value: string };
  const found = overrides.some((entry) => (entryType === 'IP_ADDRESSES' ? isWithin(value, entry) : entry === value));
  return found === blacklist ? refuse(7, `${value} is ${blacklist ? 'blacklisted' : 'not whitelisted'}`) : 'passes';
}

function isWithin(address: string, block: string): boolean {
  const { address: first = '', prefixLength = 32 } = parseCidr(block) ?? {};
  const [a, b] = [parseIpv4(address), parseIpv4(first)];
  const size = 2 ** (32 - prefixLength);
  return a !== undefined && b !== undefined && Math.floor(a / size) === Math.floor(b / size);
}
