import { parseCidr } from '@seine/model';
import { isMap, parseDocument } from 'yaml';

/** What is wrong with the value of an annotation; undefined when nothing is. */
type Check = (value: string) => string | undefined;

const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value) ? undefined : `got ${JSON.stringify(value)}, expected ${words.join(', ')}`;

const wholeNumber: Check = (value) =>
  /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32
    ? undefined
    : `got ${JSON.stringify(value)}, expected a whole number from 0`;

function portProblem(text: string): string | undefined {
  const port = text.trim();
  return /^\d{1,5}$/.test(port) && Number(port) <= 65535 ? undefined : `${JSON.stringify(text)} is no port number`;
}

const ports: Check = (value) =>
  value.trim() === ''
    ? undefined
    : value
        .split(',')
        .map(portProblem)
        .find((problem) => problem !== undefined);

const orStar =
  (check: Check): Check =>
  (value) =>
    value === '*' ? undefined : check(value);

const cidrs: Check = (value) => {
  const wrong = value === '' ? undefined : value.split(',').find((text) => !(text.includes('/') && parseCidr(text)));
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is no address range (10.0.0.0/8)`;
};

const quantity: Check = (value) =>
  /^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/.test(value)
    ? undefined
    : `got ${JSON.stringify(value)}, expected a quantity like 100m or 128Mi`;

/** Names of network interfaces, at most 15 characters each. */
const interfaces: Check = (value) => {
  const wrong = value
    .split(',')
    .map((name) => name.trim())
    .find((name) => name !== '' && !/^[^\s/:]{1,15}$/.test(name));
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is no name of a network interface`;
};

const mapping: Check = (value) => {
  const document = parseDocument(value);
  const [error] = document.errors;
  if (error) return `the value is not YAML: ${error.message.split('\n')[0] ?? ''}`;
  return isMap(document.contents) ? undefined : 'the value should be a YAML mapping of ProxyConfig fields';
};

const checks: Readonly<Record<string, Check>> = {
  'sidecar.istio.io/interceptionMode': oneOf('REDIRECT', 'TPROXY', 'NONE'),
  'status.sidecar.istio.io/port': portProblem,
  'readiness.status.sidecar.istio.io/initialDelaySeconds': wholeNumber,
  'readiness.status.sidecar.istio.io/periodSeconds': wholeNumber,
  'readiness.status.sidecar.istio.io/failureThreshold': wholeNumber,
  'traffic.sidecar.istio.io/includeOutboundIPRanges': orStar(cidrs),
  'traffic.sidecar.istio.io/excludeOutboundIPRanges': cidrs,
  'traffic.sidecar.istio.io/includeInboundPorts': orStar(ports),
  'traffic.sidecar.istio.io/excludeInboundPorts': ports,
  'traffic.sidecar.istio.io/excludeOutboundPorts': ports,
  'traffic.sidecar.istio.io/excludeInterfaces': interfaces,
  'traffic.sidecar.istio.io/kubevirtInterfaces': interfaces,
  'istio.io/reroute-virtual-interfaces': interfaces,
  'prometheus.istio.io/merge-metrics': oneOf(
    ...['1', 't', 'T', 'TRUE', 'true', 'True'],
    ...['0', 'f', 'F', 'FALSE', 'false', 'False'],
  ),
  'proxy.istio.io/config': mapping,
  'sidecar.istio.io/proxyCPU': quantity,
  'sidecar.istio.io/proxyMemory': quantity,
  'sidecar.istio.io/proxyCPULimit': quantity,
  'sidecar.istio.io/proxyMemoryLimit': quantity,
};

/** What is wrong with the value of an annotation of Istio, as injection reads it. */
export function annotationProblem(name: string, value: string): string | undefined {
  return Object.hasOwn(checks, name) ? checks[name]?.(value) : undefined;
}
