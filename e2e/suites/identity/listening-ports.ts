import fs from 'node:fs';

export interface ListeningPort {
  readonly port: number;
  /** Whether only this machine can reach it. */
  readonly isLoopback: boolean;
}

/** TCP ports on which a process listens, as the kernel has them. */
export function listeningPorts(pid: number): readonly ListeningPort[] {
  const inodes = new Set(
    fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`)) ?? [];
      return inode === undefined ? [] : [inode];
    }),
  );
  return ['tcp', 'tcp6'].flatMap((family) =>
    fs
      .readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      // proc(5): state 0A is LISTEN; the ninth field after it is the inode.
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map((fields) => fields[1]?.split(':') ?? [])
      .map(([address = '', port = '']) => ({
        port: parseInt(port, 16),
        // Little-endian: the last byte is the first of the address.
        isLoopback: address.length === 8 ? address.endsWith('7F') : address === '00000000000000000000000001000000',
      })),
  );
}

/** Files come and go while they are listed. */
function readLink(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';
  }
}
