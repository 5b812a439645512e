import { describe, expect, it } from '@jest/globals';
import { parseConfig } from './parse-config.js';

const configMap = `# A comment.
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  other: x
  mesh: |

    accessLogFile: /dev/stdout
    extensionProviders:
      - name: zipkin
        zipkin:
          service: zipkin
          port: 0
`;

describe('positions in YAML inside of YAML', () => {
  it('are those of the inner field', () => {
    const { diagnostics } = parseConfig(configMap, 'istio.yaml');
    expect(diagnostics).toEqual([
      expect.objectContaining({
        code: 'SEINE-SCHEMA',
        path: 'data.mesh.extensionProviders[0].zipkin.port',
        object: { kind: 'ConfigMap', namespace: 'istio-system', name: 'istio' },
        position: { file: 'istio.yaml', line: 14, column: 11 },
      }),
    ]);
  });

  it.each([
    ['in quotes', 'data: { mesh: "accessLogFile: 5" }', 5],
    ['folded', 'data:\n  mesh: >\n    accessLogFile: 5', 6],
    ['no YAML', 'data:\n  mesh: |\n    a: [', 6],
  ])('are those of the key where the text is %s', (_what, data, line) => {
    const yaml = `# A comment.\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: istio, namespace: istio-system }\n${data}\n`;
    const { diagnostics, objects } = parseConfig(yaml, 'istio.yaml');
    expect(objects).toEqual([]);
    expect(diagnostics).toEqual([expect.objectContaining({ severity: 'error' })]);
    expect(diagnostics[0]?.position?.line).toBe(line);
  });
});
