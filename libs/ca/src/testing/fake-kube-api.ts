import { readCertificateRequest, readRequestedNames } from '../certificate-request.js';
import { emptyName, signCertificate } from '../certificate.js';
import { encodePem } from '../pem.js';
import type { Signer } from '../signer.js';
import type { KubeAnswer, KubeApi } from '../signers/kube-api.js';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}
interface Stored {
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
  status?: { certificate?: string; ca?: string; conditions?: Condition[] };
}

/** A token that the API server knows. */
export interface KnownToken {
  readonly namespace: string;
  readonly account: string;
  /** Empty: a legacy token, which names none. */
  readonly audiences: readonly string[];
  readonly pod?: { readonly name: string; readonly uid: string; readonly node: string };
  isExpired?: boolean;
}

/**
 * A stand-in for the API server of Kubernetes: TokenReview, pods, CertificateSigningRequest with a signer behind it, and
 * cert-manager's CertificateRequest with an issuer. It answers as the real one does where the tests look; the real one
 * itself is not here.
 */
export class FakeKubeApi implements KubeApi {
  readonly asked: { readonly method: string; readonly path: string; readonly body: unknown }[] = [];
  readonly tokens = new Map<string, KnownToken>();
  /** `namespace/name` → uid, node and account. */
  readonly pods = new Map<string, { readonly uid: string; readonly node: string; readonly account: string }>();
  readonly requests = new Map<string, Stored>();
  /** What the signer behind does with what it is given. */
  signer: { readonly by: Signer; readonly change?: (pem: string) => string } | undefined;
  /** The verdict of the signer, in place of a certificate. */
  verdict: Condition | undefined;
  isAway = false;
  status: number | undefined;

  request(method: string, path: string, body?: object): Promise<KubeAnswer> {
    this.asked.push({ method, path, body });
    if (this.isAway) return Promise.reject(new Error('connect ECONNREFUSED'));
    if (this.status !== undefined)
      return Promise.resolve({ status: this.status, body: { kind: 'Status', message: 'forbidden: not allowed' } });
    return Promise.resolve(this.#answer(method, path, body as never));
  }

  #answer(method: string, path: string, body: Stored & { spec: { token?: string; audiences?: string[] } }): KubeAnswer {
    if (path.endsWith('/tokenreviews')) return { status: 201, body: this.#review(body.spec) };
    if (path.startsWith('/api/v1/')) return this.#pods(path);
    const [, name = '', isApproval] = /certificate(?:signing)?requests(?:\/([^/]+))?(\/approval)?$/.exec(path) ?? [];
    switch (method) {
      case 'POST':
        this.requests.set(body.metadata.name, body);
        if (path.includes('cert-manager')) this.#sign(body);
        return { status: 201, body };
      case 'PUT':
        this.requests.set(name, body);
        if (isApproval) this.#sign(body);
        return { status: 200, body };
      case 'DELETE':
        this.requests.delete(name);
        return { status: 200, body: {} };
      default: {
        const found = this.requests.get(name);
        return found ? { status: 200, body: found } : { status: 404, body: { message: `"${name}" not found` } };
      }
    }
  }

  #sign(object: Stored): void {
    const conditions = object.status?.conditions ?? [];
    if (this.verdict) object.status = { ...object.status, conditions: [...conditions, this.verdict] };
    if (this.verdict || !this.signer) return;
    const csr = Buffer.from(String(object.spec['request']), 'base64').toString();
    const { spki, publicKey } = readCertificateRequest(csr);
    const { uris, dnsNames } = readRequestedNames(csr);
    const { by, change = (pem) => pem } = this.signer;
    const { der } = signCertificate(
      {
        subject: emptyName,
        issuer: by.issuer,
        spki,
        notBefore: Date.now() - 60_000,
        notAfter: Date.now() + 3_600_000,
        uris,
        dnsNames,
        rsa: publicKey.asymmetricKeyType === 'rsa',
        issuerKeyId: by.issuerKeyId,
      },
      by.key,
    );
    const pem = change(encodePem('CERTIFICATE', der) + by.path.slice(0, -1).join(''));
    object.status = { ...object.status, certificate: Buffer.from(pem).toString('base64') };
  }

  #review({ token = '', audiences }: { token?: string; audiences?: string[] }): object {
    const fail = (error: string) => ({ status: { authenticated: false, error } });
    const known = this.tokens.get(token);
    if (!known) return fail('[invalid bearer token, square/go-jose: error in cryptographic primitive]');
    if (known.isExpired) return fail('[invalid bearer token, service account token has expired]');
    const { namespace, account, pod } = known;
    if (pod && this.pods.get(`${namespace}/${pod.name}`)?.uid !== pod.uid)
      return fail('[invalid bearer token, service account token has been invalidated]');
    const matching = audiences?.filter((audience) => known.audiences.includes(audience)) ?? [];
    // Of no audience at all are legacy tokens only; they are for the API server itself, which is asked without audiences.
    if (audiences ? matching.length === 0 : known.audiences.length > 0)
      return fail('[invalid bearer token, token audiences are invalid for the target audiences]');
    const claim = 'authentication.kubernetes.io';
    const extra = pod && { [`${claim}/pod-name`]: [pod.name], [`${claim}/pod-uid`]: [pod.uid] };
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
    const user = { username: `system:serviceaccount:${namespace}:${account}`, groups, extra };
    return { status: { authenticated: true, user, ...(audiences && { audiences: matching }) } };
  }

  #pods(path: string): KubeAnswer {
    const one = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/?]+)$/.exec(path);
    const object = (key: string, pod: { uid: string; node: string; account: string }) => ({
      metadata: { namespace: key.split('/')[0], name: key.split('/')[1], uid: pod.uid },
      spec: { nodeName: pod.node, serviceAccountName: pod.account },
      status: { phase: 'Running' },
    });
    if (one) {
      const key = `${one[1] ?? ''}/${one[2] ?? ''}`;
      const pod = this.pods.get(key);
      return pod ? { status: 200, body: object(key, pod) } : { status: 404, body: {} };
    }
    const node = /fieldSelector=spec\.nodeName%3D(.+)$/.exec(path)?.[1];
    const items = [...this.pods].filter(([, pod]) => pod.node === node).map(([key, pod]) => object(key, pod));
    return { status: 200, body: { items } };
  }
}
