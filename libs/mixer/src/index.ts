/** The core of mixer: what is known of a request, and what rules make of it. No sockets, no clock. */
export * from './adapters/adapter.js';
export { AttributeMap, attributeLimits, type AttributeLimits } from './attributes/attribute-map.js';
export * from './attributes/mixer-vocabulary.js';
export * from './attributes/normalize.js';
export { textOf } from './attributes/text-of.js';
export * from './attributes/value-type.js';
export type * from './directory/directory.js';
export { MeshDirectory, serviceAttributes, workloadAttributes } from './directory/mesh-directory.js';
export { apiAttribute, apiKeyOf, apisOf, type ApiRequest } from './dispatch/api-lookup.js';
export { type Dispatcher, type DispatcherOptions, RuleDispatcher } from './dispatch/dispatcher.js';
export { compileExpression, compileSyntax, dottedName, type Expression } from './expressions/compile-expression.js';
export { ExpressionError } from './expressions/expression-error.js';
export { parseSyntax, type Syntax } from './expressions/syntax.js';
export { parseTimestamp } from './expressions/times.js';
export * from './logs/log-head.js';
export {
  adapterCatalog,
  type AdapterCatalog,
  isHandlerObject,
  kubernetesAdapter,
  outOfProcessAdapter,
} from './policy/compile-handler.js';
export { isInstanceObject } from './policy/compile-instance.js';
export { compilePolicy, type PolicyOptions } from './policy/compile-policy.js';
export { failOpenAnnotation, timeoutAnnotation } from './policy/compile-rule.js';
export type * from './policy/policy.js';
export { type PolicyObjects, policyObjectsOf } from './policy/policy-objects.js';
export { policyProblemCodes, policyProblems } from './policy/policy-problems.js';
export { PolicyRuntime, type PolicyRuntimeOptions } from './runtime/policy-runtime.js';
export type * from './runtime/rim.js';
export type * from './runtime/running-policy.js';
export { rpcStatus, type RpcStatus } from './templates/rpc-status.js';
export * from './templates/template.js';
