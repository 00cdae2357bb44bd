import type { Logger } from 'pino'
import type { createClient } from 'redis'

type Redis = ReturnType<typeof createClient>

/** Milliseconds. */
const CHECK_INTERVAL = 1_000
const ANSWER_TIMEOUT = 2_000

/**
 * Reconnects if Redis stops answering. A stuck Redis, or one behind a broken network, keeps its connections open, and
 * requests would wait for it for minutes.
 */
export function watchRedis(redis: Redis, log: Logger): { stop(): void } {
  let checking = false
  let stopped = false
  const check = async () => {
    if (checking || !redis.isReady) return
    checking = true
    const alive = await isAlive(redis)
    checking = false
    if (alive || stopped || !redis.isOpen) return
    log.error('Redis does not answer')
    redis.destroy()
    // The client tries until it succeeds, and logs each failure.
    redis.connect().catch(() => undefined)
  }
  const timer = setInterval(() => void check(), CHECK_INTERVAL)
  return {
    stop() {
      stopped = true
      clearInterval(timer)
    },
  }
}

export async function isAlive(redis: Redis): Promise<boolean> {
  if (!redis.isReady) return false
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, ANSWER_TIMEOUT, false)))
  const answer = redis.ping().then(
    () => true,
    () => false,
  )
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
