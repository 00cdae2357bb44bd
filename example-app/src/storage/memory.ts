import { MemoryStore as MemoryHits } from 'express-rate-limit'
import { LRUCache } from 'lru-cache'
import { SIGN_IN_LIFETIME } from '../sessions/lifetimes'
import { atMost, MemorySessions } from '../sessions/memory-store'
import { NOTES_LIFETIME, SENT_MEMORY, type Storage } from './storage'

export function createMemoryStorage(): Storage {
  const hits = new MemoryHits()
  const claims = new LRUCache<string, 'in progress' | 'sent'>({ ...atMost(10_000), ttlResolution: 0 })
  const generations = new LRUCache<string, number>({
    ...atMost(50_000),
    ttl: 2 * SIGN_IN_LIFETIME,
    ttlResolution: 0,
  })
  const notes = new LRUCache<string, Record<string, string>>({
    ...atMost(10_000),
    ttl: NOTES_LIFETIME * 1000,
  })
  const generation = (memberId: string, updateAgeOnGet = false) =>
    Promise.resolve(generations.get(memberId, { updateAgeOnGet }) ?? 0)
  return {
    sessions: new MemorySessions(),
    hits,
    limiters: undefined,
    claim(id, seconds) {
      const claim = claims.get(id)
      if (!claim) claims.set(id, 'in progress', { ttl: seconds * 1000 })
      return Promise.resolve(claim ?? 'claimed')
    },
    settle(id, sent) {
      if (sent) claims.set(id, 'sent', { ttl: SENT_MEMORY * 1000 })
      else claims.delete(id)
      return Promise.resolve()
    },
    generation: (memberId) => generation(memberId),
    startSignIn: (memberId) => generation(memberId, true),
    async endSignIns(memberId) {
      generations.set(memberId, (await generation(memberId)) + 1)
    },
    noteOnce(key, given) {
      const all = { ...given, ...notes.get(key) }
      notes.set(key, all)
      return Promise.resolve(all)
    },
    forgetNotes(key, names) {
      const kept = Object.entries(notes.get(key) ?? {}).filter(([name]) => !names.includes(name))
      notes.set(key, Object.fromEntries(kept))
      return Promise.resolve()
    },
    available: () => true,
    close() {
      hits.shutdown()
      return Promise.resolve()
    },
  }
}
