import { bytes, flag, message, text, texts } from '../schema.js';

/** `config.istio.io/v1alpha2` adapter and template: what adapters that are processes of their own were registered by. */

export const AdapterSchema = message(
  'An adapter that is a process of its own. Handlers reach it by their `connection`; nothing here is needed for it.',
  {
    description: text('For whoever reads it.'),
    sessionBased: flag('Whether it keeps a configuration that it was told. It is told with each call.'),
    templates: texts('Names of templates that it takes.'),
    config: bytes('What its parameters are, as a FileDescriptorSet.'),
  },
);

export const TemplateSchema = message(
  'A template. Those that mixer knows need no description; of others nothing can be made.',
  {
    descriptor: bytes('What its fields are, as a FileDescriptorSet.'),
  },
);
