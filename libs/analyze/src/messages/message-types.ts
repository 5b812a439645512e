import { installationMessages } from './of-installation.js';
import { routingMessages } from './of-routing.js';
import { workloadMessages } from './of-workloads.js';
import type { MessageType, ParameterOf } from './message-type.js';

const all = [...routingMessages, ...workloadMessages, ...installationMessages] as const;

type Entry = (typeof all)[number];

export type MessageCode = Entry['code'];
export type MessageName = Entry['name'];
type TemplateOf<N extends MessageName> = Extract<Entry, { readonly name: N }>['template'];

/** What a message of a name has to be told. */
export type ParametersOf<N extends MessageName> = Readonly<
  Record<ParameterOf<TemplateOf<N>>, string | number | readonly (string | number)[]>
>;

/** Every message, in order of codes. Codes, names and levels are Istio's. */
export const messageTypes: readonly (MessageType & { readonly code: MessageCode; readonly name: MessageName })[] = [
  ...all,
].sort((a, b) => (a.code < b.code ? -1 : 1));

const byName: ReadonlyMap<string, (typeof messageTypes)[number]> = new Map(messageTypes.map((m) => [m.name, m]));

/** @throws Error for a name that is not in the table; types exclude it */
export function messageType(name: MessageName): (typeof messageTypes)[number] {
  const found = byName.get(name);
  if (!found) throw new Error(`there is no message ${name}`);
  return found;
}
