import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { forms, type Of } from '@seine/istio';
import { adapterKind, type AdapterKind, type ParamsProblem } from '@seine/mixer';
import { Shared } from '../files/shared.js';
import { milliseconds } from '../params/durations.js';
import { membersWriters } from '../values/json-lines.js';
import { rfc3339 } from '../values/values.js';
import { AuditLog } from './audit-log.js';
import { digestWith } from './record.js';

const policies = ['ALWAYS', 'INTERVAL', 'NEVER'] as const;

const params = forms.message('Keeps records that cannot be changed unnoticed.', {
  path: { ...forms.text('The file; its head is kept beside it.'), default: '' },
  keyFile: {
    ...forms.text('A file with a secret of at least 16 bytes: without it nobody can make the chain anew.'),
    default: '',
  },
  fsync: { ...forms.choice(policies, 'When records must be on the disk.', { numbered: true }), default: 'ALWAYS' },
  fsyncInterval: { ...forms.duration('How often, for INTERVAL.'), default: '1s' },
});
type Params = Required<Of<typeof params>>;

function problems(given: Of<typeof params>): readonly ParamsProblem[] {
  return given.path === '' ? [{ path: 'path', message: 'Must be the path of a file.' }] : [];
}

/** Longer members are replaced by their hash: a record must not be as long as who asks likes. */
const longestMembers = 256 * 1024;

function bounded(members: string): string {
  if (members.length <= longestMembers) return members;
  return `,"cut":${members.length},"sha256":"${createHash('sha256').update(members).digest('hex')}"`;
}

async function readKey(file: string): Promise<Buffer | undefined> {
  if (file === '') return undefined;
  const key = await readFile(file);
  if (key.length < 16) throw new Error(`${file} has ${key.length} bytes; a key needs 16 or more`);
  return key;
}

/** Log entries as an audit log: append-only, each record chained to the one before by its hash. */
export function audit(): AdapterKind {
  const logs = new Shared<AuditLog>((log) => log.close());
  return adapterKind<Params>({
    name: 'audit',
    templates: ['logentry'],
    params,
    problems,
    async make(given, { handler, instances, now, warn, every }) {
      const file = path.resolve(given.path);
      const digest = digestWith(await readKey(given.keyFile));
      // With another key it is another log, which will not take the file of the first.
      const { value: log, release } = logs.use(
        `${file}\0${digest('')}`,
        () => new AuditLog({ file, digest, now, warn }),
      );
      log.fsync = given.fsync;
      try {
        await log.open();
      } catch (error) {
        await release();
        throw error;
      }
      if (given.fsync === 'INTERVAL') every(milliseconds(given.fsyncInterval), () => log.sync());
      const variablesOf = membersWriters(instances, 'variables');
      const quoted = JSON.stringify(handler);
      return {
        async logentry(entries) {
          const written = entries.map(({ instance, severity, timestamp, variables }) => {
            const members = variablesOf(instance)(variables);
            return log.append(
              `,"time":"${rfc3339(timestamp)}","handler":${quoted},"instance":${JSON.stringify(instance)}` +
                `,"severity":${JSON.stringify(severity)},"variables":{${bounded(members).slice(1)}}`,
            );
          });
          await Promise.all(written);
        },
        close: release,
      };
    },
  });
}
