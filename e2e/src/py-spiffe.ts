import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inUserCache } from './user-cache.js';

const run = promisify(execFile);

/** The SPIFFE project's library for Python: somebody else's reading of the standard. */
const version = '0.3.2';

/** Prints of each line of input, `{chain, key}`, `{bundle, trustDomain}`, what the library reads of it, or its refusal. */
const script = `
import json, sys
from spiffe import TrustDomain, X509Bundle, X509Svid
for line in sys.stdin:
    asked = json.loads(line)
    try:
        if 'bundle' in asked:
            bundle = X509Bundle.parse(TrustDomain(asked['trustDomain']), asked['bundle'].encode())
            answer = {'authorities': len(bundle.x509_authorities)}
        else:
            svid = X509Svid.parse(asked['chain'].encode(), asked['key'].encode())
            answer = {'spiffeId': str(svid.spiffe_id), 'certificates': len(svid.cert_chain)}
    except Exception as error:
        answer = {'error': type(error).__name__ + ': ' + str(error)}
    print(json.dumps(answer))
`;

export type PySpiffeQuestion =
  { readonly chain: string; readonly key: string } | { readonly bundle: string; readonly trustDomain: string };

export interface PySpiffeAnswer {
  readonly spiffeId?: string;
  readonly certificates?: number;
  readonly authorities?: number;
  readonly error?: string;
}

/** Where the library is; installed from PyPI into the user's cache when it is not there yet. */
async function library(): Promise<string> {
  return await inUserCache(['py-spiffe', version], async (folder) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', folder];
    await run('python3', [...pip, `spiffe==${version}`]);
  });
}

/** What the Python package `spiffe` makes of certificates and bundles, in order. */
export async function askPySpiffe(questions: readonly PySpiffeQuestion[]): Promise<readonly PySpiffeAnswer[]> {
  const env = { ...process.env, PYTHONPATH: await library() };
  const asking = run('python3', ['-c', script], { env, maxBuffer: 16 * 1024 * 1024 });
  asking.child.stdin?.end(questions.map((question) => JSON.stringify(question)).join('\n'));
  const { stdout } = await asking;
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PySpiffeAnswer);
}
