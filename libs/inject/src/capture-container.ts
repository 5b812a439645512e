import { captureRules, type CaptureRulesOptions } from './capture-rules.js';
import type { InjectionSettings } from './injection-settings.js';
import { captureContainer, type Container } from './pod.js';

/**
 * The init container that redirects the pod's traffic. It gets finished rules and loads them, each family at one go;
 * a node without IPv6 has nothing to redirect there.
 */
export function makeCaptureContainer(
  options: Omit<CaptureRulesOptions, 'family'>,
  { captureImage, imagePullPolicy, resources }: InjectionSettings,
): Container {
  const load = (program: string, family: string): string =>
    `printf '%s' "$RULES_${family}" | ${program} --noflush --wait`;
  const script = [
    'set -e',
    load('iptables-restore', 'IPV4'),
    `if [ -e /proc/net/if_inet6 ]; then ${load('ip6tables-restore', 'IPV6')}; fi`,
  ].join('\n');
  return {
    name: captureContainer,
    image: captureImage,
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    command: ['sh', '-c', script],
    env: [
      { name: 'RULES_IPV4', value: captureRules({ ...options, family: 'ipv4' }) },
      { name: 'RULES_IPV6', value: captureRules({ ...options, family: 'ipv6' }) },
    ],
    resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
    },
  };
}
