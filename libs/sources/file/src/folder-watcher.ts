import fs from 'node:fs';
import path from 'node:path';
import { isConfigFile, isHidden } from './config-files.js';

export interface FolderEvents {
  /** A config file was found, changed or went away; the receiver looks for itself which. */
  readonly onFile: (file: string) => void;
  /** Everything below a folder may have changed, files that are gone included. */
  readonly onFolder: (folder: string) => void;
  /** A folder cannot be watched (and is polled), or `undefined`: it is watched again. */
  readonly onProblem: (folder: string, error: Error | undefined) => void;
}

interface WatchedFolder {
  readonly watcher: fs.FSWatcher | undefined;
  readonly real: string;
  readonly inode: number;
}

const pollInterval = 1000;

function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false });
  } catch {
    // A loop of symbolic links, or no permission on the way: nothing there that we could read.
    return undefined;
  }
}

/**
 * Watches the config files below a folder, one operating-system watch a folder. Node's own recursive watch is not used:
 * on Linux it misses files in folders made later and what follows a rename. Symbolic links are followed, to files and to
 * folders, and a mounted ConfigMap, which swaps its `..data` link, is read again as a whole.
 */
export class FolderWatcher {
  readonly #folders = new Map<string, WatchedFolder>();
  /** Watches on the folders of files that links point to. */
  readonly #targets = new Map<string, { readonly watcher: fs.FSWatcher; readonly links: Set<string> }>();
  readonly #polled = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** @param only watch this one file of the folder */
  constructor(
    readonly root: string,
    private readonly events: FolderEvents,
    private readonly only?: string,
  ) {}

  start(): void {
    this.#scan(this.root, []);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const { watcher } of this.#folders.values()) watcher?.close();
    for (const { watcher } of this.#targets.values()) watcher.close();
    this.#folders.clear();
    this.#targets.clear();
    this.#polled.clear();
  }

  /** Watches a folder, then reports what is in it: in that order, so that nothing falls in between. */
  #scan(folder: string, ancestors: readonly string[]): void {
    let real: string;
    let entries: readonly fs.Dirent[];
    try {
      real = fs.realpathSync(folder);
      if (ancestors.includes(real)) return;
      this.#watch(folder, real);
      entries = fs.readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      this.#poll(folder, error);
      return;
    }
    for (const entry of entries) {
      const file = path.join(folder, entry.name);
      if (isHidden(entry.name) || (this.only !== undefined && file !== this.only)) continue;
      const stat = entry.isSymbolicLink() ? statOf(file) : entry;
      if (stat?.isDirectory()) this.#scan(file, [...ancestors, real]);
      else if (stat?.isFile() && isConfigFile(entry.name)) {
        if (entry.isSymbolicLink()) this.#watchTarget(file);
        this.events.onFile(file);
      }
    }
  }

  #watch(folder: string, real: string): void {
    this.#folders.get(folder)?.watcher?.close();
    const inode = fs.statSync(folder).ino;
    let watcher: fs.FSWatcher | undefined;
    try {
      watcher = fs.watch(folder, (_, name) => this.#changed(folder, name));
      watcher.on('error', (error) => this.#poll(folder, error));
      if (this.#polled.delete(folder)) this.events.onProblem(folder, undefined);
    } catch (error) {
      this.#poll(folder, error);
    }
    this.#folders.set(folder, { watcher, real, inode });
  }

  /** A link's own folder tells only when the link changes, not when the file behind it does. */
  #watchTarget(link: string): void {
    const real = fs.realpathSync(link);
    const folder = path.dirname(real);
    if (folder === path.dirname(link)) return;
    const known = this.#targets.get(folder);
    if (known) {
      known.links.add(link);
      return;
    }
    const links = new Set([link]);
    try {
      const watcher = fs.watch(folder, () => {
        for (const file of links) this.events.onFile(file);
      });
      watcher.on('error', (error) => this.#poll(path.dirname(link), error));
      this.#targets.set(folder, { watcher, links });
    } catch (error) {
      this.#poll(path.dirname(link), error);
    }
  }

  #changed(folder: string, name: string | null): void {
    if (!statOf(this.root)) this.#rootGone();
    else if (name === null || name.startsWith('..')) this.#again(folder);
    else this.#changedEntry(path.join(folder, name), name);
  }

  #changedEntry(file: string, name: string): void {
    if (isHidden(name) || (this.only !== undefined && file !== this.only)) return;
    const stat = statOf(file);
    const known = this.#folders.get(file);
    if (stat?.isDirectory()) {
      // The same name may be another folder by now: moved away, and one put in its place.
      if (known?.inode !== stat.ino) this.#again(file);
      return;
    }
    if (known) {
      this.#forget(file);
      this.events.onFolder(file);
    }
    if (!isConfigFile(name)) return;
    if (stat && fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) this.#watchTarget(file);
    this.events.onFile(file);
  }

  /** Watches and reports a folder and all below it as if it were new. */
  #again(folder: string): void {
    this.#forget(folder);
    const above = [...this.#folders].filter(([other]) => folder.startsWith(other + path.sep));
    this.#scan(
      folder,
      above.map(([, { real }]) => real),
    );
    this.events.onFolder(folder);
  }

  #forget(folder: string): void {
    for (const [other, { watcher }] of this.#folders) {
      if (other !== folder && !other.startsWith(folder + path.sep)) continue;
      watcher?.close();
      this.#folders.delete(other);
      this.#polled.delete(other);
    }
  }

  #rootGone(): void {
    this.#forget(this.root);
    this.events.onFolder(this.root);
    this.#poll(this.root, new Error(`the folder ${this.root} is gone`));
  }

  /** Where the system gives no events (too many watches, say), looks once a second. */
  #poll(folder: string, error: unknown): void {
    this.#polled.add(folder);
    this.events.onProblem(folder, error instanceof Error ? error : new Error(String(error)));
    this.#timer ??= setInterval(() => {
      for (const polled of [...this.#polled]) if (statOf(polled)) this.#again(polled);
    }, pollInterval).unref();
  }
}
