import type { Io } from '../io.js';

/** An {@link Io} that keeps what was written; no terminal, an empty environment, a clock that stands still. */
export class FakeIo implements Io {
  stdout = '';
  stderr = '';
  stdin = '';
  env: Record<string, string | undefined> = {};
  cwd = '/';
  outIsTty = false;
  errIsTty = false;
  time = Date.parse('2026-01-01T00:10:00Z');

  out = (text: string): void => void (this.stdout += text);
  err = (text: string): void => void (this.stderr += text);
  readStdin = (): Promise<string> => Promise.resolve(this.stdin);
  now = (): number => this.time;
}
