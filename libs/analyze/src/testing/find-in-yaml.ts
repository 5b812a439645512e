import { parseConfig, positionOf } from '@seine/source-file';
import { objectKey } from '@seine/k8s';
import { analyze } from '../frame/analyze.js';
import type { AnalyzeInput, Finding } from '../frame/finding.js';

/** Analyzes YAML as the command line does, with places. */
export function analyzeYaml(yaml: string, input: Omit<AnalyzeInput, 'objects'> = {}): readonly Finding[] {
  const { written, positions } = parseConfig(yaml, 'test.yaml');
  const locate: AnalyzeInput['locate'] = (object, path) => {
    const document = positions.get(objectKey(object));
    return document && positionOf(document, path);
  };
  return analyze({ locate, ...input, objects: written });
}

/** What one analyzer finds in YAML, shortly: `IST0101 VirtualService/default/a spec.gateways[0]`. */
export function foundBy(analyzer: string, yaml: string, input: Omit<AnalyzeInput, 'objects'> = {}): readonly string[] {
  const found = analyzeYaml(yaml, { ...input, options: { ...input.options, only: [analyzer] } });
  return found.map(({ code, resource, path }) => [code, resource, path ?? ''].join(' ').trim()).sort();
}
