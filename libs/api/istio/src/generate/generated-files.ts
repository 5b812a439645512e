import type { KindInfo } from '@seine/k8s';
import { istioKinds } from '../kinds/istio-kinds.js';
import { seineKinds } from '../kinds/seine-kinds.js';
import { legacySecurityKinds } from '../legacy-security/kinds.js';
import { mixerKinds } from '../mixer/kinds.js';
import { customResourceDefinition } from './custom-resource-definition.js';
import { referencePage } from './reference-page.js';
import { yamlText } from './yaml-text.js';

const notice =
  '# Generated from the definitions in libs/api/istio: change those, then run libs/api/istio/tools/generate-api.mjs.\n';

const ownKinds: readonly KindInfo[] = [...istioKinds, ...seineKinds, ...legacySecurityKinds, ...mixerKinds];

function pageName({ group, kind }: KindInfo): string {
  const words = kind.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
  return `${group.slice(0, group.indexOf('.'))}-${words}.md`;
}

function indexPage(): string {
  const rows = ownKinds.map((info) => {
    const description = info.schema?.properties?.['spec']?.description ?? '';
    return `| [${info.kind}](${pageName(info)}) | \`${info.group}\` | ${info.actedOn ? 'yes' : 'no'} | ${description} |`;
  });
  return [
    '# Reference',
    '',
    '| Kind | Group | In force | What it is for |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** Everything that is written from the definitions of kinds: file contents by path from the root of the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...ownKinds.flatMap((info): readonly (readonly [string, string])[] => [
      [`deploy/crds/${info.plural}.${info.group}.yaml`, `${notice}${yamlText(customResourceDefinition(info))}`],
      [`docs/reference/${pageName(info)}`, referencePage(info)],
    ]),
    ['docs/reference/README.md', indexPage()] as const,
  ]);
}
