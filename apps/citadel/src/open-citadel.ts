import fs from 'node:fs';
import path from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { CertManagerSigner, type CertificateSigner, type KubeApi, KubernetesCsrSigner, trustedRoots } from '@seine/ca';
import { type Authenticator, byOidcToken, ProviderKeys, readDocument } from '@seine/identity';
import { later } from '@seine/nest';
import { rootLifetimeMs } from './admin/admin.controller.js';
import { AuditLog } from './audit-log.js';
import { kubePods } from './authenticators/impersonation.js';
import { byTokenReview } from './authenticators/token-review.js';
import { CitadelService } from './citadel.service.js';
import type { CitadelArguments, KubeArguments, SignerArguments } from './config.js';
import { bundleReader } from './federation/bundle-endpoint.js';
import { Federation } from './federation/federation.js';
import { Followers } from './followers.js';
import { inClusterOptions, KubeClient } from './kubernetes/kube-client.js';
import type { AuthorityKeeper } from './state/authority-keeper.js';
import { DenialFile } from './state/deny-list.js';
import { JoinGrantFiles } from './state/join-grant-files.js';
import { PluggedInAuthority } from './state/plugged-in.js';
import { RootsFile } from './state/roots-file.js';
import { SigningDirectory } from './state/signing-directory.js';

/** How long a signer elsewhere may take. */
const signerTimeoutMs = 8000;

export interface OpenOptions extends Omit<CitadelArguments, 'listen' | 'admin' | 'bundleEndpoint'> {
  readonly logger: LoggerService;
  /** Further ways to prove an identity. */
  readonly authenticators?: readonly Authenticator[];
}

const now = (): number => Date.now();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Citadel as its flags say, on its state directory: with clock, files and connections of this machine.
 * @throws SigningFilesError when there is nothing to sign with, Error when the state cannot be read
 */
export async function openCitadel(options: OpenOptions): Promise<CitadelService> {
  const { trustDomain, stateDir, lifetimes, logger, kube } = options;
  fs.mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const onProblem = (message: string): void => void logger.warn(message, 'citadel');
  const audit = new AuditLog(
    path.join(stateDir, 'audit.log'),
    (record, reason) =>
      void logger.error(`the audit log cannot be written (${reason}): ${JSON.stringify(record)}`, undefined, 'audit'),
  );
  const api = kube && openKube(kube);
  const keeper = await openKeeper(options, onProblem);
  const joinGrants = new JoinGrantFiles(stateDir);
  joinGrants.tidy(now());
  const federation = openFederation(options, onProblem);
  const external = options.signer && api && externalSigner(options.signer, api, keeper);
  const citadel = await CitadelService.start({
    stateDir,
    trustDomain,
    aliases: options.aliases,
    keeper,
    denials: new DenialFile(stateDir, onProblem),
    joinGrants,
    followers: new Followers(stateDir, now),
    ...(federation && { federation }),
    ...(external && { external }),
    lifetimes,
    limits: options.limits,
    authenticators: [...authenticatorsOf(options, api, onProblem), ...(options.authenticators ?? [])],
    ...(options.impersonators.length > 0 &&
      api && { impersonation: { accounts: new Set(options.impersonators), pods: kubePods(api) } }),
    dnsNames: options.dnsNames,
    spreadMs: options.rotationWait * 1000,
    audit: (record) => audit.write(record),
    records: () => audit.read(),
    onRefused: (address, reason) => void logger.warn(`${address}: ${reason}`, 'authentication'),
    onProblem,
    now,
    random: Math.random,
    later,
  });
  federation?.start();
  return citadel;
}

async function openKeeper(options: OpenOptions, onProblem: (message: string) => void): Promise<AuthorityKeeper> {
  const { cacertsDir, signer, stateDir, trustDomain, lifetimes, logger } = options;
  if (signer) return new RootsFile({ file: signer.rootsFile, onProblem });
  if (cacertsDir === undefined)
    return await SigningDirectory.open({ stateDir, trustDomain, now, rootLifetimeMs, onProblem });
  const onChange = (message: string): void => void logger.log(message, 'cacerts');
  return new PluggedInAuthority({
    folder: cacertsDir,
    longestLeafMs: lifetimes.maximum * 1000,
    now,
    onProblem,
    onChange,
  });
}

function openKube({ url, tokenFile, caFile }: KubeArguments): KubeApi {
  return new KubeClient(url ? { url, tokenFile, caFile } : inClusterOptions(process.env));
}

function authenticatorsOf(
  { oidc, tokenReview, trustDomain }: OpenOptions,
  api: KubeApi | undefined,
  onProblem: (message: string) => void,
): readonly Authenticator[] {
  const providers = oidc.map(({ issuer, audience, keys: jwks }) => {
    const keys = new ProviderKeys({ issuer, jwks, read: readDocument, now, onProblem });
    return byOidcToken({ issuer, audience, keys: keys.lookup, trustDomain, now });
  });
  return [...(tokenReview && api ? [byTokenReview({ ...tokenReview, api, trustDomain })] : []), ...providers];
}

function externalSigner(options: SignerArguments, api: KubeApi, keeper: AuthorityKeeper): CertificateSigner {
  const roots = (): readonly string[] => trustedRoots(keeper.state());
  const patience = { timeoutMs: signerTimeoutMs, now, pause };
  if (options.kind === 'kubernetes')
    return new KubernetesCsrSigner({ api, signerName: options.signerName, roots, patience });
  const { namespace, issuerKind: kind, issuerName: name } = options;
  return new CertManagerSigner({ api, namespace, issuer: { name, kind, group: 'cert-manager.io' }, roots, patience });
}

function openFederation(options: OpenOptions, onProblem: (message: string) => void): Federation | undefined {
  const { federated, federationWebRoots, stateDir, logger } = options;
  if (federated.length === 0) return undefined;
  const webRoots = (): string | undefined => federationWebRoots && fs.readFileSync(federationWebRoots, 'utf8');
  return new Federation({
    domains: federated,
    stateDir,
    read: bundleReader(webRoots, now),
    onProblem,
    onChange: (message) => void logger.log(message, 'federation'),
    later,
  });
}
