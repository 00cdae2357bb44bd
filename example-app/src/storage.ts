import { RedisStore as RedisSessions } from 'connect-redis'
import { MemoryStore as MemoryHits, type Store as HitStore } from 'express-rate-limit'
import session from 'express-session'
import { LRUCache } from 'lru-cache'
import createMemorySessions from 'memorystore'
import type { OtpLimiter } from 'passport-elasticpath-otp'
import type { Logger } from 'pino'
import { RedisStore as RedisHits } from 'rate-limit-redis'
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import { createClient } from 'redis'
import { LONGEST_SIGN_IN } from './session-end'

/** What outlives a request: in this process, or in a Redis that makes several processes one shop. */
export interface Storage {
  sessions: session.Store
  /** Sign-in requests by address. */
  hits: HitStore
  /** Sign-in tries by username. */
  guesses: OtpLimiter
  /** Code requests by username. */
  codeRequests: OtpLimiter
  /** Claims the mailing of an event's code. A process that dies over it holds the claim for some seconds. */
  claim(eventId: string): Promise<'mine' | 'under way' | 'mailed'>
  /** Whether the code was mailed: nobody needs to again, or the next delivery may. */
  settle(eventId: string, mailed: boolean): Promise<void>
  /** Signs a member out wherever they are signed in now. */
  signOutEverywhere(memberId: string): Promise<void>
  /** When a member did so last, in epoch milliseconds; 0 for never. */
  signedOutAt(memberId: string): Promise<number>
  /** Whether it can be used at this moment. */
  available(): boolean
  close(): Promise<void>
}

export const HITS_WINDOW = 10 * 60_000
const GUESSES = { points: 5, duration: 15 * 60 }
const CODE_REQUESTS = { points: 5, duration: 15 * 60 }
/** Longer than a mail may take. */
const CLAIMED_SECONDS = 15
const MAILED_SECONDS = 24 * 60 * 60
const LOOK_EVERY = 1_000
const STUCK_AFTER = 2_000

export function openStorage(redisUrl: string | undefined, log: Logger): Promise<Storage> {
  return redisUrl === undefined ? Promise.resolve(inMemory()) : inRedis(redisUrl, log)
}

function inMemory(): Storage {
  const MemorySessions = createMemorySessions(session)
  const sessions = new MemorySessions({ max: 50_000, checkPeriod: 10 * 60_000 })
  const hits = new MemoryHits()
  const signOuts = new LRUCache<string, number>({ max: 50_000, ttl: LONGEST_SIGN_IN })
  const claims = new LRUCache<string, 'under way' | 'mailed'>({ max: 10_000, ttl: MAILED_SECONDS * 1000 })
  return {
    sessions,
    hits,
    guesses: new RateLimiterMemory(GUESSES),
    codeRequests: new RateLimiterMemory(CODE_REQUESTS),
    claim(eventId) {
      const claim = claims.get(eventId)
      if (!claim) claims.set(eventId, 'under way')
      return Promise.resolve(claim ?? 'mine')
    },
    settle(eventId, mailed) {
      if (mailed) claims.set(eventId, 'mailed')
      else claims.delete(eventId)
      return Promise.resolve()
    },
    signOutEverywhere(memberId) {
      signOuts.set(memberId, Date.now())
      return Promise.resolve()
    },
    signedOutAt: (memberId) => Promise.resolve(signOuts.get(memberId) ?? 0),
    available: () => true,
    close() {
      sessions.stopInterval()
      hits.shutdown()
      return Promise.resolve()
    },
  }
}

/**
 * A Redis that is stuck, or gone behind a network that says nothing, keeps its connections and answers none: what waits
 * for it would wait for minutes. A new connection makes those an error page, and counts once it answers.
 */
function watch(redis: ReturnType<typeof createClient>, log: Logger): { stop(): void } {
  let looking = false
  let stopped = false
  const look = async () => {
    if (looking || !redis.isReady) return
    looking = true
    const alive = await answers(redis)
    looking = false
    if (alive || stopped || !redis.isOpen) return
    log.error('Redis does not answer')
    redis.destroy()
    // Tried until it succeeds; what fails meanwhile is in the log.
    redis.connect().catch(() => undefined)
  }
  const timer = setInterval(() => void look(), LOOK_EVERY)
  return {
    stop() {
      stopped = true
      clearInterval(timer)
    },
  }
}

function answers(redis: ReturnType<typeof createClient>): Promise<boolean> {
  if (!redis.isReady) return Promise.resolve(false)
  return new Promise((resolve) => {
    const late = setTimeout(resolve, STUCK_AFTER, false)
    const tell = (answer: boolean) => {
      clearTimeout(late)
      resolve(answer)
    }
    redis.ping().then(
      () => tell(true),
      () => tell(false),
    )
  })
}

async function inRedis(url: string, log: Logger): Promise<Storage> {
  // Without a queue, a Redis that is away is an error page at once instead of a page that hangs.
  const redis = createClient({ url, disableOfflineQueue: true, socket: { connectTimeout: 5_000 } })
  redis.on('error', (error: Error) => log.error({ err: error }, 'Redis'))
  await redis.connect()
  const watchdog = watch(redis, log)
  const limiter = (keyPrefix: string, limit: typeof GUESSES) =>
    new RateLimiterRedis({ storeClient: redis, useRedisPackage: true, keyPrefix, ...limit })
  const signOutKey = (memberId: string) => `shop:signed-out:${memberId}`
  const claimKey = (eventId: string) => `shop:mailed:${eventId}`
  return {
    sessions: new RedisSessions({ client: redis, prefix: 'shop:session:' }),
    hits: new RedisHits({ sendCommand: (...args) => redis.sendCommand(args), prefix: 'shop:address:' }),
    guesses: limiter('shop:guesses', GUESSES),
    codeRequests: limiter('shop:code-requests', CODE_REQUESTS),
    async claim(eventId) {
      const held = await redis.set(claimKey(eventId), 'under way', {
        condition: 'NX',
        GET: true,
        expiration: { type: 'EX', value: CLAIMED_SECONDS },
      })
      if (held === null) return 'mine'
      return held === 'mailed' ? 'mailed' : 'under way'
    },
    async settle(eventId, mailed) {
      const expiration = { type: 'EX', value: MAILED_SECONDS } as const
      if (mailed) await redis.set(claimKey(eventId), 'mailed', { expiration })
      else await redis.del(claimKey(eventId))
    },
    async signOutEverywhere(memberId) {
      const expiration = { type: 'PX', value: LONGEST_SIGN_IN } as const
      await redis.set(signOutKey(memberId), String(Date.now()), { expiration })
    },
    signedOutAt: async (memberId) => Number((await redis.get(signOutKey(memberId))) ?? 0),
    available: () => redis.isReady,
    async close() {
      watchdog.stop()
      // Closing waits for answers, which may not come.
      if (await answers(redis)) await redis.close()
      else if (redis.isOpen) redis.destroy()
    },
  }
}
