import { controlPlaneDashboard } from './control-plane.js';
import { type Dashboard, dashboardJson } from './grafana.js';
import { meshDashboard } from './mesh.js';
import { serviceDashboard } from './service.js';
import { workloadDashboard } from './workload.js';

export const dashboards: readonly Dashboard[] = [
  meshDashboard,
  serviceDashboard,
  workloadDashboard,
  controlPlaneDashboard,
];

/** Name and text of each file in deploy/grafana. */
export function dashboardFiles(): readonly (readonly [name: string, text: string])[] {
  return dashboards.map((dashboard) => [
    `${dashboard.uid}.json`,
    `${JSON.stringify(dashboardJson(dashboard), null, 2)}\n`,
  ]);
}
