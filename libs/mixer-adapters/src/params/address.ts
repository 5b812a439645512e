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

/** What is wrong with a URL that is to be fetched. No message repeats a password. */
export function urlProblems(
  path: string,
  text: string,
  schemes: readonly string[] = ['http', 'https'],
): readonly ParamsProblem[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !schemes.includes(url.protocol.slice(0, -1)))
    return [{ path, message: `${url?.password ? 'This' : `'${text}'`} is no URL of ${schemes.join(' or ')}.` }];
  if (url.username === '' && url.password === '') return [];
  return [{ path, message: 'Must have no user and password: they are not sent, and would stand in logs.' }];
}
