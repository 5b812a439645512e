import {
  type ConfigObject,
  type Fields,
  fieldsOf,
  itemsOf,
  type Labels,
  labelSelectorMatches,
  labelsOf,
  textOf,
  textsOf,
} from '@seine/k8s';
import type { Catalogue } from './frame/catalogue.js';
import type { Analyzer, Report } from './frame/finding.js';
import { kinds } from './frame/kinds.js';

const revisionLabel = 'istio.io/rev';

interface Webhook {
  readonly object: ConfigObject;
  readonly hook: Fields;
  readonly name: string;
  readonly path: string;
}

/** The revisions that a webhook is there for. */
function revisionsOf(object: ConfigObject, hooks: readonly Fields[]): readonly string[] {
  const own = labelsOf(object.metadata.labels)[revisionLabel];
  const selectors = hooks.flatMap((hook) => [fieldsOf(hook['namespaceSelector']), fieldsOf(hook['objectSelector'])]);
  const selected = selectors.flatMap((selector) => [
    ...(labelsOf(selector['matchLabels'])[revisionLabel] ?? '').split(' '),
    ...itemsOf(selector['matchExpressions'])
      .filter((expression) => expression['key'] === revisionLabel)
      .flatMap((expression) => textsOf(expression['values'])),
  ]);
  return [...(own === undefined ? [] : [own]), ...selected.filter((revision) => revision !== '')];
}

/** All ways to label a namespace or a pod that injection may look at. */
function labelings(key: string, values: readonly string[], revisions: readonly string[]): readonly Labels[] {
  const base: readonly Labels[] = [{}, ...values.map((value) => ({ [key]: value }))];
  return [
    ...base,
    ...revisions.flatMap((revision) => base.map((labels) => ({ ...labels, [revisionLabel]: revision }))),
  ];
}

function checkOverlaps(webhooks: readonly Webhook[], revisions: readonly string[], report: Report): void {
  const ofNamespaces = labelings('istio-injection', ['enabled', 'disabled'], revisions);
  const ofPods = labelings('sidecar.istio.io/inject', ['true', 'false'], revisions);
  for (const namespace of ofNamespaces) {
    const there = webhooks.filter(({ hook }) => labelSelectorMatches(hook['namespaceSelector'], namespace));
    if (there.length < 2) continue;
    for (const pod of ofPods) {
      const all = there.filter(({ hook }) => labelSelectorMatches(hook['objectSelector'], pod));
      if (all.length < 2) continue;
      for (const one of all) {
        const others = all
          .filter((other) => other !== one)
          .map(({ name }) => name)
          .sort();
        const error = `Webhook overlaps with others: [${others.join(' ')}]. This may cause injection to occur twice.`;
        report('InvalidWebhook', one.object, { error }, `${one.path}.namespaceSelector`);
      }
    }
  }
}

function checkServices(catalogue: Catalogue, webhooks: readonly Webhook[], report: Report): void {
  for (const { object, hook, path } of webhooks) {
    const { service } = fieldsOf(hook['clientConfig']);
    if (service === undefined) continue;
    const name = textOf(fieldsOf(service)['name']);
    const namespace = textOf(fieldsOf(service)['namespace']);
    if (catalogue.find(kinds.service, namespace, name)) continue;
    const error = `Injector refers to a control plane service that does not exist: ${namespace}/${name}.`;
    report('InvalidWebhook', object, { error }, `${path}.clientConfig.service`);
  }
}

export const webhook: Analyzer = {
  name: 'webhook.Analyzer',
  description: 'Injection webhooks that overlap, or lead to a Service that does not exist.',
  scope: 'mesh',
  analyze(catalogue, report) {
    const revisions = new Set<string>();
    const webhooks = catalogue.all(kinds.mutatingWebhook).flatMap((object): readonly Webhook[] => {
      const hooks = itemsOf(object['webhooks']);
      const own = revisionsOf(object, hooks);
      if (own.length === 0 && !hooks.some((hook) => textOf(hook['name']).endsWith('istio.io'))) return [];
      for (const revision of own) revisions.add(revision);
      return hooks.map((hook, i) => ({
        object,
        hook,
        name: `${object.metadata.name}/${textOf(hook['name'])}`,
        path: `webhooks[${i}]`,
      }));
    });
    checkOverlaps(webhooks, [...revisions], report);
    checkServices(catalogue, webhooks, report);
  },
};
