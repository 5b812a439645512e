import type { StoredObjectMessage, WatchRequest, WatchResponse } from '@seine/api';
import type { ConfigObject, ObjectKey } from '@seine/k8s';
import type { LogEntry, Store } from '@seine/ports';
import { appliedOrigin } from '@seine/registry';
import { Observable } from 'rxjs';
import { idOf, type RegistryService } from './registry.service.js';

function concerns(key: ObjectKey, { kind, namespace }: WatchRequest): boolean {
  const id = idOf(key);
  return (
    (kind === '' || id.kind.toLowerCase() === kind.toLowerCase()) && (namespace === '' || id.namespace === namespace)
  );
}

/** The object of one revision, with the origins it has now. */
function messageOf(registry: RegistryService, key: ObjectKey, object: ConfigObject): StoredObjectMessage {
  const entry = registry.entry(key);
  return {
    id: idOf(key),
    json: JSON.stringify(object),
    origin: entry?.origin ?? appliedOrigin,
    shadowed: entry?.shadowed ?? [],
  };
}

/** All objects first, then each revision that concerns the request; all objects again when the log fell behind. */
export function watchObjects(
  registry: RegistryService,
  store: Store,
  request: WatchRequest,
): Observable<WatchResponse> {
  return new Observable((subscriber) => {
    let stop: (() => void) | undefined;
    const sendEntry = ({ revision, changes }: LogEntry) => {
      const own = changes.filter(({ key }) => concerns(key, request));
      if (own.length === 0) return;
      subscriber.next({
        revision,
        put: own.flatMap(({ key, object }) => (object ? [messageOf(registry, key, object)] : [])),
        deleted: own.filter(({ object }) => !object).map(({ key }) => idOf(key)),
        snapshot: false,
      });
    };
    const begin = () => {
      const snapshot = registry.whenStarted().then(() => store.snapshot());
      snapshot.then(
        ({ revision, objects }) => {
          if (subscriber.closed) return;
          const own = [...objects].filter(([key]) => concerns(key, request));
          const put = own.map(([key, object]) => messageOf(registry, key, object));
          subscriber.next({ revision, put, deleted: [], snapshot: true });
          stop = store.watch(revision, (event) => {
            if (event.type === 'entry') sendEntry(event.entry);
            else begin();
          });
        },
        (error: unknown) => subscriber.error(error),
      );
    };
    begin();
    return () => stop?.();
  });
}
