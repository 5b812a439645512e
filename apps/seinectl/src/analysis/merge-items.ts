import type { AnalysisItem, Finding } from '@seine/analyze';
import type { Diagnostic, ObjectRef } from '@seine/diagnostics';

function fieldOf(object: ObjectRef | undefined, path: string | undefined): string {
  return object ? `${object.kind}/${object.namespace ?? ''}/${object.name} ${path ?? ''}` : '';
}

/** What of an item decides its order. */
function placeOf(item: AnalysisItem) {
  const { file, line, column } = 'level' in item ? item : (item.position ?? {});
  return { file: file ?? '', line: line ?? 0, column: column ?? 0 };
}

function compareItems(a: AnalysisItem, b: AnalysisItem): number {
  const [one, other] = [placeOf(a), placeOf(b)];
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line || one.column - other.column;
}

/** The first line of what is wrong with YAML: after it comes the text itself, which is shown in another way. */
function withoutExcerpt(diagnostic: Diagnostic): Diagnostic {
  const [message = ''] = diagnostic.message.split('\n');
  return diagnostic.code === 'SEINE-YAML' ? { ...diagnostic, message } : diagnostic;
}

/**
 * What validation and analysis found, as one list in order of file and line, and nothing twice: that a field is
 * deprecated is told under Istio's code where Istio has one for it.
 */
export function mergeItems(diagnostics: readonly Diagnostic[], findings: readonly Finding[]): readonly AnalysisItem[] {
  const deprecated = new Set(findings.filter(({ code }) => code === 'IST0002').map((f) => fieldOf(f.object, f.path)));
  const told = new Set<string>();
  const others = diagnostics.map(withoutExcerpt).filter((diagnostic) => {
    const { code, object, path, message, position } = diagnostic;
    if (code === 'SEINE-DEPRECATED' && deprecated.has(fieldOf(object, path))) return false;
    const key = JSON.stringify([code, object, path, message, position]);
    return !told.has(key) && told.add(key);
  });
  return [...others, ...findings].sort(compareItems);
}
