import { describe, expect, it } from '@jest/globals';
import { captureAll, captureRules, type CaptureRulesOptions } from './capture-rules.js';
import { defaultInjection } from './injection-settings.js';
import { readTrafficCapture } from './traffic-capture.js';

const lines = captureRules({ ...captureAll, family: 'ipv4', dns: true }).split('\n');
const positions = (...texts: string[]): number[] =>
  texts.map((text) => {
    const at = lines.findIndex((line) => line.includes(text));
    if (at < 0) throw new Error(`no rule has ${text}`);
    return at;
  });

describe('the rules', () => {
  it('are one table that iptables-restore takes', () => {
    expect([lines[0], lines.at(-2), lines.at(-1)]).toEqual(['*nat', 'COMMIT', '']);
    const made = lines.filter((line) => line.startsWith(':')).map((line) => line.slice(1).split(' ')[0]);
    const used = lines.flatMap((line) => /-j (ISTIO_\w+)/.exec(line)?.[1] ?? []);
    expect(new Set(used)).toEqual(new Set(made));
  });

  it.each([
    ['Envoy’s own DNS before the redirection', ['--dport 53 -m owner --uid-owner 1337 -j RETURN', '--to-ports 15053']],
    [
      'Envoy’s own calls before the redirection',
      ['-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN', '-A ISTIO_OUTPUT -j ISTIO_REDIRECT'],
    ],
    [
      'calls to itself before Envoy’s others',
      ['--uid-owner 1337 -j ISTIO_IN_REDIRECT', '-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN'],
    ],
    [
      'Envoy’s way to the application first of all',
      ['-s 127.0.0.6/32 -o lo -j RETURN', '--uid-owner 1337 -j ISTIO_IN_REDIRECT'],
    ],
    ['its own ports before the rest', ['--dport 15090 -j RETURN', '-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT']],
  ])('have %s', (_what, [first = '', second = '']) => {
    const [a = 0, b = 0] = positions(first, second);
    expect(a).toBeLessThan(b);
  });
});

/** The rules of a pod with these annotations. */
function rulesOf(said: Readonly<Record<string, string>>, more: Partial<CaptureRulesOptions> = {}): readonly string[] {
  const annotations = Object.fromEntries(
    Object.entries(said).map(([name, value]) => [`traffic.sidecar.istio.io/${name}`, value]),
  );
  const { capture, problems } = readTrafficCapture(annotations, defaultInjection.capture);
  expect(problems).toEqual([]);
  return captureRules({ ...capture, family: 'ipv4', dns: false, ...more }).split('\n');
}

describe('annotations make rules', () => {
  const everything = '-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT';
  const anywhere = '-A ISTIO_OUTPUT -j ISTIO_REDIRECT';

  it.each<[string, Record<string, string>, readonly string[], readonly string[]]>([
    ['none', {}, [everything, anywhere], []],
    [
      'includeInboundPorts',
      { includeInboundPorts: '80, 443' },
      [
        '-A ISTIO_INBOUND -p tcp --dport 80 -j ISTIO_IN_REDIRECT',
        '-A ISTIO_INBOUND -p tcp --dport 443 -j ISTIO_IN_REDIRECT',
      ],
      [everything],
    ],
    ['no includeInboundPorts', { includeInboundPorts: '' }, [], [everything]],
    [
      'excludeInboundPorts',
      { excludeInboundPorts: '22' },
      ['-A ISTIO_INBOUND -p tcp --dport 22 -j RETURN', everything],
      [],
    ],
    [
      'excludeOutboundPorts',
      { excludeOutboundPorts: '3306' },
      ['-A ISTIO_OUTPUT -p tcp --dport 3306 -j RETURN', anywhere],
      [],
    ],
    [
      'includeOutboundIPRanges',
      { includeOutboundIPRanges: '10.0.0.0/8' },
      ['-A ISTIO_OUTPUT -d 10.0.0.0/8 -j ISTIO_REDIRECT'],
      [anywhere],
    ],
    ['no includeOutboundIPRanges', { includeOutboundIPRanges: '' }, [], [anywhere]],
    [
      'includeOutboundPorts',
      { includeOutboundIPRanges: '', includeOutboundPorts: '5432' },
      ['-A ISTIO_OUTPUT -p tcp --dport 5432 -j ISTIO_REDIRECT'],
      [anywhere],
    ],
    [
      'excludeOutboundIPRanges',
      { excludeOutboundIPRanges: '169.254.169.254/32' },
      ['-A ISTIO_OUTPUT -d 169.254.169.254/32 -j RETURN', anywhere],
      [],
    ],
    [
      'excludeInterfaces',
      { excludeInterfaces: 'eth1' },
      ['-A PREROUTING -i eth1 -j RETURN', '-A ISTIO_OUTPUT -o eth1 -j RETURN'],
      [],
    ],
    ['kubevirtInterfaces', { kubevirtInterfaces: 'net1' }, ['-A PREROUTING -i net1 -p tcp -j ISTIO_REDIRECT'], []],
  ])('%s', (_what, annotations, wanted, unwanted) => {
    const rules = rulesOf(annotations);
    const places = wanted.map((rule) => rules.indexOf(rule));
    expect(places).not.toContain(-1);
    // What leaves traffic alone stands before what takes the rest.
    expect(places).toEqual([...places].sort((a, b) => a - b));
    for (const rule of unwanted) expect(rules).not.toContain(rule);
  });

  it('of each family for its own addresses', () => {
    const said = { includeOutboundIPRanges: '10.0.0.0/8,fd00::/8', excludeOutboundIPRanges: 'fd00:1::/32' };
    const ranges = (family: 'ipv4' | 'ipv6') =>
      rulesOf(said, { family }).flatMap(
        (rule) => /ISTIO_OUTPUT -d (\S+) -j ISTIO_REDIRECT|-d (\S+) -j RETURN/.exec(rule)?.slice(1) ?? [],
      );
    expect(ranges('ipv4').filter(Boolean)).toEqual(['127.0.0.1/32', '10.0.0.0/8']);
    expect(ranges('ipv6').filter(Boolean)).toEqual(['::1/128', 'fd00:1::/32', 'fd00::/8']);
  });

  it.each([
    ['excludeInboundPorts', '80,bad', "'bad' is not a port from 1 to 65535"],
    ['includeInboundPorts', '0', "'0' is not a port from 1 to 65535"],
    ['excludeOutboundPorts', '65536', "'65536' is not a port from 1 to 65535"],
    ['includeOutboundIPRanges', '10.0.0.0/33', "'10.0.0.0/33' is not a range of addresses, as 10.0.0.0/8 is"],
    ['excludeOutboundIPRanges', '10.0.0.1', "'10.0.0.1' is not a range of addresses, as 10.0.0.0/8 is"],
    ['excludeInterfaces', 'eth0 -j ACCEPT', "'eth0 -j ACCEPT' is not the name of a network interface"],
  ])('refuses %s: %s', (name, value, message) => {
    const annotation = `traffic.sidecar.istio.io/${name}`;
    const { problems } = readTrafficCapture({ [annotation]: value }, defaultInjection.capture);
    expect(problems).toEqual([{ annotation, message }]);
  });

  it('refuses modes that are not there', () => {
    const annotation = 'sidecar.istio.io/interceptionMode';
    expect(readTrafficCapture({ [annotation]: 'TPROXY' }, defaultInjection.capture).problems).toEqual([
      { annotation, message: "'TPROXY' is not there in Seine: REDIRECT and NONE are" },
    ]);
  });
});
