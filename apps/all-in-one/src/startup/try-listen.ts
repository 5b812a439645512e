import { createServer } from 'node:net';

export type ListenOutcome = 'free' | 'in-use' | 'no-address' | 'denied';

const outcomes: Readonly<Record<string, ListenOutcome>> = {
  EADDRINUSE: 'in-use',
  EADDRNOTAVAIL: 'no-address',
  EACCES: 'denied',
};

/**
 * Whether a TCP port could be listened on now; port 0 asks for the address alone.
 * @throws what the system says beyond that
 */
export async function tryListen(host: string, port: number): Promise<ListenOutcome> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const outcome = outcomes[error.code ?? ''];
      if (outcome) resolve(outcome);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
  });
}

/** The ports of 127.0.0.1 among these on which somebody listens. */
export async function busyPorts(ports: readonly number[]): Promise<ReadonlySet<number>> {
  const outcomes = await Promise.all(ports.map((port) => tryListen('127.0.0.1', port)));
  return new Set(ports.filter((_, index) => outcomes[index] !== 'free'));
}
