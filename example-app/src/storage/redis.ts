import type { Logger } from 'pino'
import { RedisStore as RedisHits } from 'rate-limit-redis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { SIGN_IN_LIFETIME } from '../sessions/lifetimes'
import { RedisSessions } from '../sessions/redis-store'
import { isAlive, watchRedis } from './redis-watchdog'
import { NOTES_LIFETIME, SENT_MEMORY, type Storage } from './storage'

/** Seconds. */
const LIMIT_WINDOW = 15 * 60

/** Resolves once Redis answers. Until then it tries again and logs why. */
export async function openRedisStorage(url: string, log: Logger): Promise<Storage> {
  // Loaded here, because it takes a tenth of a second, which a shop without Redis need not wait for.
  const { createClient } = await import('redis')
  // Without a queue, requests fail at once while Redis is away, instead of waiting for it.
  const redis = createClient({ url, disableOfflineQueue: true, socket: { connectTimeout: 5_000 } })
  redis.on('error', (error: Error) => log.error({ err: error }, 'Redis'))
  redis.on('ready', () => log.info('Redis is connected'))
  await redis.connect()
  const watchdog = watchRedis(redis, log)
  const limiter = (keyPrefix: string, points: number) =>
    new RateLimiterRedis({
      storeClient: redis,
      useRedisPackage: true,
      keyPrefix,
      points,
      duration: LIMIT_WINDOW,
    })
  const claimKey = (id: string) => `shop:claim:${id}`
  const notesKey = (key: string) => `shop:notes:${key}`
  const generationKey = (memberId: string) => `shop:generation:${memberId}`
  // Generations outlive the sign-ins that keep them, also if both are read at the last moment.
  const lifetime = { type: 'PX', value: 2 * SIGN_IN_LIFETIME } as const
  return {
    sessions: new RedisSessions(redis),
    hits: new RedisHits({ sendCommand: (...args) => redis.sendCommand(args), prefix: 'shop:address:' }),
    // The strategy's own limits, counted for all processes together.
    limiters: {
      attempts: limiter('shop:attempts', 10),
      requests: limiter('shop:requests', 5),
      deliveries: limiter('shop:deliveries', 10),
    },
    async claim(id, seconds) {
      const held = await redis.set(claimKey(id), 'in progress', {
        condition: 'NX',
        GET: true,
        expiration: { type: 'EX', value: seconds },
      })
      if (held === null) return 'claimed'
      return held === 'sent' ? 'sent' : 'in progress'
    },
    async settle(id, sent) {
      const expiration = { type: 'EX', value: SENT_MEMORY } as const
      if (sent) await redis.set(claimKey(id), 'sent', { expiration })
      else await redis.del(claimKey(id))
    },
    generation: async (memberId) => Number((await redis.get(generationKey(memberId))) ?? 0),
    startSignIn: async (memberId) => Number((await redis.getEx(generationKey(memberId), lifetime)) ?? 0),
    async endSignIns(memberId) {
      const key = generationKey(memberId)
      await redis.multi().incr(key).pExpire(key, lifetime.value).exec()
    },
    async noteOnce(key, notes) {
      const work = redis.multi()
      for (const [name, value] of Object.entries(notes)) work.hSetNX(notesKey(key), name, value)
      const [all] = await work
        .expire(notesKey(key), NOTES_LIFETIME)
        .hGetAll(notesKey(key))
        .exec()
        .then((replies) => replies.slice(-1))
      return Object.fromEntries(Object.entries(all ?? {}).map(([name, value]) => [name, String(value)]))
    },
    async forgetNotes(key, names) {
      await redis.hDel(notesKey(key), names)
    },
    available: () => redis.isReady,
    async close() {
      watchdog.stop()
      // Closing waits for answers, which a stuck Redis does not give.
      if (await isAlive(redis)) await redis.close()
      else if (redis.isOpen) redis.destroy()
    },
  }
}
