import { message, type Of, text } from '../schema.js';

export const StringMatchSchema = message(
  'How a string is compared: exactly, by prefix, or by an RE2 expression that must match all of it.',
  {
    exact: text('The whole string.'),
    prefix: text('What the string begins with.'),
    regex: text('An RE2 expression for the whole string.'),
  },
  { oneofs: [['exact', 'prefix', 'regex']] },
);
export type StringMatch = Of<typeof StringMatchSchema>;
