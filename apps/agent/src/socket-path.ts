import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** The longest path that a socket can be bound to: sun_path has 108 bytes with its final zero. */
export const longestSocketPath = 107;

/** A path that is too long for a socket is reached by its open folder. */
export function shortenSocketPath(socket: string): { readonly bindable: string; readonly end: () => void } {
  if (Buffer.byteLength(socket) <= longestSocketPath) return { bindable: socket, end: () => undefined };
  const folder = fs.openSync(path.dirname(socket), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  return { bindable: `/proc/self/fd/${folder}/${path.basename(socket)}`, end: () => fs.closeSync(folder) };
}

/**
 * A socket that nobody serves on is what a killed agent left.
 * @throws Error when somebody does
 */
export async function removeStaleSocket(reachable: string, socket: string): Promise<void> {
  if (!fs.lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) return;
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = net.connect(reachable, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (isServed) throw new Error(`${socket} is served by another program`);
  fs.rmSync(socket, { force: true });
}
