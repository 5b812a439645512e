/** What a dashboard is made of, and how Grafana writes it down (dashboard JSON, schema 39: Grafana 10 and later). */

export interface Query {
  /** PromQL; may name variables of the dashboard and `$__rate_interval`. */
  readonly expr: string;
  /** `{{destination_service}}`; default Grafana's own. */
  readonly legend?: string;
}

export type Unit =
  'reqps' | 'ops' | 'percentunit' | 'ms' | 's' | 'bytes' | 'Bps' | 'short' | 'none' | 'dateTimeFromNow';

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly kind: 'timeseries' | 'stat' | 'table';
  readonly unit: Unit;
  /** Of 24; default 8. */
  readonly width?: number;
  /** Default 8; of a `stat` 4. */
  readonly height?: number;
  readonly queries: readonly Query[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A choice at the top of the dashboard, read from Prometheus. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** PromQL of which the series are the choices … */
  readonly query: string;
  /** … by the value of this label. */
  readonly of: string;
  /** Whether several may be chosen, and at first all are; else the first is. */
  readonly many: boolean;
}

export interface Dashboard {
  /** In its address, and what links lead to: `seine-mesh`. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

const datasource = { type: 'prometheus', uid: '${datasource}' } as const;
const fullWidth = 24;

/** The dashboard as Grafana imports it. */
export function dashboardJson({ uid, title, description, variables, rows }: Dashboard): object {
  return {
    uid,
    title,
    description,
    tags: ['seine', 'istio'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '15s',
    time: { from: 'now-30m', to: 'now' },
    timezone: '',
    links: [
      { type: 'dashboards', tags: ['seine'], title: 'Mesh', asDropdown: true, includeVars: true, keepTime: true },
    ],
    templating: { list: [dataSources, ...variables.map(variableJson)] },
    panels: panelsJson(rows),
  };
}

const dataSources = { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 };

function variableJson({ name, label, query, of, many }: Variable): object {
  const text = `query_result(${query})`;
  return {
    name,
    label,
    type: 'query',
    datasource,
    definition: text,
    query: { query: text, refId: name },
    regex: `/[{,]${of}="((?:[^"\\\\]|\\\\.)*)"/`,
    // On every change of the time range: a service may be new.
    refresh: 2,
    sort: 1,
    multi: many,
    includeAll: many,
    ...(many && { allValue: '.*', current: { text: 'All', value: '$__all' } }),
  };
}

function panelsJson(rows: readonly Row[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: fullWidth, h: 1 },
      panels: [],
    });
    y++;
    let [x, tallest] = [0, 0];
    for (const panel of inRow) {
      const { width: w = 8, height: h = panel.kind === 'stat' ? 4 : 8 } = panel;
      if (x + w > fullWidth) [x, y, tallest] = [0, y + tallest, 0];
      panels.push({ id: panels.length + 1, gridPos: { x, y, w, h }, ...panelJson(panel) });
      x += w;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return panels;
}

function panelJson({ title, description, kind, unit, queries }: Panel): object {
  return {
    title,
    ...(description !== undefined && { description }),
    type: kind,
    datasource,
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      expr,
      legendFormat: legend ?? '__auto',
      ...(kind === 'table' ? { instant: true, range: false, format: 'table' } : { range: true, instant: false }),
    })),
    fieldConfig: { defaults: { unit, ...(kind === 'timeseries' && { min: 0 }), ...drawing[kind] }, overrides: [] },
    options: options[kind],
    ...(kind === 'table' && { transformations }),
  };
}

const drawing = {
  timeseries: { custom: { lineWidth: 1, fillOpacity: 10, showPoints: 'never', spanNulls: false } },
  stat: {},
  table: { custom: { align: 'auto', filterable: true } },
} as const;

const options = {
  timeseries: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    colorMode: 'value',
    graphMode: 'area',
    textMode: 'auto',
  },
  table: { showHeader: true, cellHeight: 'sm' },
} as const;

/** The answers to all of a table's queries side by side, a line a set of labels. */
const transformations = [
  { id: 'merge', options: {} },
  { id: 'organize', options: { excludeByName: { Time: true }, renameByName: {} } },
];
