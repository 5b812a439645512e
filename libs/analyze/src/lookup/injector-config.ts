import { type ConfigObject, type Fields, fieldsOf, textOf } from '@seine/k8s';

const configMapName = 'istio-sidecar-injector';

/** The name of the ConfigMap from which injection of a revision takes its values. */
export function injectorConfigMap(revision: string): string {
  return revision === '' || revision === 'default' ? configMapName : `${configMapName}-${revision}`;
}

export function isInjectorConfigMap({ metadata }: ConfigObject): boolean {
  return metadata.name.startsWith(configMapName);
}

/** The values that injection was installed with; what cannot be read reads as none. */
export function injectorValues(configMap: ConfigObject): Fields {
  try {
    return fieldsOf(JSON.parse(textOf(fieldsOf(configMap['data'])['values'])));
  } catch {
    // No JSON, no values: analysis then has nothing to compare with.
    return {};
  }
}

/** The proxy image that injection puts in; empty when its values do not tell. */
export function injectedImage(values: Fields): string {
  const global = fieldsOf(values['global']);
  const image = textOf(fieldsOf(global['proxy'])['image']);
  if (image === '' || image.includes('/')) return image;
  return `${textOf(global['hub'])}/${image}:${textOf(global['tag'])}`;
}
