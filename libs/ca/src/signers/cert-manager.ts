import { randomBytes } from 'node:crypto';
import { splitCertificates } from '../pem.js';
import type { IssuedCertificate } from '../signer.js';
import { type CertificateSigner, SignerUnavailableError, type SigningOrder } from './certificate-signer.js';
import { readExternalAnswer, requireExactNames, usagesOf } from './external-answer.js';
import { askKube, type KubeApi } from './kube-api.js';
import { type Patience, until } from './polling.js';

/** Whom cert-manager is to ask. */
export interface IssuerReference {
  readonly name: string;
  /** `Issuer` or `ClusterIssuer`, or the kind of an external issuer. */
  readonly kind: string;
  readonly group: string;
}

export interface CertManagerOptions {
  readonly api: KubeApi;
  /** Where the requests are made: an Issuer has to be there, too. */
  readonly namespace: string;
  readonly issuer: IssuerReference;
  /** The roots that its certificates lead to, PEM. */
  readonly roots: () => readonly string[];
  readonly patience: Patience;
}

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}
interface CertificateRequestObject {
  readonly status?: { readonly certificate?: string; readonly conditions?: readonly Condition[] };
}

/** Has certificates signed by an issuer of cert-manager, by its `CertificateRequest`. */
export class CertManagerSigner implements CertificateSigner {
  constructor(private readonly options: CertManagerOptions) {}

  async sign(order: SigningOrder): Promise<IssuedCertificate> {
    requireExactNames(order);
    const { api, namespace, roots, patience, issuer } = this.options;
    const path = `/apis/cert-manager.io/v1/namespaces/${namespace}/certificaterequests`;
    const name = `seine-${randomBytes(8).toString('hex')}`;
    await askKube(() => api.request('POST', path, this.#object(name, order)), [201]);
    try {
      const pem = await until(
        () => this.#look(`${path}/${name}`),
        `cert-manager’s ${issuer.kind} ${issuer.name}`,
        patience,
      );
      return readExternalAnswer(pem, roots(), order);
    } finally {
      await api.request('DELETE', `${path}/${name}`).catch(() => undefined);
    }
  }

  #object(name: string, order: SigningOrder): object {
    return {
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: {
        name,
        namespace: this.options.namespace,
        labels: { 'app.kubernetes.io/managed-by': 'seine-citadel' },
      },
      spec: {
        request: Buffer.from(order.csr).toString('base64'),
        duration: `${Math.floor(order.lifetimeMs / 1000)}s`,
        isCA: false,
        usages: usagesOf(order),
        issuerRef: this.options.issuer,
      },
    };
  }

  async #look(path: string): Promise<string | undefined> {
    const answer = await askKube(() => this.options.api.request('GET', path), [200]);
    const { certificate, conditions = [] } = (answer.body as CertificateRequestObject).status ?? {};
    const refusal = conditions.find(
      ({ type, status, reason }) =>
        (type === 'Denied' && status === 'True') ||
        (type === 'InvalidRequest' && status === 'True') ||
        (type === 'Ready' && status === 'False' && reason === 'Failed'),
    );
    if (refusal) throw new SignerUnavailableError(`cert-manager: ${refusal.message ?? refusal.reason ?? 'refused'}`);
    if (!certificate) return undefined;
    const pem = Buffer.from(certificate, 'base64').toString();
    return splitCertificates(pem).join('');
  }
}
