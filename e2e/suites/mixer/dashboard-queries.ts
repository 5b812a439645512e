import fs from 'node:fs';
import path from 'node:path';
import { type Prometheus, type PrometheusSeries, repositoryRoot } from '../../src/index.js';

const folder = path.join(repositoryRoot, 'deploy/grafana');

interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
  readonly regex?: string;
  readonly includeAll?: boolean;
  readonly allValue?: string;
}

interface PanelJson {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

/** What of Grafana's format says which data are shown. */
export interface DashboardJson {
  readonly uid: string;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly VariableJson[] };
}

/** A query of a panel. */
export interface PanelQuery {
  readonly panel: string;
  readonly expr: string;
  readonly legend: string;
}

export function readDashboards(): readonly DashboardJson[] {
  const names = fs.readdirSync(folder).sort();
  return names.map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as DashboardJson);
}

export function queriesOf({ panels }: DashboardJson): readonly PanelQuery[] {
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ panel: title, expr, legend: legendFormat })),
  );
}

export type Choice = Readonly<Record<string, string>>;

/** A text with variables in it, as Grafana hands it to Prometheus. @param window in place of `$__rate_interval` */
export function filledIn(text: string, choice: Choice, window = '5m'): string {
  return Object.entries(choice)
    .sort(([a], [b]) => b.length - a.length)
    .reduce((filled, [name, value]) => filled.replaceAll(`$${name}`, value), text)
    .replaceAll('$__rate_interval', window);
}

/** Every choice that a user has at the top of the dashboard; where several may be chosen, all are. */
export async function choicesOf({ templating }: DashboardJson, prometheus: Prometheus): Promise<readonly Choice[]> {
  let choices: readonly Choice[] = [{}];
  for (const variable of templating.list.filter(({ type }) => type === 'query')) {
    const next = await Promise.all(
      choices.map(async (choice) =>
        (await valuesOf(variable, choice, prometheus)).map((value) => ({ ...choice, [variable.name]: value })),
      ),
    );
    choices = next.flat();
  }
  return choices;
}

async function valuesOf(variable: VariableJson, choice: Choice, prometheus: Prometheus): Promise<readonly string[]> {
  const { name, definition = '', regex = '' } = variable;
  const [, query] = /^query_result\((.*)\)$/.exec(definition) ?? [];
  const [, pattern] = /^\/(.*)\/$/.exec(regex) ?? [];
  if (query === undefined || pattern === undefined) throw new Error(`variable ${name}: ${definition} ${regex}`);
  const texts = (await prometheus.query(filledIn(query, choice))).map(seriesText);
  const values = texts.flatMap((text) => new RegExp(pattern).exec(text)?.[1] ?? []);
  // All of none may be chosen too: a workload that nobody calls has no clients.
  if (variable.includeAll) return [variable.allValue ?? ''];
  return [...new Set(values)].sort();
}

/** As Grafana shows a series to a variable's regular expression. */
function seriesText({ metric, value }: PrometheusSeries): string {
  const labels = Object.entries(metric).map(([name, text]) => `${name}="${text}"`);
  return `{${labels.join(',')}} ${value} 0`;
}
