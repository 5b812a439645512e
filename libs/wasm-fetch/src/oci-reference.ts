import { FetchFailure } from './fetch-failure.js';

/** An image: `registry.example.com:5000/team/filter:v1`, or `…@sha256:…`. */
export interface OciReference {
  /** Registry host, with its port where one is stated. */
  readonly host: string;
  readonly repository: string;
  /** A tag, or a digest (`sha256:…`). */
  readonly reference: string;
  readonly isDigest: boolean;
}

const dockerHub = 'index.docker.io';
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Reads the address of an image (OCI distribution spec; without a registry it is Docker Hub's). @throws FetchFailure */
export function parseOciReference(text: string): OciReference {
  const wrong = (what: string) =>
    new FetchFailure(`${JSON.stringify(text)} is not the address of an image: ${what}`, true);
  const slash = text.indexOf('/');
  const first = text.slice(0, slash);
  const named = slash > 0 && (/[.:]/.test(first) || first === 'localhost');
  const host = named ? first : dockerHub;
  const rest = named ? text.slice(slash + 1) : text;
  const at = rest.indexOf('@');
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const path = at < 0 ? rest : rest.slice(0, at);
  const colon = path.indexOf(':');
  const tag = colon < 0 ? 'latest' : path.slice(colon + 1);
  const repository = colon < 0 ? path : path.slice(0, colon);
  if (!repositoryPattern.test(repository)) throw wrong(`${JSON.stringify(repository)} is no repository`);
  if (digest !== undefined && !digestPattern.test(digest))
    throw wrong(`${JSON.stringify(digest)} is no SHA-256 digest`);
  if (!tagPattern.test(tag)) throw wrong(`${JSON.stringify(tag)} is no tag`);
  return {
    host,
    repository: host === dockerHub && !repository.includes('/') ? `library/${repository}` : repository,
    reference: digest ?? tag,
    isDigest: digest !== undefined,
  };
}

/** Registries on the same machine or link have no certificates; everything else is asked by HTTPS. */
export function registryUrl(host: string): string {
  const name = host.replace(/:\d+$/, '');
  const plain = name === 'localhost' || /^127\./.test(name) || name === '[::1]' || /\.(local|localhost)$/.test(name);
  return `${plain ? 'http' : 'https'}://${host}`;
}
