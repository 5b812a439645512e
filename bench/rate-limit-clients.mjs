// Envoys that ask mixer about requests at a limit. Takes its task as JSON in the first argument, prints the result as JSON.
import { load } from './unary-load.mjs';

const task = JSON.parse(process.argv[2]);
const name = 'bench/limit/0';

/** A field of a protobuf message, below 127 bytes. */
const field = (number, bytes) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
const entry = (key, value) => field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]));

/** RateLimitRequest with one descriptor: the limit, and who calls. */
function request(caller) {
  const descriptor = Buffer.concat([entry('rate_limit', name), entry('source_identity', `ns/bench/sa/${caller}`)]);
  return Buffer.concat([field(1, Buffer.from('policy.seine.dev')), field(2, descriptor)]);
}

const okAnswer = Buffer.from([0x08, 0x01]);

await load(task, {
  path: '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
  // More than are asked for: what is measured is counting, not refusing.
  headers: [['ratelimit-policy', `"${name}";q=1000000000;w=86400${task.exact ? ';exact' : ''}`]],
  messages: Array.from({ length: task.callers }, (_, caller) => request(caller)),
  isExpected: (answer) => answer.indexOf(okAnswer) === 0,
});
