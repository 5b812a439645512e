import { create } from '@bufbuild/protobuf';
import { toAny } from '@seine/envoy';
import { type AccessLogFilter, AccessLogFilterSchema } from '@seine/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ExpressionFilterSchema } from '@seine/envoy/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js';

/** Logs what a CEL expression holds for. */
export function celFilter(expression: string): AccessLogFilter {
  return create(AccessLogFilterSchema, {
    filterSpecifier: {
      case: 'extensionFilter',
      value: {
        name: 'envoy.access_loggers.extension_filters.cel',
        configType: { case: 'typedConfig', value: toAny(ExpressionFilterSchema, { expression }) },
      },
    },
  });
}
