import type { Diagnostic } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import { analyze } from './analyze.js';
import type { AnalyzeOptions, Finding } from './finding.js';

/** The analyzers that come upon references to what is not there. */
const ofReferences = [
  'destinationrule.SubsetSelectPodAnalyzer',
  'gateway.IngressGatewayPortAnalyzer',
  'gateway.SecretAnalyzer',
  'virtualservice.DelegateAnalyzer',
  'virtualservice.DestinationHostAnalyzer',
  'virtualservice.DestinationRuleAnalyzer',
  'virtualservice.GatewayAnalyzer',
];

const codes: ReadonlySet<string> = new Set(['IST0101', 'IST0161', 'IST0174']);

/** A finding as everything else that is told about config. */
export function toDiagnostic({ level, code, message, object, path, file, line, column }: Finding): Diagnostic {
  const position = file !== undefined && line !== undefined ? { file, line, column } : undefined;
  return { severity: level, code, message, object, path, position };
}

/**
 * Finds references of routing to what is not there, in all that a mesh has: hosts, ports, subsets, gateways and
 * delegates of VirtualServices, hosts of DestinationRules, selectors and credentials of Gateways. They are warnings: the objects stay in
 * force, and what is missing may come later.
 */
export function analyzeReferences(
  objects: readonly ConfigObject[],
  options: Pick<AnalyzeOptions, 'clusterDomain' | 'rootNamespace'> = {},
): readonly Diagnostic[] {
  const found = analyze({ objects, options: { ...options, only: ofReferences, assumeIngressGateway: false } });
  return found.filter(({ code }) => codes.has(code)).map((one) => ({ ...toDiagnostic(one), severity: 'warning' }));
}
