import { readSyncz } from './client/syncz.js';
import { CommandError } from './command-error.js';
import type { Output } from './output/output.js';
import { fullName } from './output/sync-rows.js';

export interface WaitOptions {
  readonly pilotAdmin: string;
  /** The revision of the mesh log that the proxies shall have acknowledged. */
  readonly revision: number;
  readonly seconds: number;
}

/**
 * Waits until every connected proxy has acknowledged a revision, and says so.
 * @throws CommandError that lists the proxies that have not, each with what it refused
 */
export async function waitForProxies(options: WaitOptions, output: Output): Promise<void> {
  const { pilotAdmin, revision, seconds } = options;
  const { proxies } = await readSyncz(pilotAdmin, { revision, waitSeconds: seconds });
  const late = proxies.filter((proxy) => !proxy.synced);
  if (late.length === 0) {
    output.progress(`${proxies.length} ${proxies.length === 1 ? 'proxy has' : 'proxies have'} acknowledged`);
    return;
  }
  const lines = late.flatMap((proxy) => {
    const refusals = Object.entries(proxy.types).flatMap(([type, sync]) =>
      sync?.nack ? [`    ${type.toUpperCase()} refused: ${sync.nack.message.trim()}`] : [],
    );
    return [`  ${fullName(proxy)}${proxy.connected ? '' : ' (disconnected)'}`, ...refusals];
  });
  throw new CommandError(
    `${late.length} of ${proxies.length} proxies have not acknowledged in ${seconds} s:\n${lines.join('\n')}`,
  );
}
