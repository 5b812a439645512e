/** Types of attributes and of what expressions give (istio.policy.v1beta1.ValueType). */
export const attributeTypes = [
  'STRING',
  'INT64',
  'DOUBLE',
  'BOOL',
  'TIMESTAMP',
  'IP_ADDRESS',
  'EMAIL_ADDRESS',
  'URI',
  'DNS_NAME',
  'DURATION',
  'STRING_MAP',
] as const;
export type AttributeType = (typeof attributeTypes)[number];
