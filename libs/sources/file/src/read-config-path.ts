import fs from 'node:fs';
import path from 'node:path';
import type { Diagnostic } from '@seine/diagnostics';
import { ConfigPathError, isConfigFile, isHidden } from './config-files.js';
import { mergeItems, type ParsedConfig, parseChunks } from './parse-config.js';
import { placeItems, type PlacedItem } from './placed-items.js';
import { readFileText } from './read-file.js';

function configFiles(folder: string, ancestors: readonly string[]): readonly string[] {
  const real = fs.realpathSync(folder);
  if (ancestors.includes(real)) return [];
  const names = fs.readdirSync(folder).filter((name) => !isHidden(name));
  return names.sort().flatMap((name) => {
    const file = path.join(folder, name);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return configFiles(file, [...ancestors, real]);
    return stat?.isFile() && isConfigFile(name) ? [file] : [];
  });
}

/**
 * Reads a config file, or all below a folder, once. A file named outright is read whatever its extension.
 * @throws ConfigPathError when there is nothing at the path
 */
export function readConfigPath(fileOrFolder: string): ParsedConfig {
  const stat = fs.statSync(fileOrFolder, { throwIfNoEntry: false });
  if (!stat) throw new ConfigPathError(`There is no file or folder ${fileOrFolder}.`);
  const files = stat.isDirectory() ? configFiles(fileOrFolder, []) : [fileOrFolder];
  const items: PlacedItem[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const file of files) {
    const read = readFileText(file);
    if (read.type === 'refused') diagnostics.push(read.diagnostic);
    if (read.type !== 'text') continue;
    const run = parseChunks(read.text, new Map());
    let step = run.next();
    while (!step.done) step = run.next();
    items.push(...placeItems(step.value, file));
  }
  const merged = mergeItems(items);
  return { ...merged, diagnostics: [...diagnostics, ...merged.diagnostics] };
}
