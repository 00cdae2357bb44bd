import { MemoryStore as MemoryHits } from 'express-rate-limit'
import { LRUCache } from 'lru-cache'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { SIGN_IN_LIFETIME } from '../sessions/lifetimes'
import { MemorySessions } from '../sessions/memory-store'
import { CODE_REQUESTS, GUESSES, SENT_MEMORY, type Storage } from './storage'

export function createMemoryStorage(): Storage {
  const hits = new MemoryHits()
  const claims = new LRUCache<string, 'in progress' | 'sent'>({ max: 10_000, ttl: SENT_MEMORY * 1000 })
  const generations = new LRUCache<string, number>({
    max: 50_000,
    ttl: 2 * SIGN_IN_LIFETIME,
    ttlResolution: 0,
  })
  const generation = (memberId: string, updateAgeOnGet = false) =>
    Promise.resolve(generations.get(memberId, { updateAgeOnGet }) ?? 0)
  return {
    sessions: new MemorySessions(),
    hits,
    guesses: new RateLimiterMemory(GUESSES),
    codeRequests: new RateLimiterMemory(CODE_REQUESTS),
    claim(eventId) {
      const claim = claims.get(eventId)
      if (!claim) claims.set(eventId, 'in progress')
      return Promise.resolve(claim ?? 'claimed')
    },
    settle(eventId, sent) {
      if (sent) claims.set(eventId, 'sent')
      else claims.delete(eventId)
      return Promise.resolve()
    },
    generation: (memberId) => generation(memberId),
    startSignIn: (memberId) => generation(memberId, true),
    async endSignIns(memberId) {
      generations.set(memberId, (await generation(memberId)) + 1)
    },
    available: () => true,
    close() {
      hits.shutdown()
      return Promise.resolve()
    },
  }
}
