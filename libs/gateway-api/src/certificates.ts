import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { gatewayApi } from '@seine/istio';
import { type ConfigObject, fieldsOf, readAuthority, readKeyPair, type Secret, textOf, valueNames } from '@seine/k8s';
import { memo } from '@seine/memo';

/** How a reference is written in messages: `group/Kind/name.namespace`. */
export function referenceText({ group, kind, name, namespace }: gatewayApi.ObjectReference): string {
  return `${group ?? ''}/${kind ?? ''}/${name}.${namespace ?? ''}`;
}

function failureOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    // The parsers report what they do not take by exceptions.
    return error instanceof Error ? error.message : String(error);
  }
}

function foundKeys(names: readonly string[]): string {
  return names.length < 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')}, and ${names.length - 3} more...`;
}

/** What is wrong with a Secret as certificate and key of a server; undefined: nothing. */
export const keyPairProblem = memo('keyPairProblem', (secret: ConfigObject): string | undefined => {
  const pair = readKeyPair(secret as Secret);
  if (!pair) {
    const found = foundKeys(valueNames(secret as Secret));
    return `found secret, but didn't have expected keys (cert and key) or (tls.crt and tls.key); found: ${found}`;
  }
  const failure = failureOf(() => {
    const certificate = new X509Certificate(pair.certificate);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key)))
      throw new Error('the key is not that of the certificate');
  });
  return failure === undefined ? undefined : `the certificate is malformed: ${failure}`;
});

/** What is wrong with a ConfigMap or Secret as certificates to trust; undefined: nothing. */
export const authorityProblem = memo('authorityProblem', (object: ConfigObject): string | undefined => {
  const bundle = object.kind === 'Secret' ? readAuthority(object as Secret)?.certificates : configMapAuthority(object);
  if (!bundle || bundle.length === 0) {
    const names =
      object.kind === 'Secret' ? valueNames(object as Secret) : Object.keys(fieldsOf(object['data'])).sort();
    return `found secret, but didn't have expected keys cacert or ca.crt; found: ${foundKeys(names)}`;
  }
  const failure = failureOf(() => new X509Certificate(bundle));
  return failure === undefined ? undefined : 'the bundle is malformed';
});

function configMapAuthority(object: ConfigObject): Buffer | undefined {
  const data = fieldsOf(object['data']);
  const text = textOf(data['cacert']) || textOf(data['ca.crt']);
  return text === '' ? undefined : Buffer.from(text);
}

/** Whether a ConfigMap has a value that may be certificates to trust; undefined: it has. */
export function configMapProblem(object: ConfigObject): string | undefined {
  if (configMapAuthority(object)) return undefined;
  const names = Object.keys(fieldsOf(object['data'])).sort();
  return `found secret, but didn't have expected keys cacert or ca.crt; found: ${foundKeys(names)}`;
}
