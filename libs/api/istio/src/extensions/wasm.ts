import { boundPort, choice, list, message, type Of, struct, text } from '../schema.js';

/** What a WasmPlugin and the wasm part of a TrafficExtension have in common. */
export const wasmFields = {
  url: text('Where the module is: `oci://`, `http://`, `https://` or `file://`; oci when no scheme is given.', {
    minLength: 1,
    rules: [
      {
        rule: "(isURL(self) || isURL('http://' + self)) && url(isURL(self) ? self : 'http://' + self).getScheme() in ['', 'http', 'https', 'file', 'oci']",
        message: 'url must have schema one of [http, https, file, oci]',
      },
    ],
  }),
  sha256: text('Checksum of the module, in hex.', { pattern: '(^$|^[a-f0-9]{64}$)' }),
  imagePullPolicy: choice(['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always'], 'When an image is fetched again.', {
    fallback: 'IfNotPresent, Always for the tag latest',
  }),
  imagePullSecret: text('Secret with credentials of the image registry.', { minLength: 1, maxLength: 253 }),
  verificationKey: text('Has no effect, as in Istio.'),
  pluginConfig: struct('Configuration that is handed to the module.'),
  pluginName: text('Name of the module inside the VM.', { minLength: 1, maxLength: 256 }),
  failStrategy: choice(
    ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'],
    'When the module fails: refuse requests, let them pass, or start it anew.',
    { fallback: 'FAIL_CLOSE' },
  ),
  vmConfig: message('Settings of the VM that runs the module.', {
    env: list(
      message(
        'An environment variable.',
        {
          name: text('Name of the variable.', { minLength: 1, maxLength: 256 }),
          valueFrom: choice(['INLINE', 'HOST'], 'The value given here, or that of the proxy.', { fallback: 'INLINE' }),
          value: text('Value of the variable.', { maxLength: 2048 }),
        },
        {
          required: ['name'],
          rules: [
            {
              rule: "has(self.valueFrom) && self.valueFrom == 'HOST' ? !has(self.value) : true",
              message: 'value may only be set when valueFrom is INLINE',
            },
          ],
        },
      ),
      'Environment variables of the module.',
      { maxItems: 256, key: 'name' },
    ),
  }),
  type: choice(['UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK'], 'An HTTP filter or a network filter.', {
    fallback: 'HTTP',
  }),
};

export const TrafficSelectorSchema = message('Which traffic is meant.', {
  mode: choice(['UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER'], 'Outbound, inbound or both.', {
    fallback: 'CLIENT_AND_SERVER',
  }),
  ports: list(
    message('A port.', { number: boundPort('Port number.') }, { required: ['number'] }),
    'Ports; all when absent.',
    {
      key: 'number',
    },
  ),
});
export type TrafficSelector = Of<typeof TrafficSelectorSchema>;
