import { hasErrors } from '@seine/diagnostics';
import type { ConfigObject } from '@seine/k8s';
import {
  isHandlerObject,
  isInstanceObject,
  type MixerPolicy,
  type PolicyObjects,
  type RuntimeEvents,
} from '@seine/mixer';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Names of Istio's Mixer, whose dashboards people have. */
const names = {
  attributes: 'mixer_config_attributes_total',
  handlers: 'mixer_config_handler_configs_total',
  handlerErrors: 'mixer_config_handler_config_errors_total',
  instances: 'mixer_config_instance_configs_total',
  instanceErrors: 'mixer_config_instance_config_errors_total',
  rules: 'mixer_config_rule_configs_total',
  ruleErrors: 'mixer_config_rule_config_errors_total',
  unsatisfied: 'mixer_config_unsatisfied_action_handler_total',
} as const;

const buckets = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** What mixer's rules consist of, and what becomes of asking their handlers. */
export class PolicyMetrics {
  readonly #gauges: Readonly<Record<keyof typeof names, Gauge>>;
  readonly #dispatches: Counter;
  readonly #durations: Histogram;
  readonly #handlers: Readonly<Record<'made' | 'failed' | 'closed' | 'unclosed', Counter>>;
  readonly #dropped: Counter;
  readonly #noValue: Counter;
  readonly #cut: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
    const counter = (name: string, help: string, labelNames: readonly string[] = []): Counter =>
      new Counter({ name, help, labelNames: [...labelNames], registers });
    this.#gauges = {
      attributes: gauge(names.attributes, 'How many attributes expressions may use.'),
      handlers: gauge(names.handlers, 'How many handlers there are.'),
      handlerErrors: gauge(names.handlerErrors, 'How many of them have errors.'),
      instances: gauge(names.instances, 'How many instances there are.'),
      instanceErrors: gauge(names.instanceErrors, 'How many of them have errors.'),
      rules: gauge(names.rules, 'How many rules there are.'),
      ruleErrors: gauge(names.ruleErrors, 'How many of them have errors.'),
      unsatisfied: gauge(names.unsatisfied, 'How many actions refer to handlers that there are not.'),
    };
    const labelNames = ['handler', 'adapter', 'error'];
    this.#dispatches = counter('mixer_runtime_dispatches_total', 'How often handlers were asked or told.', labelNames);
    this.#durations = new Histogram({
      name: 'mixer_runtime_dispatch_duration_seconds',
      help: 'How long handlers took.',
      labelNames,
      buckets,
      registers,
    });
    this.#handlers = {
      made: counter('mixer_handler_new_handlers_total', 'How many handlers were made.'),
      failed: counter('mixer_handler_handler_build_failures_total', 'How many handlers could not be made.'),
      closed: counter('mixer_handler_closed_handlers_total', 'How many handlers were closed.'),
      unclosed: counter(
        'mixer_handler_handler_close_failures_total',
        'How many handlers failed when they were closed.',
      ),
    };
    const who = ['handler', 'adapter'];
    this.#dropped = counter('mixer_runtime_reports_dropped_total', 'How many reports a handler did not take.', who);
    this.#noValue = counter(
      'mixer_runtime_instances_without_value_total',
      'How many instances were not made, as an expression had no value.',
      ['instance'],
    );
    this.#cut = counter('mixer_runtime_texts_cut_total', 'How many texts were cut, as they were too long.', [
      'instance',
    ]);
  }

  readonly events: RuntimeEvents = {
    dispatched: (handler, adapter, ms, failure) => {
      const labels = { handler, adapter, error: String(failure) };
      this.#dispatches.inc(labels);
      this.#durations.observe(labels, ms / 1000);
    },
    dropped: (handler, adapter, count) => this.#dropped.inc({ handler, adapter }, count),
    noValue: (instance) => this.#noValue.inc({ instance }),
    cut: (instance) => this.#cut.inc({ instance }),
    handlerMade: (_handler, _adapter, ok) => this.#handlers[ok ? 'made' : 'failed'].inc(),
    handlerClosed: (handler, adapter, ok) => {
      this.#handlers[ok ? 'closed' : 'unclosed'].inc();
      this.#forget(handler, adapter);
    },
  };

  #live: ReadonlySet<string> = new Set();
  #instances: ReadonlySet<string> = new Set();

  #forgetInstance(instance: string): void {
    this.#noValue.remove({ instance });
    this.#cut.remove({ instance });
  }

  /** A handler that is gone from the policy has no series any more: names of handlers come and go. */
  #forget(handler: string, adapter: string): void {
    if (this.#live.has(handler)) return;
    this.#dropped.remove({ handler, adapter });
    for (const error of ['true', 'false']) {
      this.#dispatches.remove({ handler, adapter, error });
      this.#durations.remove({ handler, adapter, error });
    }
  }

  readonly policy = (policy: MixerPolicy, objects: PolicyObjects): void => {
    this.#live = new Set(policy.handlers.keys());
    for (const instance of this.#instances) if (!policy.instances.has(instance)) this.#forgetInstance(instance);
    this.#instances = new Set(policy.instances.keys());
    const wrong = new Set(
      policy.problems
        .filter((problem) => hasErrors([problem]))
        .map(({ object }) => `${object?.kind}/${object?.namespace}/${object?.name}`),
    );
    const count = (wanted: (object: ConfigObject) => boolean): readonly [number, number] => {
      const all = objects.filter(wanted);
      return [
        all.length,
        all.filter(({ kind, metadata }) => wrong.has(`${kind}/${metadata.namespace}/${metadata.name}`)).length,
      ];
    };
    this.#set(
      'rules',
      'ruleErrors',
      count(({ kind }) => kind === 'rule'),
    );
    this.#set('instances', 'instanceErrors', count(isInstanceObject));
    this.#set('handlers', 'handlerErrors', count(isHandlerObject));
    this.#gauges.attributes.set(policy.vocabulary.size);
    this.#gauges.unsatisfied.set(
      policy.problems.filter(({ code, path }) => code === 'IST0101' && path?.endsWith('.handler')).length,
    );
  };

  #set(all: keyof typeof names, wrong: keyof typeof names, [total, errors]: readonly [number, number]): void {
    this.#gauges[all].set(total);
    this.#gauges[wrong].set(errors);
  }
}
