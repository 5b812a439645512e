import { forms } from '@seine/istio';
import type { ParamsProblem } from '@seine/mixer';
import type { TSchema } from '@sinclair/typebox';
import { urlProblems } from '../params/address.js';

const withDefault = <T extends TSchema>(schema: T, value: unknown): T => ({ ...schema, default: value });

/** What both kinds of OTLP have. */
export const otlpFields = {
  endpoint: withDefault(
    forms.text('Where to, as http://collector:4318; the usual path is added where there is none.'),
    'http://localhost:4318',
  ),
  headers: withDefault(forms.textMap('Headers of requests, as authorization.'), {}),
  resourceAttributes: withDefault(forms.textMap('What it comes from.'), { 'service.name': 'mixer' }),
  timeout: withDefault(forms.duration('How long a request may take.'), '10s'),
};

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export function otlpProblems(given: {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
}): readonly ParamsProblem[] {
  const wrong = Object.entries(given.headers).filter(
    ([name, value]) => !headerName.test(name) || /[\0\r\n]/.test(value),
  );
  return [
    ...urlProblems('endpoint', given.endpoint),
    ...wrong.map(([name]) => ({ path: `headers[${name}]`, message: 'This is no header of HTTP.' })),
  ];
}
