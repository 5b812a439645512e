import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AdapterKind } from '@seine/mixer';

/**
 * Loads adapters of the user's own: ES modules whose default export is an `AdapterKind`.
 * @param modules files, or names of packages
 * @throws Error (rejects) that names the module which is none
 */
export async function loadAdapters(modules: readonly string[]): Promise<readonly AdapterKind[]> {
  return Promise.all(modules.map(loadAdapter));
}

async function loadAdapter(module: string): Promise<AdapterKind> {
  const isFile = /^\.{0,2}[/\\]|\.[cm]?js$/.test(module);
  const specifier = isFile ? pathToFileURL(path.resolve(module)).href : module;
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(specifier)) as { readonly default?: unknown };
  } catch (error) {
    throw new Error(`--adapter ${module} cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
  const problem = whatIsWrong(loaded.default);
  if (problem !== undefined) throw new Error(`--adapter ${module}: ${problem}`);
  return loaded.default as AdapterKind;
}

function whatIsWrong(kind: unknown): string | undefined {
  if (typeof kind !== 'object' || kind === null) return 'its default export must be an AdapterKind';
  const { name, aliases = [], templates, params, problems, make } = kind as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || name === '') return 'name must be a text';
  if (!isTexts(aliases)) return 'aliases must be a list of texts';
  if (!isTexts(templates) || templates.length === 0) return 'templates must be a list of names of templates';
  if (typeof params !== 'object' || params === null) return 'params must be a JSON schema';
  if (problems !== undefined && typeof problems !== 'function') return 'problems must be a function';
  return typeof make === 'function' ? undefined : 'make must be a function';
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
