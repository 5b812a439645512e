import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { pgvViolations } from './pgv-check.js';
import { envoyRegistry } from './registry.js';

/**
 * Checks a message by Envoy's own rules (see pgvViolations).
 * @returns one complaint a violation: `Cluster.connect_timeout: must be > 0`; empty when Envoy would take the message
 */
export function validatePgv<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): string[] {
  const found = pgvViolations(schema, message, (name) => envoyRegistry().getMessage(name));
  return found.map(({ path, complaint }) => `${path}: ${complaint}`);
}
