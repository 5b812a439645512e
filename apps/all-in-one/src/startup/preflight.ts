import type { ListenOutcome } from './try-listen.js';

/** The machine cannot carry the mesh; the message is one sentence saying why, and what would help. */
export class PreflightError extends Error {
  override readonly name = 'PreflightError';
}

/** A port that must be free. */
export interface NeededPort {
  readonly host: string;
  readonly port: number;
  /** `the ingress gateway` */
  readonly who: string;
}

/**
 * Looks at every port before anything is started.
 * @throws PreflightError for the first that is not to be had
 */
export async function checkPorts(
  needed: readonly NeededPort[],
  tryListen: (host: string, port: number) => Promise<ListenOutcome>,
): Promise<void> {
  const wanted = new Map<string, NeededPort>();
  for (const need of needed) {
    const key = `${need.host}:${need.port}`;
    const other = wanted.get(key);
    if (other) throw new PreflightError(`${need.who} and ${other.who} both want ${key}: give one another address.`);
    wanted.set(key, need);
  }
  for (const need of needed) {
    const outcome = await tryListen(need.host, need.port);
    if (outcome !== 'free') throw new PreflightError(sentence(need, outcome));
  }
}

function sentence({ host, port, who }: NeededPort, outcome: Exclude<ListenOutcome, 'free'>): string {
  const where = `Port ${port} on ${host}`;
  switch (outcome) {
    case 'in-use':
      return `${where} is in use, and ${who} needs it: stop the program that has it (lsof -i :${port} names it).`;
    case 'no-address':
      return `${host} is no address of this machine, and ${who} needs it.`;
    case 'denied':
      return `${where} is not for this user, and ${who} needs it.`;
  }
}
