package redis

import "github.com/redis/rueidis"

// The scripts decide and write in one step inside Redis, which is what makes D5
// hold between processes. All of them may be repeated: doing one twice is
// doing it once. Bytes 5 to 16 of a record and 1 to 12 of a tombstone are a time
// whose bytes compare as times do.
const prelude = `
local function later(a, b)
  for i = 1, 12 do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then return x > y end
  end
  return false
end
local function readAt(raw)
  if raw and #raw >= 32 and raw:sub(1, 2) == '\245\82' then return raw:sub(5, 16) end
  return false
end
local function erased(lengths, base, key, at)
  for _, n in ipairs(redis.call('ZRANGE', lengths, 0, -1)) do
    n = tonumber(n)
    if n <= #key then
      local p = redis.call('GET', base .. key:sub(1, n))
      if p and not later(at, p) then return p end
    end
  end
  return false
end
`

var (
	// KEYS record, lengths; ARGV base of prefixes, key.
	getScript = rueidis.NewLuaScriptRetryable(prelude + `
local raw = redis.call('GET', KEYS[1])
if not raw then return false end
local at = readAt(raw)
if at and erased(KEYS[2], ARGV[1], ARGV[2], at) then return false end
return raw`)

	// KEYS record, lengths, tombstone, news; ARGV base of prefixes, key, record,
	// milliseconds it lives (0: for ever), writer, milliseconds the news live, the
	// first and the last byte of what is not content. It answers false, or the time
	// of what overtook the record: an erase, or a later record of other content.
	setScript = rueidis.NewLuaScriptRetryable(prelude + `
local at = readAt(ARGV[3])
local t = redis.call('GET', KEYS[3])
if t and not later(at, t) then return t:sub(1, 12) end
local p = erased(KEYS[2], ARGV[1], ARGV[2], at)
if p then return p:sub(1, 12) end
local function content(raw)
  return raw:sub(33, ARGV[7] - 1) .. raw:sub(ARGV[8] + 1)
end
local old = redis.call('GET', KEYS[1])
local oldAt = readAt(old)
local other = oldAt and content(old) ~= content(ARGV[3])
if oldAt and later(oldAt, at) then
  return other and oldAt
end
if ARGV[4] == '0' then
  redis.call('SET', KEYS[1], ARGV[3])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
if other then
  redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[6])
end
return false`)

	// KEYS record, tombstone; ARGV time, milliseconds it lives, writer. The record
	// goes first: that is allowed where Redis has no memory left, and a script
	// that has written may go on writing. So an erase gets through.
	deleteScript = rueidis.NewLuaScriptRetryable(prelude + `
local oldAt = readAt(redis.call('GET', KEYS[1]))
if not oldAt or not later(oldAt, ARGV[1]) then redis.call('DEL', KEYS[1]) end
local t = redis.call('GET', KEYS[2])
if t and later(t, ARGV[1]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
else
  redis.call('SET', KEYS[2], ARGV[1] .. ARGV[3], 'PX', ARGV[2])
end
return 1`)

	// KEYS lengths, queue; ARGV base of prefixes, prefix, time, milliseconds it
	// lives, writer, most lengths. It answers the prefix that was erased, which is a
	// shorter one where there are too many lengths, and its time. The tombstone has no
	// end before the purge is over: whoever purges may die. The removal of nothing at
	// its beginning is a write, for the same reason as above.
	deletePrefixScript = rueidis.NewLuaScriptRetryable(prelude + `
redis.call('ZREM', KEYS[1], '-')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local prefix, n = ARGV[2], #ARGV[2]
if not redis.call('ZSCORE', KEYS[1], n) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[6]) then
  local best = 0
  for _, m in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    m = tonumber(m)
    if m < n and m > best then best = m end
  end
  n = best
  prefix = prefix:sub(1, n)
end
local at = ARGV[3]
local old = redis.call('GET', ARGV[1] .. prefix)
if old and later(old, at) then
  at = old:sub(1, 12)
end
redis.call('SET', ARGV[1] .. prefix, at .. ARGV[5])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[4]), n)
redis.call('ZADD', KEYS[2], string.format('%.0f', now), prefix)
return {prefix, at}`)

	// KEYS records; ARGV time. It erases those read at or before it.
	purgeScript = rueidis.NewLuaScriptRetryable(prelude + `
local gone = 0
for _, key in ipairs(KEYS) do
  local head = redis.pcall('GETRANGE', key, 0, 31)
  if type(head) == 'string' and head ~= '' then
    local at = readAt(head)
    if not at or not later(at, ARGV[1]) then gone = gone + redis.call('UNLINK', key) end
  end
end
return gone`)

	// KEYS lengths, queue; ARGV base of prefixes, prefix, time, milliseconds it
	// lives. The purge of prefix is over: its tombstone may end now, unless it was
	// renewed meanwhile.
	purgedScript = rueidis.NewLuaScriptRetryable(prelude + `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local p = ARGV[1] .. ARGV[2]
local at = redis.call('GET', p)
if at and later(at, ARGV[3]) then return 0 end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('PEXPIRE', p, ARGV[4])
local score = redis.call('ZSCORE', KEYS[1], #ARGV[2])
if not score or tonumber(score) < now + ARGV[4] then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[4]), #ARGV[2])
end
if redis.call('ZCARD', KEYS[2]) == 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - 1000))
end
return 1`)

	// KEYS queue; ARGV prefix. Its purge goes on, so nobody is to take it over.
	renewScript = rueidis.NewLuaScriptRetryable(`
local time = redis.call('TIME')
return redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[1])`)

	// KEYS queue; ARGV milliseconds after which a purge that was claimed and did
	// not end is somebody else's, how many to claim at most, base of prefixes. It answers
	// prefixes and their times in turn.
	claimScript = rueidis.NewLuaScriptRetryable(prelude + `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local claimed = {}
for _, prefix in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[1]), 'LIMIT', 0, ARGV[2])) do
  local at = redis.call('GET', ARGV[3] .. prefix)
  if at then
    redis.call('ZADD', KEYS[1], string.format('%.0f', now), prefix)
    table.insert(claimed, prefix)
    table.insert(claimed, at:sub(1, 12))
  else
    redis.call('ZREM', KEYS[1], prefix)
  end
end
return claimed`)
)
