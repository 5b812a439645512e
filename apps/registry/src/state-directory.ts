import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Diagnostic } from '@seine/diagnostics';
import { type ConfigObject, type ObjectKey, objectKey } from '@seine/k8s';
import { formatObject, parseConfig } from '@seine/source-file';

/** An object that was applied, as kept on disk. */
export interface AppliedObject {
  readonly object: ConfigObject;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
  /** Content hashes of the versions of other origins that it hid when it was applied. */
  readonly hides: readonly string[];
}

export interface LoadedState {
  readonly applied: readonly AppliedObject[];
  readonly diagnostics: readonly Diagnostic[];
}

const suffix = '.yaml';
const longestName = 200;
const appliedAtLine = /^# applied: (\S+)$/m;
const hidesLine = /^# hides: (.+)$/m;

/** A file name that holds no path separators, whatever an object is called. */
function fileNameOf(key: ObjectKey): string {
  const name = encodeURIComponent(key.replaceAll('/', '_')).replace(/^\./, '%2E');
  if (name.length <= longestName) return name + suffix;
  return `${name.slice(0, longestName - 70)}-${createHash('sha256').update(key).digest('hex')}${suffix}`;
}

/**
 * Applied objects as YAML, one file each, so that they survive a restart and a person can read them. Each file is
 * replaced as a whole: after a crash there is the old version or the new one. Only the owner may read them.
 */
export class StateDirectory {
  constructor(readonly folder: string) {}

  /** Makes the folder, mode 0700, where it is not there. @throws Error when it cannot be made or written to */
  async open(): Promise<void> {
    await fs.mkdir(this.folder, { recursive: true, mode: 0o700 });
    await fs.access(this.folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
  }

  async load(): Promise<LoadedState> {
    const applied: AppliedObject[] = [];
    const diagnostics: Diagnostic[] = [];
    for (const name of (await fs.readdir(this.folder)).sort()) {
      if (!name.endsWith(suffix) || name.startsWith('.')) continue;
      const file = path.join(this.folder, name);
      const text = await fs.readFile(file, 'utf8');
      const parsed = parseConfig(text, file);
      diagnostics.push(...parsed.diagnostics);
      const stated = Date.parse(appliedAtLine.exec(text)?.[1] ?? '');
      const changedAt = Number.isNaN(stated) ? (await fs.stat(file)).mtimeMs : stated;
      const hides = hidesLine.exec(text)?.[1]?.split(' ') ?? [];
      applied.push(...parsed.objects.map((object) => ({ object, changedAt, hides })));
    }
    return { applied, diagnostics };
  }

  /** Resolves when the object is on disk. */
  async write({ object, changedAt, hides }: AppliedObject): Promise<void> {
    const comments = [`# applied: ${new Date(changedAt).toISOString()}`];
    if (hides.length > 0) comments.push(`# hides: ${hides.join(' ')}`);
    const file = path.join(this.folder, fileNameOf(objectKey(object)));
    const temporary = path.join(this.folder, `.${path.basename(file)}.new`);
    const handle = await fs.open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(`${comments.join('\n')}\n${formatObject(object)}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, file);
    await this.#syncFolder();
  }

  async delete(key: ObjectKey): Promise<void> {
    await fs.rm(path.join(this.folder, fileNameOf(key)), { force: true });
    await this.#syncFolder();
  }

  /** Forgets all that was applied; files that are none of ours stay. */
  async clear(): Promise<void> {
    for (const name of await fs.readdir(this.folder))
      if (name.endsWith(suffix) || name.endsWith(`${suffix}.new`)) await fs.rm(path.join(this.folder, name));
    await this.#syncFolder();
  }

  /** A rename is on disk when its folder is. */
  async #syncFolder(): Promise<void> {
    const handle = await fs.open(this.folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
