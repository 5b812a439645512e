/** What a label's value is cut to, characters: what comes from requests may be as long as who asks likes. */
export const maxLabelLength = 1024;

/** Whether Prometheus takes it as a label of ours. */
export function isLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && !name.startsWith('__');
}

/** NUL, and halves of characters. */
const unfit = /[\0\ud800-\udfff]/gu;
const special = /["\\\n]/g;
const escapes: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n' };

/** A label's value as it may stand: cut, and of whole characters. */
export function cutLabel(value: string, length = maxLabelLength): string {
  return (value.length <= length ? value : value.slice(0, length)).replace(unfit, '\ufffd');
}

/** `reporter="source",response_code="200"` */
export function labelText(names: readonly string[], values: readonly string[]): string {
  let text = '';
  for (let i = 0; i < names.length; i++)
    text += `${i === 0 ? '' : ','}${names[i]}="${(values[i] ?? '').replace(special, (found) => escapes[found] ?? found)}"`;
  return text;
}
