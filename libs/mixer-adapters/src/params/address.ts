import type { ParamsProblem } from '@seine/mixer';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads `fluentd.logging:24224`, `10.0.0.1:24224`, `[::1]:24224`; undefined where it is none. */
export function parseHostPort(text: string): Address | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port };
}

export function addressProblems(path: string, text: string): readonly ParamsProblem[] {
  return parseHostPort(text) ? [] : [{ path, message: `'${text}' is no address, as host:8125.` }];
}

/** @throws Error where it is none: `addressProblems` has said so before */
export function hostPort(text: string): Address {
  const address = parseHostPort(text);
  if (!address) throw new Error(`'${text}' is no address, as host:8125`);
  return address;
}

export function urlProblems(path: string, text: string): readonly ParamsProblem[] {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return [];
  return [{ path, message: `'${text}' is no URL of http or https.` }];
}
