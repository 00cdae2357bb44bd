import type { Logger } from 'pino'
import { createMemoryStorage } from './memory'
import { openRedisStorage } from './redis'
import type { Storage } from './storage'

/** Memory, unless there is a Redis. */
export function openStorage(redisUrl: string | undefined, log: Logger): Promise<Storage> {
  return redisUrl === undefined ? Promise.resolve(createMemoryStorage()) : openRedisStorage(redisUrl, log)
}
