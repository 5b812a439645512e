import type { TrustBundles } from '@seine/ca';
import type { Proof } from '@seine/sds';

/** What a feed of bundles asks of the agent, and tells it. */
export interface BundleListener {
  /** The roots by which citadel is known. */
  readonly bundles: () => TrustBundles;
  /** Who asks, where the agent can prove it yet. */
  readonly proof: () => Proof | undefined;
  readonly onBundles: (bundles: TrustBundles) => void;
  readonly onTrouble: (message: string) => void;
}

export interface RunningFeed {
  /** Asks again, as other roots count now. */
  restart(): void;
  stop(): void;
}

/** Follows citadel's bundles. */
export type BundleFeed = (listener: BundleListener) => RunningFeed;
