import { script } from '@seine/redis';

/**
 * All keys of a mesh log; one hash tag, so that scripts may use them together.
 * - `meta`, a hash: `epoch`, a new one each time the log is begun; `revision`; `size`, how many objects there are;
 *   `synced`; `fence`, the highest token seen.
 * - `objects`, a hash: each object by its key, JSON.
 * - `log`, a stream: the last entries, `<revision>-0` with the field `changes`, JSON.
 * - `lease`: who leads, `<id> <token>`, until it expires.
 */
export interface LogKeys {
  readonly meta: string;
  readonly objects: string;
  readonly log: string;
  readonly lease: string;
}

export function logKeys(prefix: string): LogKeys {
  return {
    meta: `${prefix}meta`,
    objects: `${prefix}objects`,
    log: `${prefix}log`,
    lease: `${prefix}lease`,
  };
}

/** A writer whose token is lower than one that was seen has been superseded, whatever it believes. */
const fence = `
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
if tonumber(ARGV[1]) < fence then return {'FENCED', tostring(fence)} end
if tonumber(ARGV[1]) > fence then redis.call('HSET', KEYS[1], 'fence', ARGV[1]) end
`;

/** The log, or nothing where a part of it is lost: what is not whole is not read. */
const whole = `
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
if epoch ~= '' and redis.call('HLEN', KEYS[2]) ~= tonumber(redis.call('HGET', KEYS[1], 'size') or '0') then epoch = '' end
`;

/**
 * Appends an entry to the log that the writer knows, or begins a log where there is none and the writer knows of none.
 * KEYS: meta, objects, log. ARGV: token, epoch and revision that the writer knows, epoch of a log to begin, revision of
 * the entry, entries kept, changes (JSON), then key and object (JSON; empty = deleted) of each change.
 */
export const appendScript = script(`${fence}${whole}
if epoch ~= ARGV[2] then return {epoch == '' and 'EMPTY' or 'MOVED'} end
local revision = redis.call('HGET', KEYS[1], 'revision') or '0'
if revision ~= ARGV[3] then return {'MOVED'} end
if epoch == '' then redis.call('DEL', KEYS[2], KEYS[3]) end
for i = 8, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i])
  else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
if epoch == '' then epoch = ARGV[4] end
redis.call('HSET', KEYS[1], 'epoch', epoch, 'revision', ARGV[5], 'size', redis.call('HLEN', KEYS[2]))
redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[6], ARGV[5] .. '-0', 'changes', ARGV[7])
return {'OK', epoch}
`);

/**
 * Begins a log anew where Redis has lost it, with all that the writer knows.
 * KEYS: meta, objects, log. ARGV: token, epoch, revision, synced, then key and object of each.
 */
export const refillScript = script(`${fence}${whole}
if epoch ~= '' then return {'MOVED'} end
redis.call('DEL', KEYS[2], KEYS[3])
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
local size = redis.call('HLEN', KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'revision', ARGV[3], 'synced', ARGV[4], 'size', size)
redis.call('XADD', KEYS[3], ARGV[3] .. '-0', 'changes', '[]')
return {'OK', ARGV[2]}
`);

/** Says that the sources have filled the log. KEYS: meta. ARGV: token, epoch of a log to begin. */
export const syncedScript = script(`${fence}
if not redis.call('HGET', KEYS[1], 'epoch') then redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'revision', '0', 'size', '0') end
redis.call('HSET', KEYS[1], 'synced', '1')
return {'OK', redis.call('HGET', KEYS[1], 'epoch')}
`);

/**
 * What a reader lacks: the entries after the one that it knows, or everything where they are gone or of another log.
 * KEYS: meta, objects, log. ARGV: epoch and revision that it knows.
 */
export const readScript = script(`${whole}
if epoch == '' then return {''} end
local revision = redis.call('HGET', KEYS[1], 'revision')
local synced = redis.call('HGET', KEYS[1], 'synced') or '0'
local missing = tonumber(revision) - tonumber(ARGV[2])
if epoch == ARGV[1] and missing >= 0 then
  if missing == 0 then return {epoch, revision, synced, 'entries', {}} end
  local entries = redis.call('XRANGE', KEYS[3], string.format('%.0f-0', ARGV[2] + 1), '+')
  if #entries == missing then return {epoch, revision, synced, 'entries', entries} end
end
return {epoch, revision, synced, 'all', redis.call('XRANGE', KEYS[3], '-', '+'), redis.call('HGETALL', KEYS[2])}
`);

/**
 * Takes the lease, or keeps it. A token is higher than all before it, those that Redis has lost included: it is the time.
 * KEYS: lease, meta. ARGV: id, how long it lasts in ms, 1 = it may be taken. Reply: the token; nothing where another leads;
 * `FREE` where nobody does.
 */
export const leaseScript = script(`
local held = redis.call('GET', KEYS[1])
if held then
  local id, token = string.match(held, '^(%S+) (%d+)$')
  if id ~= ARGV[1] then return false end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return token
end
if ARGV[3] ~= '1' then return 'FREE' end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local fence = tonumber(redis.call('HGET', KEYS[2], 'fence') or '0')
local token = string.format('%.0f', math.max(now, fence + 1))
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. token, 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'fence', token)
return token
`);

/** Gives the lease back. KEYS: lease. ARGV: id. */
export const releaseScript = script(`
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^(%S+)') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);
