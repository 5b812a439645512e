import type { CheckVerdict, QuotaVerdict } from '../adapters/adapter.js';

const longestMessage = 1024;
const mostOutputs = 100;

function isAmount(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value >= 0);
}

/** An adapter's answer, if it is one. What is not asked for is left out. */
export function readCheckVerdict(answer: unknown): CheckVerdict | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { code, message, validMs, validUses, output } = answer as Partial<Record<keyof CheckVerdict, unknown>>;
  if (typeof code !== 'number' || !Number.isInteger(code) || code < 0 || code > 16) return undefined;
  if (message !== undefined && typeof message !== 'string') return undefined;
  if (!isAmount(validMs) || !isAmount(validUses)) return undefined;
  if (output !== undefined && !(output instanceof Map && output.size <= mostOutputs)) return undefined;
  // Adapters of our own give what is right: then nothing is copied.
  return message !== undefined && message.length > longestMessage
    ? { ...(answer as CheckVerdict), message: message.slice(0, longestMessage) }
    : (answer as CheckVerdict);
}

export function readQuotaVerdict(answer: unknown, amount: number): QuotaVerdict | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { granted, validMs } = answer as Partial<Record<keyof QuotaVerdict, unknown>>;
  if (typeof granted !== 'number' || !(granted >= 0) || !isAmount(validMs)) return undefined;
  return granted > amount ? { ...(answer as QuotaVerdict), granted: amount } : (answer as QuotaVerdict);
}
