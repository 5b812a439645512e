import type { ConfigObject } from '@seine/k8s';
import type { Source } from '@seine/ports';

/** What is done to an object before anybody sees it, as a cluster's mutating admission does; pure. */
export type Admit = (object: ConfigObject) => ConfigObject;

/** A source whose objects are admitted first. */
export function admitted(source: Source, admit: Admit): Source {
  return {
    name: source.name,
    start: (onUpdate) =>
      source.start((update) =>
        onUpdate({ ...update, put: update.put.map((put) => ({ ...put, object: admit(put.object) })) }),
      ),
    stop: () => source.stop(),
  };
}
