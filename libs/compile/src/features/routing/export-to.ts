import type { VirtualService } from '@seine/istio';
import { isVisibleTo } from '@seine/model';

/** Whether a namespace may use a VirtualService: `exportTo`, where `.` is its own namespace and nothing means all. */
export function isExportedTo({ spec, metadata }: VirtualService, namespace: string): boolean {
  const exportTo = (spec.exportTo ?? []).map((entry) => (entry === '.' ? metadata.namespace : entry));
  return isVisibleTo(exportTo.length === 0 || exportTo.includes('*') ? '*' : exportTo, namespace);
}
