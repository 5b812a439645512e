import path from 'node:path';
import { UsageError } from '@seine/nest';

/** What mixer does with what proxies log. */
export interface TelemetryArguments {
  /** A file for records, `-` = standard output; undefined = nowhere. */
  readonly accessLog: string | undefined;
  /** How many series each metric of the mesh may have, and when one is forgotten that nobody uses, ms. */
  readonly meshMetrics: { readonly maxSeries: number | undefined; readonly expireMs: number | undefined };
}

export const telemetryUsage = `  --access-log FILE         what a Telemetry has go to the provider mixer, a line of JSON each; '-' is standard output
  --metrics-max-series N    series of each metric of the mesh (default 10000)
  --metrics-expiry SECONDS  forget series of the mesh that nobody used for so long (default never)`;

export const telemetryFlags = {
  'access-log': { type: 'string' },
  'metrics-max-series': { type: 'string' },
  'metrics-expiry': { type: 'string' },
} as const;

/** @throws UsageError */
export function readTelemetryArguments(
  values: Readonly<Partial<Record<keyof typeof telemetryFlags, string>>>,
): TelemetryArguments {
  const number = (name: keyof typeof telemetryFlags): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name} takes a number from 1 on, not '${text}'`);
    return value;
  };
  const seconds = number('metrics-expiry');
  const file = values['access-log'];
  return {
    accessLog: file === undefined || file === '-' ? file : path.resolve(file),
    meshMetrics: {
      maxSeries: number('metrics-max-series'),
      expireMs: seconds === undefined ? undefined : seconds * 1000,
    },
  };
}
