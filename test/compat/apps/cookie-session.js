const assert = require('node:assert/strict')
const cookieSession = require('cookie-session')
const express = require('express')
const addSessions = require('./sessions-sample')
const { ADA, journey, withShop } = require('./journey')

const MOST_A_BROWSER_KEEPS = 4096

const bare = cookieSession({ name: 'shop', keys: ['a secret for sessions'] })

process.env.SESSION_SECRET = 'a secret for sessions'
const sessions = express.Router()
addSessions(sessions, cookieSession)

async function works() {
  await journey(sessions)

  await withShop({ sessions }, async ({ browser }) => {
    assert.deepEqual((await browser().get('/')).setCookies, [], 'an empty session has no cookie')
  })

  // The longest email address, and an account's name of the same length.
  const username = `${'a'.repeat(64)}@${'shop.'.repeat(37)}com`
  const members = [{ username, accounts: [{ name: 'n'.repeat(255) }] }]
  await withShop({ sessions, members }, async ({ simulator, browser }) => {
    const reply = await browser().post('/login', { username, otp: simulator.issueCode(username) })
    assert.equal(reply.location, '/')
    for (const cookie of reply.setCookies)
      assert.ok(cookie.length <= MOST_A_BROWSER_KEEPS, `${cookie.length} bytes`)
  })
}

/** The limits of cookie-session that docs/sessions.md describes. */
async function cannotWork() {
  await withShop({ sessions: bare }, async ({ simulator, browser }) => {
    const { status, text } = await browser().post('/login', { username: ADA, otp: simulator.issueCode(ADA) })
    assert.equal(status, 500, 'a sign-in with Passport 0.6 or later and without the addition')
    assert.match(text, /req\.session\.regenerate is not a function/)
  })

  await withShop({ sessions }, async ({ simulator, browser }) => {
    const ada = browser()
    await ada.post('/login', { username: ADA, otp: simulator.issueCode(ADA) })
    const thief = browser()
    thief.cookies = new Map(ada.cookies)
    const tab = browser()
    tab.cookies = new Map(ada.cookies)
    await tab.post('/age')
    const { setCookies: renewed } = await tab.get('/')
    assert.equal(simulator.count('renewal'), 1)

    const account = async (someone) => JSON.parse((await someone.get('/')).text).account
    await ada.post('/logout')
    assert.equal(await account(ada), null)
    assert.equal(await account(thief), 'Boats', 'a copy of the cookie outlives the sign-out')
    ada.accept(renewed)
    assert.equal(await account(ada), 'Boats', 'so does a renewal whose response comes later')
  })
}

process.exitCode = 1
void works()
  .then(cannotWork)
  .then(() => {
    process.exitCode = 0
  })
