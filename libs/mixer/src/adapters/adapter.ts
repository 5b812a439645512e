import type { JsonSchema } from '@seine/k8s';
import type { Value } from '../attributes/value-type.js';
import type { CheckTemplate, InstanceTypes, ReportTemplate, TemplateName, Templates } from '../templates/template.js';

type MaybeLater<T> = T | Promise<T>;

/** Whether a request may go on. */
export interface CheckVerdict {
  /** google.rpc.Code; 0 = it may, 7 = denied (403), 16 = not authenticated (401), 8 = too many (429). */
  readonly code: number;
  /** What the client is told. */
  readonly message?: string;
  /** How long the same answer holds for the same instance, ms; 0 or absent = not beyond this request. */
  readonly validMs?: number;
  /** How many requests it holds for; absent = any number. */
  readonly validUses?: number;
  /** Values that the rule's header operations may use, as `action.output.name`. */
  readonly output?: ReadonlyMap<string, Value>;
}

export interface QuotaRequest {
  /** How much is asked for; at least 1. */
  readonly amount: number;
  /** Take what there is rather than nothing. */
  readonly bestEffort: boolean;
}

export interface QuotaVerdict {
  /** 0 = over the limit. */
  readonly granted: number;
  /** How long until asking again makes sense, ms. */
  readonly validMs?: number;
}

/**
 * A configured adapter at work: a method for each template that it takes, named as the template. A method that throws or
 * is late is mixer's to bear: it counts the failure, sets the handler's status, and decides by the rule's failure policy.
 */
export type Adapter = {
  readonly [T in CheckTemplate]?: (instance: Templates[T]) => MaybeLater<CheckVerdict>;
} & {
  /** Several at once, in the order in which they happened. */
  readonly [T in ReportTemplate]?: (instances: readonly Templates[T][]) => MaybeLater<void>;
} & {
  readonly quota?: (instance: Templates['quota'], request: QuotaRequest) => MaybeLater<QuotaVerdict>;
  /** Sends what it still holds, and lets go of everything. */
  readonly close?: () => MaybeLater<void>;
};

/** What an adapter is given to live with. */
export interface AdapterContext {
  /** Full name of its handler, `whitelistip.istio-system`. */
  readonly handler: string;
  /** The instances that rules hand to it, by full name. A change of them makes the handler anew. */
  readonly instances: ReadonlyMap<string, InstanceTypes>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs again and again until the handler is closed. */
  readonly every: (ms: number, run: () => MaybeLater<void>) => void;
  /** Something that whoever runs the mesh should know: it goes to mixer's log and to the handler's status. */
  readonly warn: (message: string) => void;
}

/** What is wrong with a handler's parameters, and where. */
export interface ParamsProblem {
  /** Below `spec.params`, `quotas[0].maxAmount`. */
  readonly path: string;
  readonly message: string;
}

/** A kind of adapter, found by the name that handlers give as `compiledAdapter`. */
export interface AdapterKind<Params = unknown> {
  readonly name: string;
  /** Further names: of old kinds and of old handlers. */
  readonly aliases?: readonly string[];
  readonly templates: readonly TemplateName[];
  /** What `spec.params` must be, as JSON schema; what is left out has its `default` before `make` sees it. */
  readonly params: JsonSchema;
  /** What the schema cannot say. */
  readonly problems?: (params: Params) => readonly ParamsProblem[];
  /** @throws Error when it cannot work with these parameters; the handler of before stays at work */
  readonly make: (params: Params, context: AdapterContext) => MaybeLater<Adapter>;
}

/** Types an adapter's parameters by its schema: `export const denier = adapterKind<DenierParams>({ … })`. */
export const adapterKind = <Params>(kind: AdapterKind<Params>): AdapterKind => kind as AdapterKind;
