import { TypeUrl } from '@seine/envoy';
import type { AdsResource, AdsResponse, AdsVariant } from './ads-messages.js';

const wholeTypes = new Set<string>([TypeUrl.cluster, TypeUrl.listener]);

/**
 * What a client holds, by the rules of the protocol: delta responses add and remove; a state-of-the-world response of
 * CDS or LDS is all there is, one of another type replaces only what it names (xDS spec, "Grouping resources").
 */
export class ClientState {
  readonly #byType = new Map<string, Map<string, AdsResource>>();

  constructor(private readonly variant: AdsVariant) {}

  of(typeUrl: string): ReadonlyMap<string, AdsResource> {
    return this.#mutable(typeUrl);
  }

  names(typeUrl: string): string[] {
    return [...this.of(typeUrl).keys()].sort();
  }

  apply(response: AdsResponse): void {
    const held = this.#mutable(response.typeUrl);
    if (this.variant === 'sotw' && wholeTypes.has(response.typeUrl)) held.clear();
    for (const item of response.resources) held.set(item.name, item);
    for (const name of response.removed) held.delete(name);
  }

  /** The client dropped its interest: it keeps nothing of these names. */
  forget(typeUrl: string, names: Iterable<string>): void {
    for (const name of names) this.#mutable(typeUrl).delete(name);
  }

  /** Name and content of everything held, in a form that compares. */
  contents(typeUrl: string): Record<string, string> {
    return Object.fromEntries(
      this.names(typeUrl).map((name) => [name, this.of(typeUrl).get(name)!.bytes.toString('base64')]),
    );
  }

  /** What a delta client gives as `initial_resource_versions` when it comes back. */
  versions(typeUrl: string): Record<string, string> {
    return Object.fromEntries([...this.of(typeUrl)].map(([name, item]) => [name, item.version]));
  }

  #mutable(typeUrl: string): Map<string, AdsResource> {
    let held = this.#byType.get(typeUrl);
    if (!held) this.#byType.set(typeUrl, (held = new Map<string, AdsResource>()));
    return held;
  }
}
