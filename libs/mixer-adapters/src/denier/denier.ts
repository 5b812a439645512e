import { forms, type Of } from '@seine/istio';
import { adapterKind, type CheckVerdict } from '@seine/mixer';
import { milliseconds } from '../params/durations.js';

const params = forms.message('Refuses whatever is asked.', {
  status: {
    ...forms.message('What the client gets.', {
      code: {
        ...forms.integer('google.rpc.Code: 7 answers 403, 16 answers 401.', { minimum: 0, maximum: 16 }),
        default: 7,
      },
      message: forms.text('What the client reads.'),
    }),
    default: {},
  },
  validDuration: { ...forms.durationOrZero('How long the answer may be kept.'), default: '5s' },
  validUseCount: { ...forms.integer('For how many requests it may be kept.', { minimum: 0 }), default: 1000 },
});

/** Says no, with a status of the user's (Istio 1.4's `denier`). */
export const denier = adapterKind<Of<typeof params>>({
  name: 'denier',
  templates: ['checknothing', 'listentry', 'quota'],
  params,
  make({ status, validDuration = '5s', validUseCount = 1000 }) {
    const verdict: CheckVerdict = {
      code: status?.code ?? 7,
      ...(status?.message !== undefined && { message: status.message }),
      validMs: milliseconds(validDuration),
      validUses: validUseCount,
    };
    const quota = { granted: 0, validMs: milliseconds(validDuration) };
    return { checknothing: () => verdict, listentry: () => verdict, quota: () => quota };
  },
});
