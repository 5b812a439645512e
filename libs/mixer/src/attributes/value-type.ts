import { attributeTypes, type AttributeType } from '@seine/istio';

/** Types of attributes and of what expressions give (istio.policy.v1beta1.ValueType). */
export const valueTypes = attributeTypes;
export type ValueType = AttributeType;

export type StringMap = ReadonlyMap<string, string>;

/**
 * A value at work. Its type is known from the vocabulary, so times are plain numbers: TIMESTAMP milliseconds since 1970,
 * DURATION milliseconds. Addresses, URIs and DNS names are text in the form that `normalize` gives.
 */
export type Value = string | number | boolean | StringMap;

/** What is known of one request or connection, by attribute name. */
export interface AttributeBag {
  get(name: string): Value | undefined;
}

/** Attribute names and their types. */
export type Vocabulary = ReadonlyMap<string, ValueType>;
