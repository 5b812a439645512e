import type {
  AdapterCheckRequest,
  AdapterCheckResponse,
  AdapterHandlerMessage,
  AdapterInstanceMessage,
  AdapterQuotaRequest,
  AdapterQuotaResponse,
  AdapterReportRequest,
} from '@seine/api';
import { AdapterConnectionSchema, forms, type Of } from '@seine/istio';
import {
  type AdapterContext,
  adapterKind,
  type AdapterKind,
  type CheckTemplate,
  type CheckVerdict,
  outOfProcessAdapter,
  type QuotaRequest,
  type ParamsProblem,
  type ReportTemplate,
  type TemplateName,
  type Templates,
} from '@seine/mixer';
import { addressProblems } from '../params/address.js';
import { milliseconds } from '../params/durations.js';
import { reasonOf } from '../rim/reason.js';
import type { AdapterRim } from '../rim/rim.js';
import { AdapterClient } from './adapter-client.js';
import { channelOf, tokenHeader } from './credentials.js';
import { fieldsJson } from './fields-json.js';

const params = forms.message('An adapter that is a process of its own: the handler’s own fields.', {
  adapter: { ...forms.text('Its name, which it is told.'), default: '' },
  connection: { ...AdapterConnectionSchema, default: {} },
  params: { ...forms.struct('What it is told of its configuration.'), default: {} },
});
type Params = Required<Of<typeof params>>;

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  const { address = '', authentication } = (given as Params).connection;
  const found = [...addressProblems('connection.address', address)];
  const need = (path: string, value: string | undefined): void => {
    if (!value) found.push({ path: `connection.authentication.${path}`, message: 'Must be the path of a file.' });
  };
  if (authentication?.mutual) {
    need('mutual.privateKey', authentication.mutual.privateKey);
    need('mutual.clientCertificate', authentication.mutual.clientCertificate);
  }
  const oauth = authentication?.tls?.oauth;
  if (oauth) {
    need('tls.oauth.clientSecret', oauth.clientSecret);
    if (!URL.canParse(oauth.tokenUrl ?? ''))
      found.push({ path: 'connection.authentication.tls.oauth.tokenUrl', message: 'Must be a URL.' });
  }
  return found;
}

const defaultTimeout = '1s';
/** So often it is looked whether keys and certificates have changed. */
const renewMs = 60_000;
/** Instances of a report are sent in calls of about so many characters. */
const longestReport = 1024 * 1024;

const verdictOf = ({ code, message, validMs, validUses, output }: AdapterCheckResponse): CheckVerdict => ({
  code,
  ...(message !== '' && { message }),
  validMs,
  ...(validUses > 0 && { validUses }),
  ...(Object.keys(output).length > 0 && { output: new Map(Object.entries(output)) }),
});

/** Calls on behalf of one handler. */
class RemoteHandler {
  readonly #handler: AdapterHandlerMessage;

  constructor(
    private readonly client: AdapterClient,
    given: Params,
    private readonly context: AdapterContext,
  ) {
    this.#handler = { name: context.handler, adapter: given.adapter, paramsJson: JSON.stringify(given.params) };
  }

  readonly check =
    <T extends CheckTemplate>(template: T) =>
    async (instance: Templates[T]): Promise<CheckVerdict> => {
      const request: AdapterCheckRequest = { handler: this.#handler, instance: this.#message(template, instance) };
      return verdictOf(await this.client.call<AdapterCheckResponse>('Check', request));
    };

  readonly report =
    <T extends ReportTemplate>(template: T) =>
    async (instances: readonly Templates[T][]): Promise<void> => {
      for (const some of batches(instances.map((instance) => this.#message(template, instance)))) {
        const request: AdapterReportRequest = { handler: this.#handler, instances: some };
        await this.client.call<object>('Report', request);
      }
    };

  readonly quota = async (instance: Templates['quota'], { amount, bestEffort }: QuotaRequest) => {
    const asked = { handler: this.#handler, instance: this.#message('quota', instance) };
    const request: AdapterQuotaRequest = { ...asked, amount, bestEffort };
    return this.client.call<AdapterQuotaResponse>('Quota', request);
  };

  #message(template: TemplateName, instance: Templates[TemplateName]): AdapterInstanceMessage {
    const name = instance.instance;
    return { name, template, fieldsJson: fieldsJson(instance, this.context.instances.get(name)) };
  }
}

function* batches(messages: readonly AdapterInstanceMessage[]): Iterable<readonly AdapterInstanceMessage[]> {
  let batch: AdapterInstanceMessage[] = [];
  let length = 0;
  for (const message of messages) {
    if (batch.length > 0 && length + message.fieldsJson.length > longestReport) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(message);
    length += message.fieldsJson.length;
  }
  if (batch.length > 0) yield batch;
}

/** Handlers with a `connection`: an adapter of any language that serves `seine.mixer.v1.Adapter`. */
export const grpc = (rim: AdapterRim): AdapterKind =>
  adapterKind<Params>({
    name: outOfProcessAdapter,
    templates: [
      ...(['checknothing', 'listentry', 'authorization', 'apikey', 'quota'] as const),
      ...(['reportnothing', 'logentry', 'metric', 'tracespan', 'edge'] as const),
    ],
    params,
    problems,
    async make(given, context) {
      const { address = '', timeout = defaultTimeout, authentication } = given.connection;
      const token = tokenHeader(authentication, rim, context.now);
      const channel = await channelOf(authentication);
      const client = new AdapterClient({ address, timeoutMs: milliseconds(timeout), token }, channel);
      if (authentication)
        context.every(renewMs, async () => {
          try {
            client.renew(await channelOf(authentication));
          } catch (error) {
            context.warn(`what proves mixer to ${address} cannot be read: ${reasonOf(error)}; it stays as it is`);
          }
        });
      const { check, report, quota } = new RemoteHandler(client, given, context);
      return {
        checknothing: check('checknothing'),
        listentry: check('listentry'),
        authorization: check('authorization'),
        apikey: check('apikey'),
        quota,
        reportnothing: report('reportnothing'),
        logentry: report('logentry'),
        metric: report('metric'),
        tracespan: report('tracespan'),
        edge: report('edge'),
        close: () => client.close(),
      };
    },
  });
