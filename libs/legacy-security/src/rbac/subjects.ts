import type { Condition, ServiceRoleBinding, Source, Subject } from '@seine/istio';
import type { Messages } from '../messages.js';

/** A subject in today's words: a source, and conditions that a source cannot say. */
export interface RoleSource {
  /** Undefined = everybody. */
  readonly source: Source | undefined;
  readonly when: readonly Condition[];
}

const groupsClaim = 'request.auth.claims[groups]';
/** Properties that conditions have under the same name. */
const attribute =
  /^(request\.headers\[[^\]]+\]|request\.auth\.(audiences|presenter|claims(\[[^\]]+\])+)|connection\.sni)$/;

type Fields = { -readonly [K in keyof Source]: Source[K] };

/** What a subject says, field by field: a second value for a field of the source becomes a condition. */
class SubjectBuilder {
  readonly source: Fields = {};
  readonly when: Condition[] = [];
  /** Whether nobody can be such a subject. */
  nobody = false;

  set(field: keyof Source, key: string, values: readonly string[]): void {
    const negated = field.startsWith('not');
    if (this.source[field] === undefined) this.source[field] = values;
    else this.when.push({ key, ...(negated ? { notValues: values } : { values }) });
  }

  names(values: readonly string[]): void {
    if (values.includes('allUsers')) return;
    this.set('principals', 'source.principal', values.map(authenticated));
  }

  notNames(values: readonly string[]): void {
    if (values.includes('allUsers')) this.nobody = true;
    else this.set('notPrincipals', 'source.principal', values.map(authenticated));
  }

  /** @returns whether the property is known */
  property(key: string, value: string): boolean {
    if (key === 'source.principal' || key === 'source.user') this.names([value]);
    else if (key === 'source.namespace') this.set('namespaces', key, [value]);
    else if (key === 'source.ip') this.set('ipBlocks', key, [value]);
    else if (key === 'request.auth.principal') this.set('requestPrincipals', key, [value]);
    else if (attribute.test(key)) this.when.push({ key, values: [value] });
    else return false;
    return true;
  }
}

function authenticated(name: string): string {
  return name === 'allAuthenticatedUsers' ? '*' : name;
}

/** Fields that are lists of the source: the source's field, the condition for a second list, the subject's field. */
const lists = [
  ['namespaces', 'source.namespace', 'namespaces'],
  ['notNamespaces', 'source.namespace', 'notNamespaces'],
  ['ipBlocks', 'source.ip', 'ips'],
  ['notIpBlocks', 'source.ip', 'notIps'],
] as const;

function addIdentities({ user, names, notNames }: Subject, built: SubjectBuilder): void {
  // Everybody, as a user; as one of several names it would have been read as "with an identity".
  if (user && user !== '*') built.names([user]);
  if (names?.length) built.names(names);
  if (notNames?.length) built.notNames(notNames);
}

function addGroups({ group, groups, notGroups }: Subject, built: SubjectBuilder): void {
  if (group) built.when.push({ key: groupsClaim, values: [group] });
  if (groups?.length) built.when.push({ key: groupsClaim, values: groups });
  if (notGroups?.length) built.when.push({ key: groupsClaim, notValues: notGroups });
}

/** A subject of a binding; undefined where nobody is it, or where that cannot be said. */
export function subjectSource(
  subject: Subject,
  binding: ServiceRoleBinding,
  path: string,
  messages: Messages,
): RoleSource | undefined {
  const built = new SubjectBuilder();
  addIdentities(subject, built);
  addGroups(subject, built);
  for (const [field, key, listed] of lists) {
    const values = subject[listed] ?? [];
    if (values.length > 0) built.set(field, key, values);
  }
  let known = true;
  for (const [key, value] of Object.entries(subject.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (built.property(key, value)) continue;
    known = false;
    messages.warn(
      binding,
      `${path}.properties.${key}`,
      `Nothing of a caller is called ${key}, so the subject gets nothing. There are source.principal, source.namespace, source.ip, request.headers[…] and request.auth.….`,
    );
  }
  if (built.nobody || !known) return undefined;
  const hasSource = Object.keys(built.source).length > 0;
  return { source: hasSource ? built.source : undefined, when: built.when };
}
