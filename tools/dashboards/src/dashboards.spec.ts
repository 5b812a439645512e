import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { dashboardFiles, dashboards } from './dashboards.js';

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../deploy/grafana');
const files = dashboardFiles();

describe('deploy/grafana', () => {
  it('has the dashboards, and no file beside them', () => {
    if (process.env['UPDATE_GENERATED'] === '1')
      for (const [name, text] of files) fs.writeFileSync(path.join(folder, name), text);
    expect(fs.readdirSync(folder).sort()).toEqual(files.map(([name]) => name).sort());
  });

  it.each(files)('%s is what tools/dashboards says (UPDATE_GENERATED=1 writes it)', (name, text) => {
    expect(fs.readFileSync(path.join(folder, name), 'utf8')).toBe(text);
  });
});

describe.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))('%s', (_uid, { variables, rows }) => {
  const panels = rows.flatMap((row) => row.panels);

  it('has a title once', () => {
    const titles = panels.map(({ title }) => title);
    expect(titles).toEqual([...new Set(titles)]);
  });

  it('names no variable that it lacks, and none before it is chosen', () => {
    const named = (text: string) => [...text.matchAll(/\$([a-z]+)\b/g)].map(([, name]) => name);
    const known = variables.map(({ name }) => name);
    for (const { queries } of panels)
      for (const { expr, legend = '' } of queries) expect(known).toEqual(expect.arrayContaining(named(expr + legend)));
    variables.forEach(({ query }, i) => expect(known.slice(0, i)).toEqual(expect.arrayContaining(named(query))));
  });

  it('has no panel that is cut off', () => {
    for (const { width = 8 } of panels) expect(width).toBeLessThanOrEqual(24);
  });
});
