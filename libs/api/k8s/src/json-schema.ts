/** A rule in CEL as Kubernetes evaluates it; `self` is the value that the schema describes. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** The part of JSON schema that definitions of kinds use, with the extensions of Kubernetes' structural schemas. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  /** Groups of fields of which at most one may be set. */
  readonly 'x-seine-oneofs'?: readonly (readonly string[])[];
  /** No message may repeat the value. */
  readonly 'x-seine-secret'?: boolean;
  /** A proto enum whose names stand in the order of their numbers, from 0 on: a number is taken for its name. */
  readonly 'x-seine-numbered'?: boolean;
  /** What takes the field's place when it is left out. */
  readonly default?: unknown;
  /** What holds when the field is left out. */
  readonly 'x-seine-fallback'?: string;
}
