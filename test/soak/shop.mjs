// Browsers that visit the shop, and a record of the outcomes.
import { connect } from 'node:net'
import { Pool } from 'undici'

export function openShop(url) {
  const pool = new Pool(url, { connections: 256, headersTimeout: 60_000, bodyTimeout: 60_000 })
  const { hostname, port } = new URL(url)

  /** Sends a request. Resolves with the JSON of the response, the `outcome` and the session's cookie. */
  async function send(method, path, { body, cookie, signal } = {}) {
    const headers = { 'content-type': 'application/json' }
    if (cookie) headers.cookie = cookie
    try {
      const text = body && JSON.stringify(body)
      const answer = await pool.request({ method, path, headers, body: text, signal })
      const json = await answer.body.json()
      const set = answer.headers['set-cookie']
      const outcome = answer.statusCode < 300 ? 'ok' : json.code
      return { ...json, outcome, cookie: set ? String(set).split(';', 1)[0] : cookie }
    } catch (error) {
      return { outcome: signal?.aborted ? 'left' : `no response (${error.code ?? error.name})` }
    }
  }

  return {
    login: (door, body, signal) => send('POST', `/${door}/login`, { body, signal }),
    askForCode: (door, username, signal) => send('POST', `/${door}/code`, { body: { username }, signal }),
    switchTo: (door, account, { cookie }, signal) =>
      send('POST', `/${door}/switch`, { body: { account_id: account }, cookie, signal }),
    page: (door, { cookie }) => send('GET', `/${door}/page`, { cookie }),
    me: ({ cookie }) => send('GET', '/me', { cookie }),
    logout: ({ cookie }) => send('POST', '/logout', { cookie }),
    readMail: (username) => send('GET', `/mail?username=${encodeURIComponent(username)}`),
    control: (what, body = {}) => send('POST', `/control/${what}`, { body }),
    /** Sends half of a form, then disconnects. */
    sendHalf: (door) =>
      new Promise((resolve) => {
        const socket = connect(Number(port), hostname)
        const head = `POST /${door}/login HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`
        socket.on('error', () => undefined)
        socket.once('close', () => resolve({ outcome: 'left' }))
        socket.write(`${head}{"username":`, () => socket.destroy())
      }),
    close: () => pool.close(),
  }
}

/** Creates a record of all outcomes, and of the unexpected ones. */
export function openBook() {
  const outcomes = {}
  const wrong = {}
  const counts = { signIns: 0, faults: 0 }
  const hits = {}
  return {
    outcomes,
    wrong,
    counts,
    /** By fault, the number of requests that it applied to. */
    hits,
    /** Records an outcome. Returns whether it is one of the expected ones. */
    note(what, outcome, ...expected) {
      const of = (outcomes[what] ??= {})
      of[outcome] = (of[outcome] ?? 0) + 1
      if (expected.includes(outcome)) return true
      const sentence = `${what}: ${outcome} instead of ${expected.join(' or ')}`
      wrong[sentence] = (wrong[sentence] ?? 0) + 1
      return false
    },
  }
}

/** Calls a function for each item of a list, `parallel` at a time. */
export async function each(list, parallel, work) {
  let next = 0
  const worker = async () => {
    while (next < list.length) {
      const i = next++
      await work(list[i], i)
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallel, list.length) }, worker))
}
