const assert = require('node:assert/strict')
const { once, EventEmitter } = require('node:events')
const { PasswordlessOtpStrategy } = require('passport-elasticpath-otp')
const { ElasticPathSimulator } = require('passport-elasticpath-otp/testing')
const { SECRET_KEY, createApp } = require('./app')
const { serve } = require('./browser')

const ADA = 'ada@example.com'

/** Opens a shop with a simulated store, does the work, and closes both. */
async function withShop({ sessions, members, options }, work) {
  const simulator = await ElasticPathSimulator.start({
    members: members ?? [{ username: ADA, accounts: [{ name: 'Boats' }, { name: 'Ropes', id: 'ropes' }] }],
  })
  const { clientId, url: baseUrl } = simulator
  const strategy = new PasswordlessOtpStrategy({ clientId, baseUrl, uniformResponseTime: 0, ...options })
  const mail = new EventEmitter()
  const app = createApp(strategy, { sessions, deliver: (delivery) => void mail.emit('delivery', delivery) })
  const shop = await serve(app)
  simulator.deliverTo({ url: `${shop.url}/webhooks/otp`, secretKey: SECRET_KEY })
  try {
    return await work({ simulator, mail, browser: shop.browser })
  } finally {
    await shop.close()
    await strategy.close()
    await simulator.stop()
  }
}

/** The steps of a typical shopper. They run with every supported combination of versions. */
async function journey(sessions) {
  await withShop({ sessions }, async ({ simulator, mail, browser }) => {
    const ada = browser()
    const home = async () => JSON.parse((await ada.get('/')).text)

    await ada.post('/basket')
    assert.deepEqual(await home(), { account: null, basket: 'a rope' }, 'a visitor has a basket')

    const arrives = once(mail, 'delivery')
    const asked = await ada.post('/login/code', { username: 'Ada@Example.com' })
    assert.equal(asked.location, '/login/verify', 'asking for a code')
    const [{ otp, email }] = await arrives
    assert.equal(email, ADA, 'the code is delivered by the webhook')

    const wrong = await ada.post('/api/login', { username: ADA, otp: 'wrong1' })
    assert.equal(wrong.status, 401, 'a wrong code')
    assert.equal(JSON.parse(wrong.text).code, 'invalid_credentials')
    assert.equal((await ada.post('/login', { username: ADA, otp: 'wrong1' })).location, '/login/verify')
    assert.equal(simulator.count('exchange'), 2, 'a wrong code costs one exchange')
    assert.equal((await home()).account, null)

    assert.equal((await ada.post('/login', { username: ADA, otp })).location, '/', 'the right code')
    const signedIn = await home()
    assert.equal(signedIn.account, 'Boats', 'signed in')
    assert.equal(signedIn.basket, undefined, 'a sign-in starts a new session')
    assert.equal(simulator.count('renewal'), 0)
    await ada.post('/age')
    await home()
    assert.equal(simulator.count('renewal'), 1, 'keepFresh renews an old token')
    await home()
    assert.equal(simulator.count('renewal'), 1, 'keepFresh keeps the renewed token')

    assert.equal((await ada.post('/accounts/switch', { account_id: 'ropes' })).location, '/')
    assert.equal((await home()).account, 'Ropes', 'the account is switched')
    assert.equal((await ada.post('/accounts/switch', { account_id: 'another' })).status, 403)
    assert.equal((await home()).account, 'Ropes', 'a switch that fails changes nothing')

    assert.equal((await ada.post('/logout')).location, '/')
    assert.deepEqual(await home(), { account: null }, 'signed out')

    await ada.post('/basket')
    const again = await ada.post('/api/login', { username: ADA, otp: simulator.issueCode(ADA) })
    assert.equal(JSON.parse(again.text).totalAccounts, 2, 'a sign-in by a custom callback')
    const { account, basket } = await home()
    assert.deepEqual([account, basket], ['Boats', 'a rope'], 'keepSessionInfo keeps the basket')
  })
}

module.exports = { ADA, journey, withShop }
