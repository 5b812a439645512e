import { familyOf, type MetricFamilies } from './families.js';

/**
 * Adds the series of several expositions: a family is written once, and what two say of the same series is summed up, as
 * the counts of two instances of one workload are. Gauges are summed too; whoever wants them apart labels them before.
 */
export function mergeFamilies(all: readonly MetricFamilies[]): MetricFamilies {
  const merged: MetricFamilies = new Map();
  for (const families of all) {
    for (const { name, type, help, series } of families.values()) {
      const family = familyOf(merged, name, type);
      family.help ??= help;
      for (const [key, value] of series) family.series.set(key, (family.series.get(key) ?? 0) + value);
    }
  }
  return merged;
}
