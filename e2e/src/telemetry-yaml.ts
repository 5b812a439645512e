/** YAML of what Telemetry needs in tests. */

/** The ConfigMap that holds the mesh config, as Istio's installers make it. */
export function meshConfigYaml(meshConfig: unknown): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: ${JSON.stringify(JSON.stringify(meshConfig))}
`;
}

export function telemetryYaml(name: string, spec: unknown, namespace = 'istio-system'): string {
  return `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${JSON.stringify(spec)}
`;
}
