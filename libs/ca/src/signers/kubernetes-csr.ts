import { randomBytes } from 'node:crypto';
import type { IssuedCertificate } from '../signer.js';
import { type CertificateSigner, SignerUnavailableError, type SigningOrder } from './certificate-signer.js';
import { readExternalAnswer, requireExactNames, usagesOf } from './external-answer.js';
import { askKube, type KubeApi } from './kube-api.js';
import { type Patience, until } from './polling.js';

export interface KubernetesCsrOptions {
  readonly api: KubeApi;
  /** For instance `clusterissuers.cert-manager.io/mesh`: who signs in the cluster. */
  readonly signerName: string;
  /** The roots that the signer’s certificates lead to, PEM. */
  readonly roots: () => readonly string[];
  readonly patience: Patience;
}

const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
/** The API server takes no shorter life than this. */
const leastSeconds = 600;

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}
interface SigningRequestObject {
  readonly status?: { readonly certificate?: string; readonly conditions?: readonly Condition[] };
}

/** Has certificates signed by a signer of the cluster: `certificates.k8s.io/v1`, approved by citadel itself. */
export class KubernetesCsrSigner implements CertificateSigner {
  constructor(private readonly options: KubernetesCsrOptions) {}

  async sign(order: SigningOrder): Promise<IssuedCertificate> {
    requireExactNames(order);
    const { api, roots, patience } = this.options;
    const name = `seine-${randomBytes(8).toString('hex')}`;
    const created = await askKube(() => api.request('POST', path, this.#object(name, order)), [201]);
    try {
      await this.#approve(name, created.body as object);
      const pem = await until(() => this.#look(name), `the signer ${this.options.signerName}`, patience);
      return readExternalAnswer(pem, roots(), order);
    } finally {
      // It has served its purpose; one that stays is cleaned up by the cluster.
      await api.request('DELETE', `${path}/${name}`).catch(() => undefined);
    }
  }

  #object(name: string, order: SigningOrder): object {
    return {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'seine-citadel' } },
      spec: {
        request: Buffer.from(order.csr).toString('base64'),
        signerName: this.options.signerName,
        expirationSeconds: Math.max(leastSeconds, Math.floor(order.lifetimeMs / 1000)),
        usages: usagesOf(order),
      },
    };
  }

  async #approve(name: string, created: object): Promise<void> {
    const condition = {
      type: 'Approved',
      status: 'True',
      reason: 'SeineCitadel',
      message: 'citadel has proved the identity of who asked',
    };
    const approved = { ...created, status: { conditions: [condition] } };
    await askKube(() => this.options.api.request('PUT', `${path}/${name}/approval`, approved), [200, 201]);
  }

  async #look(name: string): Promise<string | undefined> {
    const answer = await askKube(() => this.options.api.request('GET', `${path}/${name}`), [200]);
    const { certificate, conditions = [] } = (answer.body as SigningRequestObject).status ?? {};
    const refusal = conditions.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (refusal)
      throw new SignerUnavailableError(
        `the signer ${this.options.signerName}: ${refusal.type ?? ''}: ${refusal.message ?? refusal.reason ?? ''}`,
      );
    return certificate ? Buffer.from(certificate, 'base64').toString() : undefined;
  }
}
