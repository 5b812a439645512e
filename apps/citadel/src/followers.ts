import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { replaceFile } from './state/versioned-file.js';

/** Somebody who follows the bundle over SDS. */
export interface Follower {
  /** SPIFFE ID of the certificate that it has shown; undefined for one that showed none, whose word does not count. */
  readonly spiffeId: string | undefined;
  readonly address: string;
  /** Version of the bundle that it has acknowledged last. */
  acknowledged: string | undefined;
}

/** What one citadel says to the others on its state directory while a root spreads. */
interface Report {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Version of the bundle that it serves. */
  readonly bundle: string;
  readonly behind: readonly string[];
}

/** A citadel that has said nothing for so long is gone; its followers are with another by then. */
const aliveMs = 10_000;

/** Who follows the bundle, here and at the other citadels of a state directory. */
export class Followers {
  readonly #followers = new Set<Follower>();
  readonly #folder: string;
  readonly #file: string;

  constructor(
    stateDir: string,
    private readonly now: () => number,
  ) {
    this.#folder = path.join(stateDir, 'followers');
    this.#file = path.join(this.#folder, `${randomBytes(8).toString('hex')}.json`);
  }

  add(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  list(): readonly Follower[] {
    return [...this.#followers];
  }

  /** Followers here whose word counts, and who have not acknowledged this version. */
  behind(bundle: string): readonly string[] {
    return this.list().flatMap(({ spiffeId, address, acknowledged }) =>
      spiffeId === undefined || acknowledged === bundle ? [] : `${spiffeId} at ${address}`,
    );
  }

  /** As {@link behind}, of all citadels of the directory. */
  behindAnywhere(bundle: string): readonly string[] {
    const reports = this.#others().filter(({ at }) => this.now() - at < aliveMs);
    return [
      ...this.behind(bundle),
      ...reports.flatMap((report) =>
        report.bundle === bundle ? report.behind : 'another citadel, which does not serve it yet',
      ),
    ];
  }

  /** Tells the other citadels. @throws Error when the directory is away */
  report(bundle: string): void {
    fs.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const report: Report = { at: this.now(), bundle, behind: this.behind(bundle) };
    replaceFile(this.#file, JSON.stringify(report), 0o600);
  }

  /** Says nothing any more. */
  withdraw(): void {
    fs.rmSync(this.#file, { force: true });
  }

  #others(): readonly Report[] {
    const names = fs.existsSync(this.#folder) ? fs.readdirSync(this.#folder) : [];
    return names
      .map((name) => path.join(this.#folder, name))
      .filter((file) => file !== this.#file && file.endsWith('.json'))
      .flatMap((file) => {
        try {
          return JSON.parse(fs.readFileSync(file, 'utf8')) as Report;
        } catch {
          // Withdrawn in between.
          return [];
        }
      });
  }
}
