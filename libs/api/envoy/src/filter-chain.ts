import { create, type Message, toBinary } from '@bufbuild/protobuf';
import { fileDesc, type GenMessage, messageDesc } from '@bufbuild/protobuf/codegenv2';
import { base64Encode } from '@bufbuild/protobuf/wire';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import {
  file_envoy_config_core_v3_extension,
  type TypedExtensionConfig,
} from './gen/envoy/config/core/v3/extension_pb.js';

/**
 * The messages of envoy.filters.http.filter_chain (Envoy 1.40), which the pinned protos do not have yet: an HTTP filter
 * that stands for others. Per-route configuration is left out.
 */

const protoPackage = 'envoy.extensions.filters.http.filter_chain.v3';

const descriptor = create(FileDescriptorProtoSchema, {
  name: 'envoy/extensions/filters/http/filter_chain/v3/filter_chain.proto',
  package: protoPackage,
  dependency: ['envoy/config/core/v3/extension.proto'],
  syntax: 'proto3',
  messageType: [
    {
      name: 'FilterChainConfig',
      field: [
        {
          name: 'default_filter_chain',
          jsonName: 'defaultFilterChain',
          number: 1,
          label: Label.OPTIONAL,
          type: Type.MESSAGE,
          typeName: `.${protoPackage}.FilterChain`,
        },
      ],
    },
    {
      name: 'FilterChain',
      field: [
        {
          name: 'filters',
          jsonName: 'filters',
          number: 1,
          label: Label.REPEATED,
          type: Type.MESSAGE,
          typeName: '.envoy.config.core.v3.TypedExtensionConfig',
        },
      ],
    },
  ],
});

export const file_envoy_extensions_filters_http_filter_chain_v3_filter_chain = fileDesc(
  base64Encode(toBinary(FileDescriptorProtoSchema, descriptor)),
  [file_envoy_config_core_v3_extension],
);

export type FilterChainConfig = Message<'envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig'> & {
  /** The filters that requests pass, none where unset. */
  defaultFilterChain?: HttpFilterChain | undefined;
};

export type HttpFilterChain = Message<'envoy.extensions.filters.http.filter_chain.v3.FilterChain'> & {
  /** At least one. */
  filters: TypedExtensionConfig[];
};

export const FilterChainConfigSchema: GenMessage<FilterChainConfig> = messageDesc(
  file_envoy_extensions_filters_http_filter_chain_v3_filter_chain,
  0,
);
