import { RedisStore } from 'connect-redis'
import type { SessionData } from 'express-session'
import type { createClient } from 'redis'
import { lifetimeOf } from './kind'
import { ENDED_MEMORY } from './lifetimes'

type Done = (error?: unknown) => void

// One script, because a session that ends between a check and a write would be written after its end.
const SAVE = `
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end`
const END = `
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[1])`

/** Sessions in Redis. An ended session cannot be saved again by a request that loaded it before it ended. */
export class RedisSessions extends RedisStore {
  constructor(private readonly redis: ReturnType<typeof createClient>) {
    super({
      client: redis,
      prefix: 'shop:session:',
      ttl: (session) => Math.ceil(lifetimeOf(session) / 1000),
    })
  }

  override async set(id: string, session: SessionData, done?: Done): Promise<void> {
    await this.run(SAVE, id, [JSON.stringify(session), String(lifetimeOf(session))], done)
  }

  override async destroy(id: string, done?: Done): Promise<void> {
    await this.run(END, id, [String(ENDED_MEMORY)], done)
  }

  private async run(script: string, id: string, values: string[], done?: Done): Promise<void> {
    try {
      await this.redis.eval(script, { keys: [this.prefix + id, `shop:ended:${id}`], arguments: values })
    } catch (error) {
      if (!done) throw error
      done(error)
      return
    }
    done?.()
  }
}
