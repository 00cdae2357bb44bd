import { MemoryStore, type SessionData } from 'express-session'
import fc from 'fast-check'
import type { PasswordlessOtpUser } from '../../lib'
import { ADA, bodyOf, openShop, pageOf, type Agent } from '../support/shop'
import { holds } from './support'

/**
 * Answers at once. Between the question and the answer of a slower store, another request can change a session unseen,
 * and express-session has no lock for that.
 */
class PromptStore extends MemoryStore {
  private readonly kept = new Map<string, string>()

  override get = (id: string, done: (error: unknown, found?: SessionData | null) => void): void => {
    const found = this.kept.get(id)
    done(null, found === undefined ? null : (JSON.parse(found) as SessionData))
  }

  override set = (id: string, kept: SessionData, done?: (error?: unknown) => void): void => {
    this.kept.set(id, JSON.stringify(kept))
    done?.()
  }

  override destroy = (id: string, done?: (error?: unknown) => void): void => {
    this.kept.delete(id)
    done?.()
  }

  override touch = (_id: string, _kept: SessionData, done?: () => void): void => done?.()

  /** Makes the account token of a session so old that every page renews it. */
  age(id: string): void {
    const kept = JSON.parse(this.kept.get(id) ?? '') as { passport: { user: PasswordlessOtpUser } }
    const { account } = kept.passport.user
    if (account) account.received -= account.lifetime * 970
    this.kept.set(id, JSON.stringify(kept))
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('page', 'switch to second', 'switch to third') },
  { weight: 1, arbitrary: fc.constantFrom('sign out', 'basket', 'Elastic Path answers') },
)

test('requests of one session that overlap keep a sign-out, a switch and a basket', async () => {
  const sessions = new PromptStore()
  const accounts = ['first', 'second', 'third'].map((id) => ({ id, name: id }))
  const { simulator, strategy, signIn } = await openShop({
    store: { members: [{ username: ADA, accounts }] },
    options: { limiter: false },
    sessions,
  })
  const send = (agent: Agent, what: string) => {
    if (what === 'page') return agent.get('/fresh')
    if (what === 'sign out') return agent.post('/logout')
    if (what === 'basket') return agent.post('/basket')
    return agent.post('/switch').send({ account_id: what.slice('switch to '.length) })
  }

  await holds(fc.array(step, { minLength: 2, maxLength: 7 }), 800, async (steps) => {
    const { agent } = await signIn()
    sessions.age((await pageOf(agent)).sessionId)
    let held = simulator.hold('renewal')
    const replies: Promise<{ what: string; status: number }>[] = []
    for (const what of steps) {
      if (what === 'Elastic Path answers') {
        held.release()
        held = simulator.hold('renewal')
        continue
      }
      const reply = send(agent, what).then(({ status }) => ({ what, status }))
      replies.push(reply)
      await Promise.race([reply, held.arrived])
    }
    held.release()
    const answered = await Promise.all(replies)

    // What cannot be done any longer is refused, and nothing breaks.
    expect(answered.filter(({ status }) => status > 401)).toEqual([])
    const switched = answered.filter(({ what, status }) => what.startsWith('switch') && status === 200)
    const { user, basket } = bodyOf<{ user: PasswordlessOtpUser | null; basket?: string }>(
      await agent.get('/me'),
    )
    if (steps.includes('sign out')) {
      expect(user).toBeNull()
      return
    }
    const possible = switched.map(({ what }) => what.slice('switch to '.length))
    expect(possible.length > 0 ? possible : ['first']).toContain(user?.account?.id)
    expect(basket).toBe(steps.includes('basket') ? 'a basket' : undefined)
    expect((await strategy.fetchAs(user)('/v2/carts')).status).toBe(200)
  })
})
