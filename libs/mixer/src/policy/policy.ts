import type { Diagnostic, ObjectRef } from '@seine/diagnostics';
import type { AttributeBag, Value, Vocabulary } from '../attributes/value-type.js';
import type { Expression } from '../expressions/compile-expression.js';
import type { CheckTemplate, InstanceTypes, ReportTemplate, TemplateName, Templates } from '../templates/template.js';

/** All of `config.istio.io` as it is at work: plain data and functions, frozen. What is wrong is left out of it. */
export interface MixerPolicy {
  readonly vocabulary: Vocabulary;
  /** By full name, `whitelistip.handler.istio-system`, or `whitelistip.listchecker.istio-system` for an old kind. */
  readonly handlers: ReadonlyMap<string, PolicyHandler>;
  /** By full name, `accesslog.instance.istio-system`, or `accesslog.logentry.istio-system` for an old kind. */
  readonly instances: ReadonlyMap<string, PolicyInstance>;
  /** In order of full name. */
  readonly rules: readonly PolicyRule[];
  /** In order of full name of the binding. */
  readonly quotaBindings: readonly QuotaBinding[];
  /** In order of full name of the binding. */
  readonly apis: readonly ApiBinding[];
  /** Attributes that instances with `attributeBindings` make of others, in order. */
  readonly derived: readonly DerivedAttribute[];
  /** What is wrong, each with object and field path. */
  readonly problems: readonly Diagnostic[];
}

/** A handler whose parameters are right. Its identity stays while its config and `instances` are equal. */
export interface PolicyHandler {
  readonly name: string;
  readonly namespace: string;
  /** Name of the adapter's kind, aliases resolved; as written where no adapters were given. */
  readonly adapter: string;
  /** With defaults, under their names in camelCase, where adapters were given; else as written. */
  readonly params: unknown;
  /** What rules hand to it, by full name. */
  readonly instances: ReadonlyMap<string, InstanceTypes>;
  readonly object: ObjectRef;
}

/** An instance whose expressions are right. */
export interface PolicyInstance<T extends TemplateName = TemplateName> {
  readonly name: string;
  readonly template: T;
  readonly types: InstanceTypes;
  /** Attributes that its expressions may look at, sorted; see `Expression.reads`. */
  readonly reads: readonly string[];
  /** What adapters are handed; undefined where an expression has no value: see `missing`. @param onCut is told of texts that were too long */
  readonly make: (bag: AttributeBag, onCut?: () => void) => Templates[T] | undefined;
  /** The fields that have no value for this bag: `variables.latency (response.duration)`. */
  readonly missing: (bag: AttributeBag) => readonly string[];
  readonly object: ObjectRef;
}

/** A field of `spec` and what it is made of. */
export interface HeaderOperation {
  readonly name: string;
  /** Each one value; undefined = that value is left out. Empty where the header is removed. */
  readonly values: readonly HeaderValue[];
  readonly operation: 'REPLACE' | 'REMOVE' | 'APPEND';
}

/** @param outputs of the rule's actions, by the action's name: `action.output.field` */
export type HeaderValue = (bag: AttributeBag, outputs: ActionOutputs) => string | undefined;

/** What adapters gave for actions that have a name. */
export type ActionOutputs = ReadonlyMap<string, ReadonlyMap<string, Value>>;

export interface PolicyAction {
  /** By which header operations refer to what its adapter gives; undefined = they do not. */
  readonly name: string | undefined;
  readonly handler: PolicyHandler;
  readonly instances: readonly PolicyInstance[];
}

/** A rule with at least one action or header operation that works. */
export interface PolicyRule {
  /** `checkip.rule.default` */
  readonly name: string;
  readonly namespace: string;
  /** Undefined = all. */
  readonly match: Expression | undefined;
  readonly actions: readonly PolicyAction[];
  readonly requestHeaders: readonly HeaderOperation[];
  readonly responseHeaders: readonly HeaderOperation[];
  readonly sampling: PolicySampling | undefined;
  /** Whether a request passes when an adapter fails or is late (annotation policy.seine.dev/fail-open); undefined = not said. */
  readonly failOpen: boolean | undefined;
  /** How long its adapters are waited for, ms (annotation policy.seine.dev/timeout); undefined = not said. */
  readonly timeoutMs: number | undefined;
  readonly object: ObjectRef;
}

/** Which of the reports of a rule are handed on; both hold where both are there. */
export interface PolicySampling {
  readonly random?: {
    /** What is drawn by, the same value always with the same result; undefined = a request's id, else chance. */
    readonly by: Expression | undefined;
    /** 0 to 1. */
    readonly share: number;
    readonly independent: boolean;
  };
  readonly rateLimit?: {
    readonly periodMs: number;
    /** In each period so many are handed on … */
    readonly unsampled: number;
    /** … and then every so-manieth; 0 = none. */
    readonly rate: number;
  };
}

/** A QuotaSpec and the services that it is for. */
export interface QuotaBinding {
  /** Hosts, as `productpage.default.svc.cluster.local`, `*` among them for all. */
  readonly hosts: ReadonlySet<string>;
  readonly rules: readonly QuotaRule[];
  /** Of the QuotaSpecBinding. */
  readonly object: ObjectRef;
}

export interface QuotaRule {
  /** Clauses of which one must hold; empty = all. */
  readonly matches: readonly ((bag: AttributeBag) => boolean)[];
  readonly quotas: readonly QuotaCharge[];
  /** Attributes that the clauses look at. */
  readonly reads: readonly string[];
}

export interface QuotaCharge {
  /** Short or full name of an instance, as written. */
  readonly quota: string;
  /** Namespace of the QuotaSpec, for names that have none. */
  readonly namespace: string;
  readonly charge: number;
}

/** HTTP APIs and the services that have them. */
export interface ApiBinding {
  /** Hosts, `*` among them for all. */
  readonly hosts: ReadonlySet<string>;
  readonly apis: readonly HttpApi[];
  /** Of the HTTPAPISpecBinding. */
  readonly object: ObjectRef;
}

/** An HTTPAPISpec. */
export interface HttpApi {
  /** Of all of its requests. */
  readonly attributes: ReadonlyMap<string, Value>;
  /** A request is the first that it fits. */
  readonly operations: readonly {
    /** Undefined = any. */
    readonly method: string | undefined;
    /** Of the path without the query. */
    readonly path: RegExp;
    readonly attributes: ReadonlyMap<string, Value>;
  }[];
  /** Where the caller's key is looked for, in order. */
  readonly keys: readonly ApiKey[];
}

/** One of the three. */
export interface ApiKey {
  readonly query?: string | undefined;
  /** In lower case. */
  readonly header?: string | undefined;
  readonly cookie?: string | undefined;
}

/** An attribute that is made of others where it is not known by itself. */
export interface DerivedAttribute {
  readonly attribute: string;
  readonly value: Expression;
  /** Of the rule that asks for it: it is made for requests that the rule is about. */
  readonly namespace: string;
  readonly match: Expression | undefined;
}

/** One instance for one handler, because of one rule: made once with the policy, so it serves as a key. */
export interface Dispatch<T extends TemplateName = TemplateName> {
  readonly rule: PolicyRule;
  readonly action: PolicyAction;
  readonly handler: PolicyHandler;
  readonly instance: PolicyInstance<T>;
}

export type CheckDispatch = Dispatch<CheckTemplate>;
export type ReportDispatch = Dispatch<ReportTemplate>;

/** A quota that a request is charged for. */
export interface QuotaDispatch extends Dispatch<'quota'> {
  readonly amount: number;
}
