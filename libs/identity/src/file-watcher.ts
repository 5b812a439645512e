import fs from 'node:fs';

const mostBytes = 1024 * 1024;

/** @returns undefined where there is no such file; a pipe or a device is none, as reading it may never end */
function readText(file: string): string | undefined {
  try {
    const { size } = fs.statSync(file);
    return fs.statSync(file).isFile() && size <= mostBytes ? fs.readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

interface Watched {
  text: string | undefined;
  readonly listeners: Set<(text: string | undefined) => void>;
}

/**
 * Follows small files by reading them again and again: Kubernetes replaces whole folders by a link, on which
 * notifications by the system do not fire.
 */
export class FileWatcher {
  readonly #files = new Map<string, Watched>();
  readonly #timer: NodeJS.Timeout;

  /** @param everyMs between two looks */
  constructor(everyMs = 500) {
    this.#timer = setInterval(() => this.#look(), everyMs).unref();
  }

  /** @param onText is told the text at once, and after each change @returns ends it */
  readonly watch = (file: string, onText: (text: string | undefined) => void): (() => void) => {
    const watched: Watched = this.#files.get(file) ?? { text: readText(file), listeners: new Set() };
    this.#files.set(file, watched);
    watched.listeners.add(onText);
    onText(watched.text);
    return () => {
      watched.listeners.delete(onText);
      if (watched.listeners.size === 0) this.#files.delete(file);
    };
  };

  close(): void {
    clearInterval(this.#timer);
    this.#files.clear();
  }

  #look(): void {
    for (const [file, watched] of [...this.#files]) {
      const text = readText(file);
      if (text === watched.text) continue;
      watched.text = text;
      for (const listener of [...watched.listeners]) listener(text);
    }
  }
}
