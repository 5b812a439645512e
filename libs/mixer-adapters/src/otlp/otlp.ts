import type { StringMap, Value, ValueType } from '@seine/mixer';
import { Refused } from '../push/outbox.js';
import type { AdapterRim } from '../rim/rim.js';
import { textOf } from '../values/values.js';

/** OTLP's JSON: names in camelCase, 64-bit numbers as text (opentelemetry-proto, "JSON Protobuf Encoding"). */
export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } };

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

const text = (value: string): AnyValue => ({ stringValue: value });

const ofMap = (map: StringMap): AnyValue => ({
  kvlistValue: { values: [...map].map(([key, value]) => ({ key, value: text(value) })) },
});

export function anyValue(value: Value, type: ValueType | undefined): AnyValue {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'boolean':
      return { boolValue: value };
    case 'object':
      return ofMap(value);
    default:
      // Times as the text that logs have; JSON knows no NaN.
      if (type === 'DURATION' || type === 'TIMESTAMP' || !Number.isFinite(value)) return text(textOf(value, type));
      return type === 'DOUBLE' || !Number.isSafeInteger(value) ? { doubleValue: value } : { intValue: String(value) };
  }
}

export const attributesOf = (texts: Readonly<Record<string, string>>): readonly KeyValue[] =>
  Object.entries(texts).map(([key, value]) => ({ key, value: text(value) }));

/** Nanoseconds since 1970, as text. */
export function nanoseconds(milliseconds: number): string {
  const whole = Math.trunc(milliseconds);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6)));
}

/** `http://collector:4318` is where the signal's usual path is; another path is taken as it is. */
export function signalUrl(endpoint: string, path: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/' || url.pathname === '') url.pathname = path;
  return url.href;
}

/** What may be tried again (OTLP/HTTP, "Retryable Response Codes"). */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const longestAnswer = 64 * 1024;

export interface OtlpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * Posts an export request.
 * @returns what the other end says of those that it did not take; undefined where it took all
 * @throws Refused where it is of no use to post the same again; Error where it is
 */
export async function postOtlp(
  { fetch }: Pick<AdapterRim, 'fetch'>,
  { url, headers, timeoutMs }: OtlpTarget,
  request: unknown,
): Promise<string | undefined> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) {
    await response.body?.cancel();
    const message = `${url} answers ${response.status}`;
    throw retryable.has(response.status) ? new Error(message) : new Refused(message);
  }
  if (Number(response.headers.get('content-length') ?? 0) > longestAnswer) {
    await response.body?.cancel();
    return undefined;
  }
  return rejection(await response.text());
}

function rejection(answer: string): string | undefined {
  if (answer === '') return undefined;
  let partial: unknown;
  try {
    partial = (JSON.parse(answer) as { readonly partialSuccess?: unknown } | null)?.partialSuccess;
  } catch {
    // It took them: what it says beyond that is its own affair.
    return undefined;
  }
  if (typeof partial !== 'object' || partial === null) return undefined;
  const { rejectedLogRecords, rejectedDataPoints, errorMessage } = partial as Readonly<Record<string, unknown>>;
  const count = Number(rejectedLogRecords ?? rejectedDataPoints ?? 0);
  return count > 0
    ? `${count} of them (${typeof errorMessage === 'string' ? errorMessage : 'no reason given'})`
    : undefined;
}
