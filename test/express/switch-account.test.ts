import { ADA, bodyOf, nextDiagnostic, openShop, pageOf, type SignedIn } from '../support/shop'
import { openActiveShopper, SECOND, SessionStore } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

describe('switchAccount', () => {
  it.each<[string, unknown]>([
    ['no body', undefined],
    ['no id', {}],
    ['an empty id', { account_id: '' }],
    ['an id in an array', { account_id: [SECOND.id] }],
    ['an id in an object', { account_id: { id: SECOND.id } }],
    ['an id of 300 characters', { account_id: 'a'.repeat(300) }],
  ])('returns 400 and changes nothing for %s', async (_case, body) => {
    const { agent, simulator } = await openActiveShopper()
    const before = await pageOf(agent)

    const response = await agent.post('/only-switch').send(body as object)

    expect(response).toMatchObject({ status: 400, body: { code: 'missing_credentials' } })
    expect(await pageOf(agent)).toEqual(before)
    expect(simulator.requests).toEqual([])
  })

  it('returns 401 and sends nothing if nobody is signed in', async () => {
    const { browser, simulator } = await openActiveShopper()

    const response = await browser().post('/only-switch').send({ account_id: SECOND.id })

    expect(response).toMatchObject({ status: 401, body: { code: 'not_signed_in' } })
    expect(simulator.requests).toEqual([])
  })

  it('returns 401 if keepFresh, in front of it, finds that the shopper signed out', async () => {
    const { agent, simulator, sessions } = await openActiveShopper()
    const held = simulator.hold('renewal')
    const response = agent.post('/switch').send({ account_id: SECOND.id }).then()
    await held.arrived
    await agent.post('/logout').expect(204)

    held.release()

    expect(await response).toMatchObject({ status: 401, body: { code: 'not_signed_in' } })
    expect(sessions.users).toEqual([])
  })

  it('returns 401 if the shopper signed out when keepFresh, in front of it, could not reach the store', async () => {
    const { agent, sessions } = await openActiveShopper()
    const { set } = sessions
    sessions.set = (_id, _session, done) => {
      sessions.set = set
      void agent.post('/logout').then(() => {
        sessions.onRead(1, (_id, failRead) => failRead(new Error('down')))
        done?.(new Error('down'))
      })
    }

    const response = await agent.post('/switch').send({ account_id: SECOND.id })

    expect(response).toMatchObject({ status: 401, body: { code: 'not_signed_in' } })
    expect(sessions.users).toEqual([])
  })

  it("returns 403 and changes nothing for an account that is not the member's", async () => {
    const { agent, simulator } = await openActiveShopper()
    simulator.removeFromAccount(ADA, SECOND.id)
    const before = await pageOf(agent)

    const response = await agent.post('/only-switch').send({ account_id: SECOND.id })

    expect(response).toMatchObject({ status: 403, body: { code: 'account_not_found' } })
    expect(await pageOf(agent)).toEqual(before)
  })

  it('changes nothing if the client leaves', async () => {
    const { agent, simulator, sessions, user } = await openActiveShopper()
    const held = simulator.hold('renewal')
    const aborted = nextDiagnostic({ operation: 'switch', code: 'request_aborted' })
    const leaving = agent.post('/only-switch').send({ account_id: SECOND.id })
    leaving.end(() => undefined)
    await held.arrived

    leaving.abort()
    await aborted
    held.release()

    expect((await pageOf(agent)).user).toEqual(user)
    expect(sessions.users).toEqual([user])
  })

  it('lets a shopper of 250 accounts choose one, and keeps the basket', async () => {
    const sessions = new SessionStore()
    const store = { members: [{ username: ADA, accounts: 250 }] }
    const { simulator, browser, submit } = await openShop({
      store,
      sessions,
      options: { selectAccount: 'sole' },
    })
    const [last] = simulator.setAccounts(ADA, 250).accounts.page(249, 1)
    const agent = browser()
    await agent.post('/basket')
    const { user, info } = bodyOf<SignedIn>(await submit({}, agent))
    expect([user.account, info.totalAccounts]).toEqual([null, 250])

    await agent.post('/switch').send({ account_id: last?.id }).expect(200)

    const page = await pageOf(agent)
    expect(page).toMatchObject({ user: { account: { ...last } }, basket: 'a basket' })
    expect(page.stored).not.toHaveProperty('selectionToken')
  })
})
