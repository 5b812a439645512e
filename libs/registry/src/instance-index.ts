import type { ObjectKey } from '@seine/k8s';
import { labelsMatch } from '@seine/model';
import type { Labels } from './fields.js';
import type { Instance } from './instance.js';
import type { ServiceSource } from './service-source.js';

function bucket<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  let set = map.get(key);
  if (!set) map.set(key, (set = new Set()));
  return set;
}

function drop<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  if (set?.delete(value) && set.size === 0) map.delete(key);
}

/** One text for namespace, label and value: no part can hold the separator. */
function labelKey(namespace: string, label: string, value: string): string {
  return `${namespace}\n${label}\n${value}`;
}

/** Instances by what selectors ask for, so that a selection costs as much as it finds. */
export class InstanceIndex {
  readonly #byKey = new Map<ObjectKey, Instance>();
  readonly #byLabel = new Map<string, Set<Instance>>();
  readonly #byNamespace = new Map<string, Set<Instance>>();
  readonly #byAddress = new Map<string, Set<Instance>>();
  readonly #byNode = new Map<string, Set<Instance>>();

  get(key: ObjectKey): Instance | undefined {
    return this.#byKey.get(key);
  }

  add(instance: Instance): void {
    this.#byKey.set(instance.key, instance);
    bucket(this.#byNamespace, instance.namespace).add(instance);
    for (const [label, value] of Object.entries(instance.labels))
      bucket(this.#byLabel, labelKey(instance.namespace, label, value)).add(instance);
    for (const address of instance.ipAddresses) bucket(this.#byAddress, address).add(instance);
    if (instance.nodeName) bucket(this.#byNode, instance.nodeName).add(instance);
  }

  remove(instance: Instance): void {
    this.#byKey.delete(instance.key);
    drop(this.#byNamespace, instance.namespace, instance);
    for (const [label, value] of Object.entries(instance.labels))
      drop(this.#byLabel, labelKey(instance.namespace, label, value), instance);
    for (const address of instance.ipAddresses) drop(this.#byAddress, address, instance);
    if (instance.nodeName) drop(this.#byNode, instance.nodeName, instance);
  }

  inNamespace(namespace: string): readonly Instance[] {
    return [...(this.#byNamespace.get(namespace) ?? [])];
  }

  onNode(name: string): readonly Instance[] {
    return [...(this.#byNode.get(name) ?? [])];
  }

  atAddress(address: string): readonly Instance[] {
    return [...(this.#byAddress.get(address) ?? [])];
  }

  /** Instances of the namespace that carry all labels of the selector; in no particular order. */
  select(namespace: string, selector: Labels): readonly Instance[] {
    let smallest = this.#byNamespace.get(namespace);
    for (const [label, value] of Object.entries(selector)) {
      const set = this.#byLabel.get(labelKey(namespace, label, value));
      if (!set) return [];
      if (!smallest || set.size < smallest.size) smallest = set;
    }
    return [...(smallest ?? [])].filter((instance) => labelsMatch(selector, instance.labels));
  }
}

/** Services by their selectors: which of them pick an instance with given labels. */
export class SelectorIndex {
  readonly #byFirstLabel = new Map<string, Set<ServiceSource>>();

  #keyOf(source: ServiceSource, selector: Labels): string {
    const [label = ''] = Object.keys(selector).sort();
    return labelKey(source.service.namespace, label, selector[label] ?? '');
  }

  add(source: ServiceSource): void {
    if (source.selector) bucket(this.#byFirstLabel, this.#keyOf(source, source.selector)).add(source);
  }

  remove(source: ServiceSource): void {
    if (source.selector) drop(this.#byFirstLabel, this.#keyOf(source, source.selector), source);
  }

  selecting(namespace: string, labels: Labels): readonly ServiceSource[] {
    const found: ServiceSource[] = [...(this.#byFirstLabel.get(labelKey(namespace, '', '')) ?? [])];
    for (const [label, value] of Object.entries(labels)) {
      for (const source of this.#byFirstLabel.get(labelKey(namespace, label, value)) ?? []) {
        if (labelsMatch(source.selector, labels)) found.push(source);
      }
    }
    return found;
  }
}
