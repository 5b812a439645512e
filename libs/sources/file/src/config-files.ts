import path from 'node:path';

/** Larger files are refused: nobody writes them by hand, and parsing them would hold up everything else. */
export const maxFileSize = 10 * 1024 * 1024;

const extensions = new Set(['.yaml', '.yml', '.json']);

/** Hidden names are editors' swap files, and Kubernetes' own folders in a mounted ConfigMap (`..data`). */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}

export function isConfigFile(name: string): boolean {
  return !isHidden(name) && extensions.has(path.extname(name).toLowerCase());
}

/** Thrown where a path that somebody named leads nowhere; the message is for them. */
export class ConfigPathError extends Error {
  override readonly name = 'ConfigPathError';
}
