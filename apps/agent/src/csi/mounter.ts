import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How the folder of a volume comes to where kubelet wants it. */
export interface Mounter {
  /** The folder that is to have the socket. @param own a folder of the agent's for this volume */
  folder(own: string, target: string): string;
  /** May be asked again. @throws Error when it cannot be done */
  mount(folder: string, target: string, isReadOnly: boolean): Promise<void>;
  /** May be asked again. @throws Error when it cannot be done */
  unmount(target: string): Promise<void>;
}

/** Whether something is mounted there, by the kernel's own list. Its texts have blanks and the like in octal. */
function isMounted(target: string): boolean {
  const written = target.replace(/[ \t\n\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return fs
    .readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === written);
}

function removeFolder(folder: string): void {
  try {
    fs.rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** The agent's own folder appears at kubelet's: pods cannot write into it, and a restarted agent's new socket is seen. */
export const bindMounter: Mounter = {
  folder: (own) => own,
  async mount(folder, target, isReadOnly) {
    fs.mkdirSync(target, { recursive: true, mode: 0o750 });
    if (isMounted(target)) return;
    await run('mount', ['--bind', folder, target]);
    if (isReadOnly) await run('mount', ['-o', 'remount,bind,ro', target]);
  },
  async unmount(target) {
    // Once for each time it was mounted, should a crash have led to more than one.
    while (isMounted(target)) await run('umount', [target]);
    removeFolder(target);
  },
};

/** Without root: the socket lies in kubelet's folder itself. */
export const directoryMounter: Mounter = {
  folder: (_own, target) => target,
  mount(_folder, target) {
    fs.mkdirSync(target, { recursive: true, mode: 0o750 });
    return Promise.resolve();
  },
  unmount(target) {
    fs.rmSync(path.join(target, 'socket'), { force: true });
    removeFolder(target);
    return Promise.resolve();
  },
};
