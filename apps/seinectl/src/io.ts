/** What a command may touch of the outside world, so that tests can stand in for it. */
export interface Io {
  /** Data: tables, JSON, YAML. */
  readonly out: (text: string) => void;
  /** Progress, warnings and errors. */
  readonly err: (text: string) => void;
  /** All of standard input. */
  readonly readStdin: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly outIsTty: boolean;
  readonly errIsTty: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    env: process.env,
    cwd: process.cwd(),
    outIsTty: process.stdout.isTTY,
    errIsTty: process.stderr.isTTY,
    now: () => Date.now(),
  };
}
