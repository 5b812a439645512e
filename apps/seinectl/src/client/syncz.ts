import { httpGetJson } from './http-get.js';

/** `NOT SENT` is no fault: an Envoy that has no RDS listener never asks for routes. */
export type SyncStatus = 'SYNCED' | 'STALE' | 'NOT SENT' | 'REJECTED';

/** What pilot knows of one resource type of one proxy (`GET /debug/syncz`). Times are RFC 3339. */
export interface TypeSync {
  readonly status: SyncStatus;
  /** Version that was sent last; empty: none. */
  readonly sent: string;
  readonly acked: string;
  /** Since when an answer is awaited. */
  readonly pendingSince?: string | undefined;
  /** The refusal that is in force. */
  readonly nack?: { readonly message: string; readonly at: string; readonly version?: string | undefined } | undefined;
}

export interface ProxySync {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  /** The Kubernetes cluster of the proxy. */
  readonly cluster?: string | undefined;
  readonly envoyVersion?: string | undefined;
  readonly connected: boolean;
  readonly ackedRevision: number;
  /** Whether the proxy has acknowledged the revision asked for. */
  readonly synced: boolean;
  readonly types: Readonly<Record<string, TypeSync | undefined>>;
}

export interface Syncz {
  readonly revision: number;
  readonly proxies: readonly ProxySync[];
}

export interface SynczQuestion {
  /** The revision of the mesh log that matters; absent: the newest. */
  readonly revision?: number | undefined;
  /** Seconds that pilot may wait until all proxies are synced. */
  readonly waitSeconds?: number | undefined;
}

/** @throws CommandError when pilot does not answer */
export async function readSyncz(pilotAdmin: string, question: SynczQuestion): Promise<Syncz> {
  const url = new URL('/debug/syncz', pilotAdmin);
  if (question.revision !== undefined) url.searchParams.set('revision', String(question.revision));
  if (question.waitSeconds !== undefined) url.searchParams.set('wait', `${question.waitSeconds}s`);
  const timeoutMs = 5000 + (question.waitSeconds ?? 0) * 1000;
  return (await httpGetJson(url.href, { timeoutMs, who: "pilot's admin port" })) as Syncz;
}
