import type { ConfigObject } from '@seine/k8s';
import { integer, message, type Of, text, textMap } from '../schema.js';
import { LabelSelectorSchema } from './selector.js';

export const ProxyConfigSchema = message('Settings of proxies, which take effect when a proxy starts.', {
  selector: LabelSelectorSchema,
  concurrency: integer('Worker threads; 0 for one a CPU core.', { minimum: 0, nullable: true, fallback: '2' }),
  environmentVariables: textMap('Further environment variables of the proxy.', { of: { maxLength: 2048 } }),
  image: message('Which image of the proxy is used.', {
    imageType: text('Kind of image: default, debug or distroless.'),
  }),
});
export type ProxyConfigSpec = Of<typeof ProxyConfigSchema>;
export type ProxyConfig = ConfigObject<ProxyConfigSpec> & {
  readonly kind: 'ProxyConfig';
  readonly spec: ProxyConfigSpec;
};
