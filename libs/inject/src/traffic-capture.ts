import { isIpv6, parseIpv4 } from '@seine/model';

/** Everything, or these. */
export type Chosen<T> = '*' | readonly T[];

/** Which traffic of a pod goes through its proxy. */
export interface TrafficCapture {
  /** NONE: nothing is redirected; applications call the proxy themselves. */
  readonly mode: 'REDIRECT' | 'NONE';
  readonly includeInboundPorts: Chosen<number>;
  readonly excludeInboundPorts: readonly number[];
  /** Outbound ports that are redirected wherever they lead to. */
  readonly includeOutboundPorts: Chosen<number>;
  readonly excludeOutboundPorts: readonly number[];
  readonly includeOutboundIPRanges: Chosen<string>;
  readonly excludeOutboundIPRanges: readonly string[];
  readonly excludeInterfaces: readonly string[];
  /** Interfaces of virtual machines in the pod, whose traffic is as if it were the pod's. */
  readonly kubevirtInterfaces: readonly string[];
}

/** What is wrong with an annotation. */
export interface AnnotationProblem {
  readonly annotation: string;
  readonly message: string;
}

const prefix = 'traffic.sidecar.istio.io/';

/** Helm's `global.proxy.*`, where annotations say nothing. */
export interface CaptureDefaults {
  readonly mode: string;
  readonly includeInboundPorts: string;
  readonly excludeInboundPorts: string;
  readonly includeOutboundPorts: string;
  readonly excludeOutboundPorts: string;
  readonly includeIPRanges: string;
  readonly excludeIPRanges: string;
}

/** Reads Istio's annotations `traffic.sidecar.istio.io/…` and `sidecar.istio.io/interceptionMode`. */
export function readTrafficCapture(
  annotations: Readonly<Record<string, string>>,
  defaults: CaptureDefaults,
): { readonly capture: TrafficCapture; readonly problems: readonly AnnotationProblem[] } {
  const problems: AnnotationProblem[] = [];
  const said = (name: string, fallback: string): string => annotations[prefix + name] ?? fallback;
  const listOf = <T>(name: string, fallback: string, read: (text: string) => T | string): readonly T[] =>
    split(said(name, fallback)).flatMap((text) => {
      const value = read(text);
      // A text is what is wrong; readers that give texts wrap them.
      if (typeof value !== 'string') return [value];
      problems.push({ annotation: prefix + name, message: `'${text}' ${value}` });
      return [];
    });
  const chosen = <T>(name: string, fallback: string, read: (text: string) => T | string): Chosen<T> =>
    said(name, fallback).trim() === '*' ? '*' : listOf(name, fallback, read);
  const texts = (one: Chosen<readonly [string]>): Chosen<string> => (one === '*' ? one : one.map(([text]) => text));
  const ranges = listOf('excludeOutboundIPRanges', defaults.excludeIPRanges, readRange);
  const capture: TrafficCapture = {
    mode: modeOf(annotations, defaults.mode, problems),
    includeInboundPorts: chosen('includeInboundPorts', defaults.includeInboundPorts, readPort),
    excludeInboundPorts: listOf('excludeInboundPorts', defaults.excludeInboundPorts, readPort),
    includeOutboundPorts: chosen('includeOutboundPorts', defaults.includeOutboundPorts, readPort),
    excludeOutboundPorts: listOf('excludeOutboundPorts', defaults.excludeOutboundPorts, readPort),
    includeOutboundIPRanges: texts(chosen('includeOutboundIPRanges', defaults.includeIPRanges, readRange)),
    excludeOutboundIPRanges: ranges.map(([text]) => text),
    excludeInterfaces: listOf('excludeInterfaces', '', readInterface).map(([text]) => text),
    kubevirtInterfaces: listOf('kubevirtInterfaces', '', readInterface).map(([text]) => text),
  };
  return { capture, problems };
}

function split(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function modeOf(
  annotations: Readonly<Record<string, string>>,
  fallback: string,
  problems: AnnotationProblem[],
): TrafficCapture['mode'] {
  const name = 'sidecar.istio.io/interceptionMode';
  const mode = annotations[name] ?? fallback;
  if (mode === 'REDIRECT' || mode === 'NONE') return mode;
  const known = mode === 'TPROXY' ? 'is not there in Seine' : 'is not a mode';
  problems.push({ annotation: name, message: `'${mode}' ${known}: REDIRECT and NONE are` });
  return 'REDIRECT';
}

function readPort(text: string): number | string {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port >= 1 && port <= 65_535 ? port : 'is not a port from 1 to 65535';
}

function readRange(text: string): readonly [string] | string {
  const [address = '', bits = '', ...rest] = text.split('/');
  const widest = parseIpv4(address) !== undefined ? 32 : isIpv6(address) ? 128 : -1;
  const isRange = rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= widest;
  return isRange ? [text] : 'is not a range of addresses, as 10.0.0.0/8 is';
}

function readInterface(text: string): readonly [string] | string {
  return /^[\w.@:-]{1,15}$/.test(text) ? [text] : 'is not the name of a network interface';
}
