export type Level = 'error' | 'warning' | 'info';

/** One thing that analysis can say: Istio's code and name for it, in our words. */
export interface MessageType {
  readonly code: `IST${string}`;
  readonly name: string;
  readonly level: Level;
  /** What it means, one sentence. */
  readonly description: string;
  /** The message, with `{parameter}` where something is filled in. */
  readonly template: string;
}

/** The names of the parameters of a template. */
export type ParameterOf<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterOf<Rest>
  : never;

/** Fills in a template. Parameters keep their text as it is; lists are joined by commas. */
export function fillIn(
  template: string,
  parameters: Readonly<Record<string, string | number | readonly (string | number)[]>>,
): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name] ?? '';
    return typeof value === 'object' ? value.join(', ') : String(value);
  });
}
